//! Who reads events, and up to where.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use store::spool::Consumer;

use super::LONGEST_WAIT;

/// A consumer that was not seen for so long is not waited for: twice the longest time between two questions of one that
/// is there.
const GONE: Duration = LONGEST_WAIT.saturating_mul(2);
/// Consumers at a time.
const MOST: usize = 64;

/// The consumers of events. Each event goes to all of them; it is kept until all that are there have acknowledged it.
#[derive(Debug)]
pub struct Consumers {
    seen: BTreeMap<String, Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    acknowledged: i64,
    last: Instant,
}

/// What an acknowledgement changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Nothing,
    Marks,
    /// There is a consumer more.
    Joined,
}

/// There are as many consumers as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there are {MOST} consumers already; use one name for each reader, always the same, and wait {} s until one \
             that is gone is forgotten",
            GONE.as_secs()
        )
    }
}

impl Consumers {
    /// Those of the last run; each counts as seen now.
    #[must_use]
    pub fn new(known: Vec<Consumer>, now: Instant) -> Self {
        let seen = |Consumer { name, acknowledged }| (name, Seen { acknowledged, last: now });
        Self { seen: known.into_iter().map(seen).collect() }
    }

    /// `name` has everything up to `acknowledged`; whoever is gone is forgotten.
    ///
    /// # Errors
    /// There are too many already.
    pub fn acknowledge(&mut self, name: &str, acknowledged: i64, now: Instant) -> Result<Changed, TooMany> {
        let count = self.seen.len();
        self.seen.retain(|other, seen| other == name || now.saturating_duration_since(seen.last) < GONE);
        let left = self.seen.len() < count;
        let mark = Seen { acknowledged, last: now };
        if let Some(seen) = self.seen.get_mut(name) {
            let before = std::mem::replace(seen, mark).acknowledged;
            return Ok(if left || before != acknowledged { Changed::Marks } else { Changed::Nothing });
        }
        if self.seen.len() >= MOST {
            return Err(TooMany);
        }
        self.seen.insert(name.to_owned(), mark);
        Ok(Changed::Joined)
    }

    /// `name` was there until now.
    pub fn seen(&mut self, name: &str, now: Instant) {
        if let Some(seen) = self.seen.get_mut(name) {
            seen.last = now;
        }
    }

    pub fn forget(&mut self, name: &str) {
        self.seen.remove(name);
    }

    /// All of them, for the spool.
    #[must_use]
    pub fn all(&self) -> Vec<Consumer> {
        let consumer =
            |(name, seen): (&String, &Seen)| Consumer { name: name.clone(), acknowledged: seen.acknowledged };
        self.seen.iter().map(consumer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consumer(name: &str, acknowledged: i64) -> Consumer {
        Consumer { name: name.to_owned(), acknowledged }
    }

    #[test]
    fn what_changes_is_said_and_what_does_not_is_not() {
        let start = Instant::now();
        let mut consumers = Consumers::new(vec![consumer("a", 3)], start);
        assert_eq!(consumers.acknowledge("a", 3, start), Ok(Changed::Nothing));
        assert_eq!(consumers.acknowledge("b", 0, start), Ok(Changed::Joined));
        assert_eq!(consumers.acknowledge("b", 7, start), Ok(Changed::Marks));
        assert_eq!(consumers.all(), [consumer("a", 3), consumer("b", 7)]);
    }

    #[test]
    fn one_that_is_gone_is_not_waited_for() {
        let start = Instant::now();
        let mut consumers = Consumers::new(vec![consumer("a", 9), consumer("b", 0)], start);
        assert_eq!(consumers.acknowledge("a", 9, start + GONE / 2), Ok(Changed::Nothing));
        assert_eq!(consumers.acknowledge("a", 9, start + GONE), Ok(Changed::Marks));
        assert_eq!(consumers.all(), [consumer("a", 9)]);
    }

    #[test]
    fn one_that_was_answered_after_a_long_wait_is_there() {
        let start = Instant::now();
        let mut consumers = Consumers::new(vec![consumer("a", 0), consumer("b", 0)], start);
        consumers.seen("b", start + LONGEST_WAIT);
        consumers.acknowledge("a", 9, start + GONE).unwrap();
        assert_eq!(consumers.all().len(), 2);
    }

    #[test]
    fn there_are_so_many_and_no_more_until_one_is_gone() {
        let start = Instant::now();
        let known = (0..MOST).map(|number| consumer(&number.to_string(), 1)).collect();
        let mut consumers = Consumers::new(known, start);
        assert_eq!(consumers.acknowledge("more", 1, start), Err(TooMany));
        assert_eq!(consumers.acknowledge("7", 2, start), Ok(Changed::Marks));
        assert_eq!(consumers.all().len(), MOST);
        assert_eq!(consumers.acknowledge("more", 1, start + GONE), Ok(Changed::Joined));
    }
}
