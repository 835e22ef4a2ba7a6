//! The peer's requests: those without an answer yet, and the last answered ones, so that a repeat gets the same
//! answer and is not acted upon twice.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};

pub(super) struct Inbound<S> {
    known: BTreeMap<S, Known>,
    /// Those with an answer, the oldest first; at most `places`.
    answered: VecDeque<S>,
    /// Those that will never have one, the oldest first; at most [`IGNORED`].
    ignored: VecDeque<S>,
    places: usize,
}

/// How many requests that stay without an answer are remembered, so that their repeats stay without one too.
const IGNORED: usize = 1024;

struct Known {
    content: u64,
    answer: Option<Vec<u8>>,
}

/// What a request of the peer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen<'a> {
    New,
    /// The same sequence and content as before; with the answer, if it has one.
    Repeat(Option<&'a [u8]>),
    /// The sequence of a known request, with other content.
    Reused,
    /// One more than the peer may have unanswered.
    Excess,
}

impl<S: Copy + Ord> Inbound<S> {
    pub(super) fn new(places: u16) -> Self {
        let (answered, ignored) = (VecDeque::new(), VecDeque::new());
        Self { known: BTreeMap::new(), answered, ignored, places: usize::from(places) }
    }

    /// No request is without an answer.
    pub(super) fn is_settled(&self) -> bool {
        self.unanswered() == 0
    }

    /// Keeps the request if it is new. `content`: see [`content`].
    pub(super) fn take(&mut self, sequence: S, content: u64) -> Seen<'_> {
        let full = self.unanswered() >= self.places;
        match self.known.entry(sequence) {
            Entry::Vacant(_) if full => Seen::Excess,
            Entry::Vacant(place) => {
                place.insert(Known { content, answer: None });
                Seen::New
            }
            Entry::Occupied(place) => {
                let known = place.into_mut();
                if known.content == content { Seen::Repeat(known.answer.as_deref()) } else { Seen::Reused }
            }
        }
    }

    pub(super) fn is_unanswered(&self, sequence: S) -> bool {
        self.known.get(&sequence).is_some_and(|known| known.answer.is_none())
    }

    /// The answer that has just gone out to an unanswered request.
    pub(super) fn answered(&mut self, sequence: S, bytes: &[u8]) {
        let mut answer = self.forget_oldest().unwrap_or_default();
        answer.clear();
        answer.extend_from_slice(bytes);
        if let Some(known) = self.known.get_mut(&sequence) {
            known.answer = Some(answer);
            self.answered.push_back(sequence);
        }
    }

    /// An unanswered request will have no answer: it takes no place any more, and its repeats are dropped.
    pub(super) fn ignore(&mut self, sequence: S) {
        let Some(known) = self.known.get_mut(&sequence).filter(|known| known.answer.is_none()) else {
            return;
        };
        // what a repeat gets
        known.answer = Some(Vec::new());
        if self.ignored.len() >= IGNORED
            && let Some(oldest) = self.ignored.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.ignored.push_back(sequence);
    }

    fn unanswered(&self) -> usize {
        self.known.len().saturating_sub(self.answered.len() + self.ignored.len())
    }

    /// Makes room for one more with an answer; returns the memory that the oldest had.
    fn forget_oldest(&mut self) -> Option<Vec<u8>> {
        if self.answered.len() < self.places {
            return None;
        }
        let oldest = self.answered.pop_front()?;
        self.known.remove(&oldest)?.answer
    }
}

/// A short form of a frame, to tell a repeat from another request. A peer that makes two requests look alike
/// deceives only itself.
pub(super) fn content(frame: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(frame);
    hasher.finish()
}
