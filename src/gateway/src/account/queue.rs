//! Whose turn it is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use domain::Millis;

/// The spool's key of a message.
pub type Key = i64;

/// Messages with a part to send, the highest priority first, then the oldest; those that wait for a moment; and when
/// each one's time is over.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    ready: BTreeSet<(Reverse<u8>, Key)>,
    later: BTreeSet<(Instant, Key)>,
    /// Of those in `ready` and `later`.
    waiting: BTreeMap<Key, Place>,
    ends: BTreeSet<(Millis, Key)>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    priority: u8,
    until: Option<Instant>,
}

impl Queue {
    /// The message waits for its turn from `from` on (`None`: now). One that waits already is moved.
    pub fn put(&mut self, key: Key, priority: u8, from: Option<Instant>) {
        self.remove(key);
        self.waiting.insert(key, Place { priority, until: from });
        match from {
            Some(from) => self.later.insert((from, key)),
            None => self.ready.insert((Reverse(priority), key)),
        };
    }

    /// The message is not to be sent after `end`.
    pub fn end_at(&mut self, key: Key, end: Millis) {
        self.ends.insert((end, key));
    }

    /// Whose turn it is; it stays where it is.
    pub fn first(&mut self, now: Instant) -> Option<Key> {
        while let Some(&(from, key)) = self.later.first() {
            if from > now {
                break;
            }
            let priority = self.waiting.get(&key).map_or(0, |place| place.priority);
            self.put(key, priority, None);
        }
        self.ready.first().map(|&(_, key)| key)
    }

    /// The message waits no more.
    pub fn remove(&mut self, key: Key) {
        match self.waiting.remove(&key) {
            Some(Place { until: Some(until), .. }) => drop(self.later.remove(&(until, key))),
            Some(Place { priority, until: None }) => drop(self.ready.remove(&(Reverse(priority), key))),
            None => {}
        }
    }

    /// The message is finished: its end does not matter any more.
    pub fn forget(&mut self, key: Key, end: Option<Millis>) {
        self.remove(key);
        if let Some(end) = end {
            self.ends.remove(&(end, key));
        }
    }

    /// A message whose time is over; each is given once.
    pub fn ended(&mut self, now: Millis) -> Option<Key> {
        self.ends.first().filter(|&&(end, _)| end < now)?;
        self.ends.pop_first().map(|(_, key)| key)
    }

    /// When the next message's time is over.
    #[must_use]
    pub fn next_end(&self) -> Option<Millis> {
        self.ends.first().map(|&(end, _)| end)
    }

    /// When the next one that waits for a moment may go; those that may already are ready.
    #[must_use]
    pub fn next_later(&self, now: Instant) -> Option<Instant> {
        self.later.iter().map(|&(from, _)| from).find(|&from| from > now)
    }

    /// Whether one waits for nothing but its turn.
    #[must_use]
    pub fn has_ready(&self, now: Instant) -> bool {
        !self.ready.is_empty() || self.later.first().is_some_and(|&(from, _)| from <= now)
    }

    /// Until when the message waits, if it waits for a moment.
    #[must_use]
    pub fn waits_until(&self, key: Key) -> Option<Instant> {
        self.waiting.get(&key)?.until
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The key of the oldest message that waits.
    #[must_use]
    pub fn oldest(&self) -> Option<Key> {
        self.waiting.first_key_value().map(|(&key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_highest_priority_goes_first_then_the_oldest() {
        let now = Instant::now();
        let mut queue = Queue::default();
        for (key, priority) in [(1, 0), (2, 9), (3, 9), (4, 5)] {
            queue.put(key, priority, None);
        }
        let order: Vec<Key> = std::iter::from_fn(|| {
            let key = queue.first(now)?;
            queue.remove(key);
            Some(key)
        })
        .collect();
        assert_eq!(order, [2, 3, 4, 1]);
        assert!(queue.is_empty());
    }

    #[test]
    fn one_that_waits_for_a_moment_lets_others_go_and_comes_back_in_its_place() {
        let now = Instant::now();
        let mut queue = Queue::default();
        queue.put(1, 5, Some(now + Duration::from_secs(1)));
        queue.put(2, 0, None);
        assert_eq!(queue.first(now), Some(2));
        assert_eq!(queue.next_later(now), Some(now + Duration::from_secs(1)));
        assert!(queue.has_ready(now) && queue.waits_until(1).is_some());
        assert_eq!(queue.first(now + Duration::from_secs(1)), Some(1));
        assert_eq!((queue.len(), queue.oldest(), queue.next_later(now)), (2, Some(1), None));
    }

    #[test]
    fn each_end_is_told_once_and_not_of_a_finished_one() {
        let mut queue = Queue::default();
        for key in 1..=3 {
            queue.put(key, 0, None);
            queue.end_at(key, Millis(100));
        }
        queue.forget(2, Some(Millis(100)));
        assert_eq!(queue.ended(Millis(100)), None, "its last millisecond still counts");
        assert_eq!(queue.next_end(), Some(Millis(100)));
        assert_eq!(
            (queue.ended(Millis(101)), queue.ended(Millis(101)), queue.ended(Millis(101))),
            (Some(1), Some(3), None)
        );
    }
}
