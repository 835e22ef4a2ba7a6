use std::path::Path;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Query;
use domain::{Event, Happened};
use store::spool::{Change, Consumer};

use super::events::{Wanted, events};
use super::*;
use crate::engine::tests::{engine, submission};

/// On this engine, with nothing else.
pub(crate) fn uplink(engine: Engine, known: Vec<Consumer>, stopping: watch::Receiver<bool>) -> Uplink {
    let limits = crate::config::Consumers { forget: Duration::from_secs(3600), most_events: 1000 };
    let (spool, families) = (engine.spool.clone(), Arc::clone(&engine.families));
    Uplink {
        engine: Arc::new(engine),
        gateway: "gw".parse().unwrap(),
        epoch: Millis(1),
        boards: Vec::new(),
        events: Arc::new(Events::new(spool, Arc::default(), known, limits, families)),
        most_events: limits.most_events,
        stopping,
    }
}

struct Scene {
    uplink: Arc<Uplink>,
    stop: watch::Sender<bool>,
}

impl Scene {
    fn new(folder: &Path) -> Self {
        let (engine, _, recovered) = engine(folder, &["cm"]);
        let (stop, stopping) = watch::channel(false);
        let uplink = uplink(engine, recovered.consumers, stopping);
        Self { uplink: Arc::new(uplink), stop }
    }

    /// The status and the text of the answer.
    async fn ask(&self, consumer: Option<&str>, after: i64, wait: f64) -> (u16, String) {
        let wanted = Wanted { consumer: consumer.map(str::to_owned), after, most: None, wait };
        let response = events(State(Arc::clone(&self.uplink)), Query(wanted)).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Makes so many events, and waits until they are there.
    async fn happen(&self, count: usize) {
        let event = Event {
            gateway: "gw".parse().unwrap(),
            epoch: Millis(1),
            account: "cm".parse().unwrap(),
            at: Millis(1),
            happened: Happened::LinkUp { connection: 0 },
        };
        let (sender, written) = tokio::sync::oneshot::channel();
        let done = move |result| drop(sender.send(result));
        self.uplink.engine.spool.write(vec![Change::Event(event); count], done).unwrap();
        written.await.unwrap().unwrap();
    }

    fn consumers(&self) -> usize {
        self.uplink.events.consumers().len()
    }
}

#[tokio::test]
async fn a_cursor_beyond_the_last_event_there_ever_was_is_a_conflict_and_nobody_joins() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    scene.happen(3).await;
    for consumer in [Some("a"), None] {
        let (status, text) = scene.ask(consumer, 4, 0.0).await;
        assert_eq!(status, 409);
        assert_eq!(
            text,
            "there is no event 4: the last is 3, so this spool is a new one; start again from after=0\n"
        );
    }
    assert_eq!(scene.consumers(), 0);
    assert_eq!(scene.ask(Some("a"), 3, 0.0).await, (200, String::new()));
    // what was acknowledged there was
    assert_eq!(scene.ask(Some("a"), 3, 0.0).await.0, 200);
}

#[tokio::test]
async fn what_a_consumer_lacks_is_there_after_a_restart_though_another_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    scene.happen(3).await;
    scene.ask(Some("slow"), 1, 0.0).await;
    scene.ask(Some("quick"), 3, 0.0).await;
    drop(scene);
    let scene = Scene::new(folder.path());
    assert_eq!(scene.consumers(), 2);
    scene.ask(Some("quick"), 3, 0.0).await;
    let (status, text) = scene.ask(Some("slow"), 1, 0.0).await;
    assert_eq!((status, text.lines().count()), (200, 2), "{text}");
}

#[tokio::test]
async fn a_name_is_short_and_there_are_not_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    for name in [String::new(), "x".repeat(65)] {
        assert_eq!(scene.ask(Some(&name), 0, 0.0).await.0, 400);
    }
    for number in 0..64 {
        assert_eq!(scene.ask(Some(&number.to_string()), 0, 0.0).await.0, 200);
    }
    assert_eq!(scene.ask(Some("one more"), 0, 0.0).await.0, 429);
    assert_eq!(scene.ask(None, 0, 0.0).await.0, 200);
}

#[tokio::test]
async fn when_the_gateway_stops_questions_are_answered_at_once_and_messages_refused_for_now() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    let ask = scene.ask(Some("a"), 0, 60.0);
    let stop = async {
        while scene.consumers() == 0 {
            tokio::task::yield_now().await;
        }
        scene.stop.send_replace(true);
    };
    let limit = Duration::from_secs(20);
    let (told, ()) = tokio::time::timeout(limit, async { tokio::join!(ask, stop) }).await.unwrap();
    assert_eq!(told, (200, String::new()));

    let line = serde_json::to_string(&submission("m1", None)).unwrap();
    let response = messages(State(Arc::clone(&scene.uplink)), line).await;
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let answer: Answer = serde_json::from_slice(&body).unwrap();
    assert!(matches!(answer.taken, lines::Taken::Refused { again: true, .. }), "{answer:?}");
}
