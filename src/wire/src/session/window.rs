//! Our requests that wait for an answer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::limits::{Limits, after};

/// All wait equally long, so they stand in the order of their deadlines: one that is sent again goes to the back. An
/// answer is looked for from the front, where answers that come in order find their request at once.
pub(super) struct Window<S> {
    waiting: VecDeque<Waiting<S>>,
    places: usize,
    answer: Duration,
    tries: u8,
}

struct Waiting<S> {
    sequence: S,
    bytes: Vec<u8>,
    first_sent: Instant,
    deadline: Option<Instant>,
    tries: u8,
}

/// A request whose wait for an answer is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expired<'a, S> {
    /// `bytes` are to go out again, for the `tries`th time.
    Again { sequence: S, tries: u8, bytes: &'a [u8] },
    /// It went out often enough, and is forgotten.
    GivenUp { sequence: S },
}

impl<S: Copy + Eq> Window<S> {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            waiting: VecDeque::new(),
            places: usize::from(limits.window),
            answer: limits.answer,
            tries: limits.tries,
        }
    }

    pub(super) fn free(&self) -> usize {
        self.places.saturating_sub(self.waiting.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn sequences(&self) -> impl Iterator<Item = S> {
        self.waiting.iter().map(|waiting| waiting.sequence)
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.front()?.deadline
    }

    /// A request that has just gone out for the first time.
    pub(super) fn push(&mut self, sequence: S, bytes: &[u8], now: Instant) {
        self.waiting.push_back(Waiting {
            sequence,
            bytes: bytes.to_vec(),
            first_sent: now,
            deadline: after(now, self.answer),
            tries: 1,
        });
    }

    /// Forgets the request and says when it went out for the first time, and how often; `None` if there is none.
    pub(super) fn take(&mut self, sequence: S) -> Option<(Instant, u8)> {
        let place = self.waiting.iter().position(|waiting| waiting.sequence == sequence)?;
        self.waiting.remove(place).map(|waiting| (waiting.first_sent, waiting.tries))
    }

    /// One request whose deadline is over.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Expired<'_, S>> {
        self.next().filter(|&deadline| deadline <= now)?;
        let mut waiting = self.waiting.pop_front()?;
        if waiting.tries >= self.tries {
            return Some(Expired::GivenUp { sequence: waiting.sequence });
        }
        waiting.tries += 1;
        waiting.deadline = after(now, self.answer);
        self.waiting.push_back(waiting);
        let Waiting { sequence, tries, bytes, .. } = self.waiting.back()?;
        Some(Expired::Again { sequence: *sequence, tries: *tries, bytes })
    }
}
