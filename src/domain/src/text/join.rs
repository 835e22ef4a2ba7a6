//! The parts of long messages, collected until they are whole.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use super::coding::decode;
use super::{Coding, PartHeader, Reference};
use crate::MessageText;

/// Collects parts. `K` says who sends to whom; `I` is a part's own id, by which one that comes twice is known.
pub struct Joiner<K, I> {
    most: usize,
    timeout: Duration,
    messages: BTreeMap<Key<K>, Message<I>>,
    /// The keys of `messages`, the oldest first.
    ages: BTreeMap<u64, Key<K>>,
    next_age: u64,
    seen: Seen<K, I>,
    given_up: Vec<(Instant, Incomplete<K, I>)>,
}

/// What came of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined<I> {
    /// It was the last; here is the message.
    Whole {
        text: MessageText,
        /// Of all parts, in their order.
        ids: Vec<I>,
    },
    /// Others are to come.
    Waiting,
    /// It was here before.
    Duplicate,
}

/// A message of which parts did not come in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete<K, I> {
    pub key: K,
    /// How many it should have had.
    pub parts: u8,
    /// What there is of it, in order.
    pub present: Vec<PresentPart<I>>,
}

/// A part of a message that did not become whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentPart<I> {
    /// From 1.
    pub part: u8,
    pub id: I,
    pub text: MessageText,
}

type Key<K> = (K, Reference, u8);

struct Message<I> {
    started: Instant,
    age: u64,
    /// By number.
    parts: BTreeMap<u8, Part<I>>,
}

struct Part<I> {
    id: I,
    coding: Coding,
    content: Vec<u8>,
}

impl<K: Ord + Clone, I: Ord + Clone> Joiner<K, I> {
    /// Keeps at most `most` incomplete messages (0 is taken as 1), each for at most `timeout` after its first part.
    #[must_use]
    pub fn new(most: usize, timeout: Duration) -> Self {
        let most = most.max(1);
        Self {
            most,
            timeout,
            messages: BTreeMap::new(),
            ages: BTreeMap::new(),
            next_age: 0,
            seen: Seen { most: most.saturating_mul(4), ids: BTreeSet::new(), order: VecDeque::new() },
            given_up: Vec::new(),
        }
    }

    /// A part has come; `content` is what follows its header. The bytes of all parts are decoded together, for a sender
    /// may have cut a character.
    ///
    /// A part with the id of one of the last (four times as many as messages), even of a message that is whole, is a
    /// duplicate; so is one with the same number and content. With the same number and other content it begins a new
    /// message under the old reference, and the old message is given up, as is the oldest of all when there are too
    /// many: [`Joiner::expired`] has them, and is to be called when [`Joiner::next_deadline`] says so.
    pub fn add(
        &mut self,
        key: K,
        header: PartHeader,
        coding: Coding,
        content: &[u8],
        id: I,
        now: Instant,
    ) -> Joined<I> {
        if !self.seen.insert(key.clone(), id.clone()) {
            return Joined::Duplicate;
        }
        let key = (key, header.reference(), header.parts());
        let number = header.part();
        let earlier = self.messages.get(&key).and_then(|message| message.parts.get(&number));
        if let Some(earlier) = earlier {
            if earlier.coding == coding && earlier.content == content {
                return Joined::Duplicate;
            }
            self.give_up(&key, now);
        }
        self.open(&key, now);
        let Some(message) = self.messages.get_mut(&key) else {
            return Joined::Waiting;
        };
        message.parts.insert(number, Part { id, coding, content: content.to_vec() });
        if message.parts.len() < usize::from(header.parts()) {
            return Joined::Waiting;
        }
        let parts: Vec<Part<I>> = self.remove(&key).into_iter().flat_map(Message::into_parts).collect();
        Joined::Whole { text: text(&parts), ids: parts.into_iter().map(|part| part.id).collect() }
    }

    /// The messages that are given up by now.
    pub fn expired(&mut self, now: Instant) -> Vec<Incomplete<K, I>> {
        while let Some((key, started)) = self.oldest() {
            if now.saturating_duration_since(started) < self.timeout {
                break;
            }
            self.give_up(&key, now);
        }
        self.given_up.drain(..).map(|(_, incomplete)| incomplete).collect()
    }

    /// When [`Joiner::expired`] will have something.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        match self.given_up.first() {
            Some((at, _)) => Some(*at),
            None => self.oldest()?.1.checked_add(self.timeout),
        }
    }

    /// How many messages are incomplete.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Makes sure that there is a message with this key, and not too many.
    fn open(&mut self, key: &Key<K>, now: Instant) {
        if self.messages.contains_key(key) {
            return;
        }
        while self.messages.len() >= self.most
            && let Some((oldest, _)) = self.oldest()
        {
            self.give_up(&oldest, now);
        }
        let age = self.next_age;
        self.next_age += 1;
        self.ages.insert(age, key.clone());
        self.messages.insert(key.clone(), Message { started: now, age, parts: BTreeMap::new() });
    }

    fn oldest(&self) -> Option<(Key<K>, Instant)> {
        let (_, key) = self.ages.first_key_value()?;
        Some((key.clone(), self.messages.get(key)?.started))
    }

    fn give_up(&mut self, key: &Key<K>, now: Instant) {
        if let Some(message) = self.remove(key) {
            self.given_up.push((now, message.into_incomplete(key)));
        }
    }

    fn remove(&mut self, key: &Key<K>) -> Option<Message<I>> {
        let message = self.messages.remove(key)?;
        self.ages.remove(&message.age);
        Some(message)
    }
}

/// Keys and contents are personal data.
impl<K, I> fmt::Debug for Joiner<K, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} incomplete messages", self.messages.len())
    }
}

impl<I> Message<I> {
    fn into_parts(self) -> impl Iterator<Item = Part<I>> {
        self.parts.into_values()
    }

    fn into_incomplete<K: Clone>(self, (key, _, parts): &Key<K>) -> Incomplete<K, I> {
        let present = self.parts.into_iter().map(|(number, part)| {
            let text = MessageText(decode(&part.content, part.coding));
            PresentPart { part: number, id: part.id, text }
        });
        Incomplete { key: key.clone(), parts: *parts, present: present.collect() }
    }
}

/// Decodes neighbours of one coding together.
fn text<I>(parts: &[Part<I>]) -> MessageText {
    let runs = parts.chunk_by(|one, next| one.coding == next.coding);
    let texts = runs.map(|run| {
        let bytes: Vec<u8> = run.iter().flat_map(|part| part.content.iter().copied()).collect();
        decode(&bytes, run[0].coding)
    });
    MessageText(texts.collect())
}

/// The ids of the last parts.
struct Seen<K, I> {
    most: usize,
    ids: BTreeSet<(K, I)>,
    order: VecDeque<(K, I)>,
}

impl<K: Ord + Clone, I: Ord + Clone> Seen<K, I> {
    /// Whether it is new.
    fn insert(&mut self, key: K, id: I) -> bool {
        let entry = (key, id);
        if !self.ids.insert(entry.clone()) {
            return false;
        }
        self.order.push_back(entry);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests;
