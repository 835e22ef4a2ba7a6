//! What waits for the writer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Refused;

/// A queue of many givers and one taker.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    most: usize,
}

#[derive(Debug)]
struct State<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    /// `most`: from how many waiting on [`Queue::offer`] is refused.
    pub(super) const fn new(most: usize) -> Self {
        let state = State { waiting: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), most }
    }

    /// For new work: refused while too much waits.
    pub(super) fn offer(&self, item: T) -> Result<(), Refused> {
        self.put(item, self.most)
    }

    /// For what finishes work under way, which is as much as was let in: never refused while open.
    pub(super) fn push(&self, item: T) -> Result<(), Refused> {
        self.put(item, usize::MAX)
    }

    /// Waits until there is something, then takes all, `most` at once. None: closed, and nothing is left.
    pub(super) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.state();
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let count = state.waiting.len().min(most);
        Some(state.waiting.drain(..count).collect())
    }

    /// Drops what waits.
    pub(super) fn clear(&self) {
        let waiting = std::mem::take(&mut self.state().waiting);
        // a dropped item may ask the queue something: not while it is locked
        drop(waiting);
    }

    /// Lets nothing more in; what waits is still taken.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.filled.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed
    }

    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    fn put(&self, item: T, most: usize) -> Result<(), Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Stopped);
        }
        if state.waiting.len() >= most {
            return Err(Refused::QueueFull);
        }
        state.waiting.push_back(item);
        let first = state.waiting.len() == 1;
        drop(state);
        if first {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// The state is whole between any two statements, so a panic elsewhere spoils nothing.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_work_is_refused_when_full_and_the_rest_is_not() {
        let queue = Queue::new(1);
        assert_eq!(queue.offer('a'), Ok(()));
        assert_eq!(queue.offer('b'), Err(Refused::QueueFull));
        assert_eq!(queue.push('c'), Ok(()));
        assert_eq!(queue.take(10), Some(vec!['a', 'c']));
    }

    #[test]
    fn what_waits_at_the_end_is_still_taken() {
        let queue = Queue::new(10);
        for item in 0..3 {
            queue.offer(item).unwrap();
        }
        queue.close();
        assert_eq!(queue.push(4), Err(Refused::Stopped));
        assert_eq!(queue.take(2), Some(vec![0, 1]));
        assert_eq!(queue.take(2), Some(vec![2]));
        assert_eq!(queue.take(2), None);
    }
}
