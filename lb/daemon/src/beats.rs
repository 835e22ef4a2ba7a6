//! Signs of life of the daemon's threads, for who decides whether this host can serve.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often a thread gives its sign.
pub const EVERY: Duration = Duration::from_millis(100);
/// A thread that gives none for so long hangs. A busy one is late by much less.
const STALLED: Duration = Duration::from_secs(2);

/// One counter for each thread, written by it and read by one other.
#[derive(Debug)]
pub struct Beats {
    started: Instant,
    threads: Vec<(String, AtomicU64)>,
}

impl Beats {
    /// Of the threads with these names, all alive now.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let threads = names.into_iter().map(|name| (name, AtomicU64::new(0))).collect();
        Self { started: Instant::now(), threads }
    }

    /// The thread of this number lives.
    pub fn beat(&self, thread: usize, now: Instant) {
        if let Some((_, last)) = self.threads.get(thread) {
            last.store(self.millis(now), Ordering::Relaxed);
        }
    }

    /// Gives the sign of the thread of this number again and again, as a task of that thread; it does not end.
    pub async fn keep(&self, thread: usize) {
        let mut beat = tokio::time::interval(EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.beat(thread, beat.tick().await.into());
        }
    }

    /// The names of those that gave no sign for too long.
    pub fn stalled(&self, now: Instant) -> Vec<String> {
        let limit = self.millis(now).saturating_sub(STALLED.as_millis().try_into().unwrap_or(u64::MAX));
        let silent = |(_, last): &&(String, AtomicU64)| last.load(Ordering::Relaxed) < limit;
        self.threads.iter().filter(silent).map(|(name, _)| name.clone()).collect()
    }

    fn millis(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.started).as_millis().try_into().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_gives_no_sign_hangs() {
        let beats = Beats::new(["one".to_owned(), "two".to_owned()]);
        let at = |millis| beats.started + Duration::from_millis(millis);
        assert!(beats.stalled(at(1900)).is_empty());
        beats.beat(1, at(1500));
        assert_eq!(beats.stalled(at(2100)), ["one"]);
        assert_eq!(beats.stalled(at(3600)), ["one", "two"]);
        beats.beat(0, at(3600));
        assert_eq!(beats.stalled(at(3600)), ["two"]);
    }
}
