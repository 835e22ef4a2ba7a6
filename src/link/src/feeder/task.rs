//! Reads, offers and writes at the same time.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use domain::Millis;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};

use super::books::{Batch, Books, Done, Page};
use super::{Outlet, Shelf};
use crate::Verdict;
use crate::pool::{Item, Pause};

/// Between looks back.
const LOOK_BACK: Duration = Duration::from_millis(100);
/// After the shelf failed.
const SHELF_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_SHELF_PAUSE: Duration = Duration::from_secs(5);

pub(super) async fn run<S: Shelf, O: Outlet>(
    shelf: &S,
    outlet: &O,
    more: &Notify,
    window: usize,
    shutdown: impl Future<Output = ()>,
) {
    let mut books = Books::new(window);
    let mut reading = FuturesUnordered::new();
    let mut offering = FuturesUnordered::new();
    let mut writing = FuturesUnordered::new();
    let mut looks = interval(LOOK_BACK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rung = std::pin::pin!(more.notified());
    rung.as_mut().enable();
    let mut shutdown = std::pin::pin!(shutdown);
    let mut end: Option<Instant> = None;
    loop {
        if end.is_none() {
            if let Some(page) = books.next_page() {
                reading.push(read(shelf, page));
            }
            while let Some(batch) = books.due(Instant::now(), wall()) {
                outlet.count_retries(batch.0.len());
                offering.push(offer(outlet, batch));
            }
        } else if offering.is_empty() && books.is_written() {
            return;
        }
        if let Some(done) = books.next_done() {
            writing.push(write(shelf, done));
        }
        let due = books.next_due().filter(|_| end.is_none());
        tokio::select! {
            Some((page, found)) = reading.next() => match found {
                Some(found) => {
                    let items = books.read(page, found, wall());
                    if !items.is_empty() && end.is_none() {
                        offering.push(offer(outlet, (items, BTreeMap::new())));
                    }
                }
                None => books.not_read(page),
            },
            Some(verdicts) = offering.next() => {
                let now = Instant::now();
                for (item, verdict, pause) in verdicts {
                    books.verdict(item, verdict, pause, now, |pause| outlet.jittered(pause));
                }
            }
            Some(places) = writing.next() => books.written(&places),
            () = rung.as_mut() => {
                rung.set(more.notified());
                rung.as_mut().enable();
                books.ring();
            }
            _ = looks.tick() => books.look_back(),
            () = at(due) => {}
            () = shutdown.as_mut(), if end.is_none() => end = Some(Instant::now() + outlet.patience()),
            () = at(end) => return,
        }
    }
}

/// `None`: it failed, and some time has passed.
async fn read<S: Shelf>(shelf: &S, page: Page) -> (Page, Option<Vec<(i64, domain::Submission)>>) {
    match shelf.waiting(page.after, page.most).await {
        Ok(found) => (page, Some(found)),
        Err(error) => {
            tracing::error!(error, "waiting messages cannot be read");
            sleep(SHELF_PAUSE).await;
            (page, None)
        }
    }
}

async fn offer<O: Outlet>(outlet: &O, (items, pauses): Batch) -> Vec<(Item<i64>, Verdict, Pause)> {
    let done = outlet.round(items).await;
    let pause = |item: &Item<i64>| pauses.get(&item.place).copied().unwrap_or_default();
    done.into_iter()
        .map(|(item, verdict)| {
            let pause = pause(&item);
            (item, verdict, pause)
        })
        .collect()
}

/// Until it is written.
async fn write<S: Shelf>(shelf: &S, Done { places, taken, refused }: Done) -> Vec<i64> {
    let mut pause = SHELF_PAUSE;
    while !taken.is_empty()
        && let Err(error) = shelf.taken(taken.clone()).await
    {
        tracing::error!(error, "taken messages cannot be noted");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_SHELF_PAUSE);
    }
    while !refused.is_empty()
        && let Err(error) = shelf.refused(refused.clone()).await
    {
        tracing::error!(error, "refused messages cannot be noted");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_SHELF_PAUSE);
    }
    places
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn wall() -> Millis {
    runtime::clock::since_epoch().into()
}
