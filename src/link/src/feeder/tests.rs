use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use domain::Millis;
use lb_core::balance::rng::SplitMix64;
use proptest::prelude::*;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::*;
use crate::tests::submission;

/// A shelf, and what has become of what was on it.
#[derive(Default)]
struct Model {
    rows: BTreeMap<i64, Submission>,
    taken: Vec<String>,
    refused: Vec<(String, String)>,
    /// The outlet has them now.
    under_way: BTreeSet<String>,
    most_under_way: usize,
    /// How often each was offered, and whether `again` each time.
    offered: BTreeMap<String, Vec<bool>>,
    reads: usize,
}

struct Scene {
    model: Mutex<Model>,
    rng: Mutex<SplitMix64>,
    /// Of a hundred calls of the shelf.
    failing: u64,
    /// Of a hundred offers.
    put_off: u64,
    refused: u64,
    /// Milliseconds, at most.
    slow: u64,
    /// Nothing is taken.
    shut: AtomicBool,
    more: Notify,
}

impl Scene {
    fn new(seed: u64) -> Self {
        Self {
            model: Mutex::default(),
            rng: Mutex::new(SplitMix64::new(seed)),
            failing: 0,
            put_off: 0,
            refused: 0,
            slow: 20,
            shut: AtomicBool::new(false),
            more: Notify::new(),
        }
    }

    fn below(&self, bound: u64) -> u64 {
        self.rng.lock().unwrap().below(bound)
    }

    fn put(&self, places: impl IntoIterator<Item = i64>) {
        let mut model = self.model.lock().unwrap();
        for place in places {
            assert!(model.rows.insert(place, submission(&format!("m{place}"))).is_none());
        }
    }

    async fn shelf(&self) -> Result<(), String> {
        sleep(Duration::from_millis(self.below(self.slow))).await;
        if self.below(100) < self.failing { Err("the disk is away".to_owned()) } else { Ok(()) }
    }

    /// Runs until `coming` is over and everything has left the shelf.
    async fn run(&self, window: usize, coming: impl Future<Output = ()>) {
        let (stop, stopped) = oneshot::channel();
        let emptied = async {
            coming.await;
            while !self.model.lock().unwrap().rows.is_empty() {
                sleep(Duration::from_millis(50)).await;
            }
            stop.send(()).unwrap();
        };
        let feeding = task::run(self, self, &self.more, window, async { stopped.await.unwrap() });
        let both = async { tokio::join!(feeding, emptied) };
        tokio::time::timeout(Duration::from_secs(3600), both).await.expect("something is left");
    }
}

#[async_trait]
impl Shelf for Scene {
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, String> {
        let read = {
            let mut model = self.model.lock().unwrap();
            model.reads += 1;
            model.rows.range(after + 1..).take(most).map(|(place, row)| (*place, row.clone())).collect()
        };
        // what was read is old by then
        self.shelf().await?;
        Ok(read)
    }

    async fn taken(&self, ids: Vec<UaopId>) -> Result<(), String> {
        self.shelf().await?;
        let mut model = self.model.lock().unwrap();
        for id in ids {
            model.rows.retain(|_, row| row.uaop_id != id);
            model.taken.push(id.to_string());
        }
        Ok(())
    }

    async fn refused(&self, refused: Vec<(Submission, String)>) -> Result<(), String> {
        self.shelf().await?;
        let mut model = self.model.lock().unwrap();
        for (submission, reason) in refused {
            model.rows.retain(|_, row| row.uaop_id != submission.uaop_id);
            model.refused.push((submission.uaop_id.to_string(), reason));
        }
        Ok(())
    }
}

impl Outlet for Scene {
    async fn round(&self, items: Vec<Item<i64>>) -> Vec<(Item<i64>, Verdict)> {
        {
            let mut model = self.model.lock().unwrap();
            for item in &items {
                let id = item.submission.uaop_id.to_string();
                assert!(model.under_way.insert(id.clone()), "{id} is handed twice");
                assert!(!model.taken.contains(&id), "{id} was taken");
                model.offered.entry(id).or_default().push(item.again);
            }
            model.most_under_way = model.most_under_way.max(model.under_way.len());
        }
        sleep(Duration::from_millis(self.below(self.slow))).await;
        let mut model = self.model.lock().unwrap();
        let verdict = |item: Item<i64>| {
            assert!(model.under_way.remove(item.submission.uaop_id.as_str()));
            let chance = self.below(100);
            let verdict = if self.shut.load(Relaxed) || chance < self.put_off {
                Verdict::Later { reason: "full".to_owned() }
            } else if chance < self.put_off + self.refused {
                Verdict::Refused { reason: "no".to_owned() }
            } else {
                Verdict::Taken { duplicate: false }
            };
            (item, verdict)
        };
        items.into_iter().map(verdict).collect()
    }

    fn count_retries(&self, _: usize) {}

    fn jittered(&self, pause: Duration) -> Duration {
        pause
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(4)
    }
}

