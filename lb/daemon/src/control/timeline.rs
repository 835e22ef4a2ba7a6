//! The flight recorder: what happened to this daemon, in order, the last so many entries.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::vrrp::Kind;
use runtime::clock;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Entry {
    /// From 0, without gaps; it begins anew with the daemon.
    pub sequence: u64,
    /// Seconds since 1970, by the clock as it stood when the daemon started.
    pub time: f64,
    /// Seconds since the daemon started; a step of the clock does not change them.
    pub monotonic_seconds: f64,
    pub kind: Kind,
    /// `POOL`, `POOL/SERVER`, the name of a virtual router, or `lb`.
    pub subject: String,
    pub text: String,
}

/// A ring of entries, behind one lock.
#[derive(Debug)]
pub struct Timeline {
    started: Instant,
    /// Since 1970, at `started`: the only look at the clock, so that its steps reorder nothing.
    started_wall: Duration,
    capacity: usize,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    next: u64,
    entries: VecDeque<Entry>,
}

impl Timeline {
    /// An empty one that keeps the last `capacity` entries.
    pub fn new(started: Instant, capacity: usize) -> Self {
        let now = clock::since_epoch();
        Self::anchored(started, now.saturating_sub(started.elapsed()), capacity)
    }

    fn anchored(started: Instant, started_wall: Duration, capacity: usize) -> Self {
        Self { started, started_wall, capacity, ring: Mutex::default() }
    }

    /// Adds an entry, the oldest one goes if there is no room; returns its number.
    pub fn record(&self, at: Instant, kind: Kind, subject: &str, text: String) -> u64 {
        let since = at.saturating_duration_since(self.started);
        let mut ring = self.ring();
        let sequence = ring.next;
        ring.next += 1;
        if ring.entries.len() == self.capacity {
            ring.entries.pop_front();
        }
        ring.entries.push_back(Entry {
            sequence,
            time: (self.started_wall + since).as_secs_f64(),
            monotonic_seconds: since.as_secs_f64(),
            kind,
            subject: subject.to_owned(),
            text,
        });
        sequence
    }

    /// Those after the entry of that number, and of these the `last` so many. A number that was not given out yet
    /// comes from an earlier run of the daemon: then everything is new.
    pub fn entries(&self, after: Option<u64>, last: Option<usize>) -> Vec<Entry> {
        let ring = self.ring();
        let after = after.filter(|after| *after < ring.next);
        let first = ring.entries.partition_point(|entry| Some(entry.sequence) <= after);
        let skipped = last.map_or(first, |last| first.max(ring.entries.len().saturating_sub(last)));
        ring.entries.iter().skip(skipped).cloned().collect()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(capacity: usize, count: u64) -> Timeline {
        let started = Instant::now();
        let timeline = Timeline::anchored(started, Duration::from_secs(1000), capacity);
        for n in 0..count {
            let at = started + Duration::from_millis(500 * n);
            timeline.record(at, Kind::Health, "empi", format!("entry {n}"));
        }
        timeline
    }

    fn numbers(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.sequence).collect()
    }

    #[test]
    fn an_entry_has_both_times() {
        let entry = filled(10, 4).entries(None, None).pop().unwrap();
        let expected = Entry {
            sequence: 3,
            time: 1001.5,
            monotonic_seconds: 1.5,
            kind: Kind::Health,
            subject: "empi".to_owned(),
            text: "entry 3".to_owned(),
        };
        assert_eq!(entry, expected);
    }

    #[test]
    fn the_oldest_go_when_the_ring_is_full() {
        assert_eq!(numbers(&filled(3, 5).entries(None, None)), [2, 3, 4]);
    }

    #[test]
    fn one_can_ask_for_what_is_new_and_for_the_last() {
        let timeline = filled(4, 6);
        for (after, last, expected) in [
            (None, None, vec![2, 3, 4, 5]),
            (Some(0), None, vec![2, 3, 4, 5]),
            (Some(3), None, vec![4, 5]),
            (Some(5), None, vec![]),
            (None, Some(1), vec![5]),
            (None, Some(0), vec![]),
            (None, Some(99), vec![2, 3, 4, 5]),
            (Some(2), Some(2), vec![4, 5]),
            (Some(4), Some(2), vec![5]),
            (Some(6), None, vec![2, 3, 4, 5]),
        ] {
            assert_eq!(numbers(&timeline.entries(after, last)), expected, "after {after:?}, last {last:?}");
        }
        assert_eq!(Timeline::new(Instant::now(), 4).entries(Some(7), Some(1)), []);
    }

    #[test]
    fn what_was_before_the_start_is_at_the_start() {
        let started = Instant::now() + Duration::from_secs(10);
        let timeline = Timeline::anchored(started, Duration::from_secs(1000), 1);
        timeline.record(Instant::now(), Kind::Daemon, "lb", "started".to_owned());
        assert_eq!(timeline.entries(None, None)[0].monotonic_seconds, 0.0);
    }
}
