//! Follows a gateway's events, as a UAOP does, whatever becomes of the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::Happened;

use super::Uplink;
use super::uplink::Told;

/// Events asked for at once, and how long for the first.
const MOST: usize = 5_000;
const WAIT_SECONDS: u64 = 1;
/// Until the next try at a gateway that is away.
const AWAY: Duration = Duration::from_millis(20);

/// All events of a gateway from the first on, kept in memory; a thread asks for more as long as this lives.
#[derive(Debug)]
pub struct Feed {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    seen: Mutex<Seen>,
    more: Condvar,
}

/// What has come.
#[derive(Debug, Default)]
pub struct Seen {
    pub events: Vec<Told>,
    /// How many of each kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// Message ids of the carrier that a report came for.
    pub reported: BTreeSet<String>,
}

impl Feed {
    /// As `consumer`, from the first event that the gateway still has.
    #[must_use]
    pub fn follow(uplink: Uplink, consumer: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let (consumer, ours) = (consumer.to_owned(), Arc::clone(&shared));
        let thread = std::thread::spawn(move || ours.follow(&uplink, &consumer));
        Self { shared, thread: Some(thread) }
    }

    /// Looks at what has come.
    pub fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.shared.seen())
    }

    /// How many events of this kind have come.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.look(|seen| seen.count(kind))
    }

    /// Waits until what has come satisfies `condition`, which is asked after each batch of events.
    ///
    /// # Errors
    /// The deadline has passed; with the count of each kind.
    pub fn wait<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut condition: impl FnMut(&Seen) -> Option<T>,
    ) -> Result<T> {
        let start = Instant::now();
        let mut seen = self.shared.seen();
        loop {
            if let Some(value) = condition(&seen) {
                return Ok(value);
            }
            let Some(left) = deadline.checked_sub(start.elapsed()) else {
                bail!("waited {deadline:?} in vain for {what}; events so far: {:?}", seen.kinds);
            };
            let (locked, _) =
                self.shared.more.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner);
            seen = locked;
        }
    }

    /// Waits for the first event that `wanted` makes something of.
    ///
    /// # Errors
    /// As [`Feed::wait`].
    pub fn find<T>(
        &self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Happened) -> Option<T>,
    ) -> Result<T> {
        let mut looked_at = 0;
        self.wait(what, deadline, |seen| {
            let new = &seen.events[looked_at..];
            looked_at = seen.events.len();
            new.iter().find_map(|told| wanted(&told.event.happened))
        })
    }

    /// Waits for so many events of a kind.
    ///
    /// # Errors
    /// As [`Feed::wait`].
    pub fn wait_count(&self, kind: &str, count: usize, deadline: Duration) -> Result<()> {
        let what = format!("{count} events of the kind {kind}");
        self.wait(&what, deadline, |seen| (seen.count(kind) >= count).then_some(()))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // it has told its panic already
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn follow(&self, uplink: &Uplink, consumer: &str) {
        let mut after = 0;
        while !self.stop.load(Ordering::Relaxed) {
            match uplink.events(consumer, after, MOST, WAIT_SECONDS) {
                Ok(events) => {
                    after = events.last().map_or(after, |told| told.id);
                    self.seen().add(events);
                    self.more.notify_all();
                }
                // it is away: killed, or not there yet
                Err(_) => std::thread::sleep(AWAY),
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// How many events of this kind have come.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    fn add(&mut self, events: Vec<Told>) {
        for told in events {
            *self.kinds.entry(kind(&told.event.happened)).or_default() += 1;
            if let Happened::Reported { resp_sequence, .. } = &told.event.happened {
                self.reported.insert(resp_sequence.clone());
            }
            self.events.push(told);
        }
    }
}

/// The word of an event in its JSON.
fn kind(happened: &Happened) -> &'static str {
    match happened {
        Happened::Pushed { .. } => "pushed",
        Happened::Answered { .. } => "answered",
        Happened::Finished { .. } => "finished",
        Happened::Reported { .. } => "reported",
        Happened::Mo { .. } => "mo",
        Happened::MoIncomplete { .. } => "mo_incomplete",
        Happened::UserState { .. } => "user_state",
        Happened::LinkUp { .. } => "link_up",
        Happened::LinkDown { .. } => "link_down",
    }
}
