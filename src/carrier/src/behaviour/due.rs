//! What is to be done, and when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Actions by their time; those of one time in the order in which they were put in.
#[derive(Debug)]
pub struct DueQueue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    count: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    number: u64,
    action: T,
}

impl<T> DueQueue<T> {
    #[must_use]
    pub fn new() -> Self {
        Self { heap: BinaryHeap::new(), count: 0 }
    }

    /// Returns whether this is now the next of all.
    pub fn push(&mut self, at: Instant, action: T) -> bool {
        let earliest = self.next().is_none_or(|next| at < next);
        self.heap.push(Reverse(Entry { at, number: self.count, action }));
        self.count = self.count.wrapping_add(1);
        earliest
    }

    /// The next that is due at `now`.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.action)
    }

    /// When the next is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<T> Default for DueQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Entry<T> {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn actions_come_when_due_and_those_of_one_time_in_order() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut queue = DueQueue::new();
        assert!(queue.push(at(5), "b"));
        assert!(!queue.push(at(5), "c"));
        assert!(queue.push(at(1), "a"));
        assert_eq!(queue.next(), Some(at(1)));
        assert_eq!(queue.pop(at(0)), None);
        assert_eq!(queue.pop(at(5)), Some("a"));
        assert_eq!(queue.pop(at(5)), Some("b"));
        assert_eq!(queue.pop(at(5)), Some("c"));
        assert_eq!(queue.pop(at(5)), None);
        assert!(queue.is_empty());
    }
}