fn paused<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_message_leaves_once_whatever_fails_and_however_late_it_is_seen(
        seed in any::<u64>(),
        count in 1i64..400,
        window in prop_oneof![1usize..10, 50usize..600],
        failing in 0u64..40,
        put_off in 0u64..60,
        refused in 0u64..20,
        late in 0u64..50,
    ) {
        let scene = Scene { failing, put_off, refused, ..Scene::new(seed) };
        paused(async {
            let (late, at_once): (Vec<i64>, Vec<i64>) = (1..=count).partition(|_| scene.below(100) < late);
            let (there, then): (Vec<i64>, Vec<i64>) = at_once.into_iter().partition(|place| *place <= count / 2);
            scene.put(there);
            let coming = async {
                for place in then {
                    scene.put([place]);
                    scene.more.notify_one();
                    if scene.below(4) == 0 {
                        sleep(Duration::from_millis(scene.below(30))).await;
                    }
                }
                // nobody rings for those
                for place in late.into_iter().rev() {
                    scene.put([place]);
                    sleep(Duration::from_millis(scene.below(300))).await;
                }
            };
            scene.run(window, coming).await;
        });
        let model = scene.model.into_inner().unwrap();
        let refused: Vec<String> = model.refused.iter().map(|(id, _)| id.clone()).collect();
        let mut left: Vec<String> = model.taken.iter().chain(&refused).cloned().collect();
        left.sort();
        let mut all: Vec<String> = (1..=count).map(|place| format!("m{place}")).collect();
        all.sort();
        prop_assert_eq!(left, all);
        prop_assert!(model.most_under_way <= window);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_comes_while_others_are_under_way_is_found(
        seed in any::<u64>(),
        window in 1usize..300,
        put_off in 0u64..60,
        places in prop::collection::vec((1i64..2000, any::<bool>(), 0u64..60), 1..200),
    ) {
        let scene = Scene { put_off, ..Scene::new(seed) };
        let expected: BTreeSet<i64> = places.iter().map(|(place, ..)| *place).collect();
        paused(async {
            let coming = async {
                let mut known = BTreeSet::new();
                for (place, ring, wait) in places {
                    // in any order: lower places become visible after higher ones
                    if known.insert(place) {
                        scene.put([place]);
                    }
                    if ring {
                        scene.more.notify_one();
                    }
                    sleep(Duration::from_millis(wait)).await;
                }
            };
            scene.run(window, coming).await;
        });
        let model = scene.model.lock().unwrap();
        let taken: BTreeSet<i64> = model.taken.iter().map(|id| id[1..].parse().unwrap()).collect();
        prop_assert_eq!(taken, expected);
        prop_assert!(model.most_under_way <= window);
    }
}

#[test]
fn what_was_there_at_the_start_is_offered_as_again_and_what_comes_later_is_not() {
    let scene = Scene::new(1);
    paused(async {
        scene.put(1..=700);
        let later = async {
            while scene.model.lock().unwrap().offered.len() < 700 {
                sleep(Duration::from_millis(10)).await;
            }
            sleep(Duration::from_millis(200)).await;
            scene.put(701..=702);
            scene.more.notify_one();
        };
        scene.run(100, later).await;
    });
    let model = scene.model.into_inner().unwrap();
    assert_eq!(model.offered.len(), 702);
    for (id, again) in &model.offered {
        assert_eq!(again, &[id[1..].parse::<i64>().unwrap() <= 700], "{id}");
    }
}

#[test]
fn what_nobody_takes_makes_room_for_what_somebody_takes() {
    let scene = Scene::new(1);
    paused(async {
        scene.shut.store(true, Relaxed);
        scene.put(1..=30);
        let feeding = task::run(&scene, &scene, &scene.more, 10, std::future::pending());
        let watching = async {
            while scene.model.lock().unwrap().offered.len() < 30 {
                sleep(Duration::from_millis(10)).await;
            }
            assert!(scene.model.lock().unwrap().taken.is_empty());
            // by and by, not all the time: ten in the first second, then one each second
            sleep(Duration::from_secs(20)).await;
            for offers in scene.model.lock().unwrap().offered.values() {
                assert!((15..=40).contains(&offers.len()), "{}", offers.len());
            }
            scene.shut.store(false, Relaxed);
            while !scene.model.lock().unwrap().rows.is_empty() {
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = feeding => {}
            done = tokio::time::timeout(Duration::from_secs(60), watching) => done.unwrap(),
        }
    });
}

#[test]
fn what_is_too_late_is_refused_and_not_offered() {
    let scene = Scene::new(1);
    paused(async {
        let mut late = submission("late");
        late.not_after = Some(Millis(1));
        scene.model.lock().unwrap().rows.insert(1, late);
        scene.put([2]);
        scene.run(10, async {}).await;
    });
    let model = scene.model.into_inner().unwrap();
    let reason = "its time was over before anybody could take it";
    assert_eq!(model.refused, [("late".to_owned(), reason.to_owned())]);
    assert_eq!(model.offered.len(), 1);
}

#[test]
fn an_empty_shelf_is_read_now_and_then() {
    let scene = Scene::new(1);
    paused(async {
        let feeding = task::run(&scene, &scene, &scene.more, 10, std::future::pending());
        let _ = tokio::time::timeout(Duration::from_secs(10), feeding).await;
    });
    let reads = scene.model.lock().unwrap().reads;
    assert!((9..=12).contains(&reads), "{reads}");
}

#[test]
fn at_the_end_verdicts_under_way_are_waited_for_and_noted_but_not_for_ever() {
    let scene = Scene { slow: 1000, ..Scene::new(3) };
    paused(async {
        scene.put(1..=20);
        task::run(&scene, &scene, &scene.more, 8, sleep(Duration::from_millis(1200))).await;
        let model = scene.model.lock().unwrap();
        assert!(model.under_way.is_empty() && !model.taken.is_empty());
        assert_eq!(model.taken.len() + model.rows.len(), 20);
    });
    let scene = Scene { slow: 100_000, ..Scene::new(3) };
    paused(async {
        scene.put(1..=20);
        let start = Instant::now();
        task::run(&scene, &scene, &scene.more, 8, sleep(Duration::from_secs(1))).await;
        assert!(start.elapsed() <= Duration::from_secs(5));
    });
}
