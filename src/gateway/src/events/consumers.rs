//! Who reads events, and up to where.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use store::spool::Consumer;
use thiserror::Error;

use super::LONGEST_WAIT;
use crate::config;

/// A consumer that read within this time is there: twice the longest time between two questions.
const THERE: Duration = LONGEST_WAIT.saturating_mul(2);
/// Consumers at a time.
const MOST: usize = 64;

/// The consumers of events. Each event goes to all of them; it is kept until all have acknowledged it. Whoever
/// acknowledges is not forgotten by that: so what is deleted was acknowledged by somebody.
#[derive(Debug)]
pub struct Consumers {
    seen: BTreeMap<String, Seen>,
    limits: config::Consumers,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    acknowledged: i64,
    last: Instant,
}

/// What an acknowledgement did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    pub changed: Changed,
    /// Others that are not waited for any more.
    pub forgotten: Vec<Forgotten>,
}

/// What became of whoever acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    Nothing,
    Mark,
    /// There is a consumer more.
    Joined,
}

/// A consumer that was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    pub name: String,
    pub why: Why,
}

/// Why one is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was not there for too long.
    Gone,
    /// It lacks too many events.
    Behind,
}

/// There are as many consumers as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "there are {MOST} consumers already; use one name for each reader, always the same. One that is gone is forgotten \
     after {} s",
    forget.as_secs()
)]
pub struct TooMany {
    forget: Duration,
}

impl Why {
    /// A metric label.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Behind => "behind",
        }
    }
}

impl Consumers {
    /// Those of the last run; each counts as seen now.
    #[must_use]
    pub fn new(known: Vec<Consumer>, limits: config::Consumers, now: Instant) -> Self {
        let seen = |Consumer { name, acknowledged }| (name, Seen { acknowledged, last: now });
        Self { seen: known.into_iter().map(seen).collect(), limits }
    }

    /// `name` has everything up to `acknowledged`, of `last_event` events; whoever is gone is forgotten.
    ///
    /// # Errors
    /// There are too many already.
    pub fn acknowledge(
        &mut self,
        name: &str,
        acknowledged: i64,
        last_event: i64,
        now: Instant,
    ) -> Result<Acknowledged, TooMany> {
        if !self.seen.contains_key(name) && self.count_without_gone(now) >= MOST {
            return Err(TooMany { forget: self.limits.forget });
        }
        let mark = Seen { acknowledged, last: now };
        let changed = match self.seen.insert(name.to_owned(), mark) {
            None => Changed::Joined,
            Some(before) if before.acknowledged != acknowledged => Changed::Mark,
            Some(_) => Changed::Nothing,
        };
        Ok(Acknowledged { changed, forgotten: self.forget_others(name, last_event, now) })
    }

    /// Up to where `name` has acknowledged.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<i64> {
        self.seen.get(name).map(|seen| seen.acknowledged)
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

    /// Each one, up to where it has acknowledged, and whether it is there.
    pub fn each(&self, now: Instant) -> impl Iterator<Item = (&str, i64, bool)> {
        self.seen.iter().map(move |(name, seen)| {
            (name.as_str(), seen.acknowledged, now.saturating_duration_since(seen.last) < THERE)
        })
    }

    fn count_without_gone(&self, now: Instant) -> usize {
        self.seen.values().filter(|seen| !self.is_gone(seen, now)).count()
    }

    fn forget_others(&mut self, name: &str, last_event: i64, now: Instant) -> Vec<Forgotten> {
        let why = |seen: &Seen| {
            if self.is_gone(seen, now) {
                return Some(Why::Gone);
            }
            let lacks = u64::try_from(last_event - seen.acknowledged).unwrap_or(0);
            (lacks > u64::from(self.limits.most_events)).then_some(Why::Behind)
        };
        let others = self.seen.iter().filter(|(other, _)| *other != name);
        let forgotten: Vec<Forgotten> = others
            .filter_map(|(name, seen)| Some(Forgotten { name: name.clone(), why: why(seen)? }))
            .collect();
        for Forgotten { name, .. } in &forgotten {
            self.seen.remove(name);
        }
        forgotten
    }

    fn is_gone(&self, seen: &Seen, now: Instant) -> bool {
        now.saturating_duration_since(seen.last) >= self.limits.forget
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORGET: Duration = Duration::from_secs(3600);
    const MOST_EVENTS: u32 = 100;

    fn consumer(name: &str, acknowledged: i64) -> Consumer {
        Consumer { name: name.to_owned(), acknowledged }
    }

    fn consumers(known: Vec<Consumer>, now: Instant) -> Consumers {
        Consumers::new(known, config::Consumers { forget: FORGET, most_events: MOST_EVENTS }, now)
    }

    fn changed(changed: Changed) -> Result<Acknowledged, TooMany> {
        Ok(Acknowledged { changed, forgotten: Vec::new() })
    }

    fn forgot(name: &str, why: Why) -> Vec<Forgotten> {
        vec![Forgotten { name: name.to_owned(), why }]
    }

    #[test]
    fn what_changes_is_said_and_what_does_not_is_not() {
        let start = Instant::now();
        let mut consumers = consumers(vec![consumer("a", 3)], start);
        assert_eq!(consumers.acknowledge("a", 3, 9, start), changed(Changed::Nothing));
        assert_eq!(consumers.acknowledge("b", 0, 9, start), changed(Changed::Joined));
        assert_eq!(consumers.acknowledge("b", 7, 9, start), changed(Changed::Mark));
        assert_eq!(consumers.all(), [consumer("a", 3), consumer("b", 7)]);
        assert_eq!((consumers.position("b"), consumers.position("c")), (Some(7), None));
    }

    #[test]
    fn one_that_is_gone_is_waited_for_as_long_as_the_file_says() {
        let start = Instant::now();
        let mut consumers = consumers(vec![consumer("a", 9), consumer("b", 0)], start);
        let nearly = start + FORGET - Duration::from_secs(1);
        assert_eq!(consumers.acknowledge("a", 9, 9, nearly), changed(Changed::Nothing));
        let there: Vec<_> = consumers.each(nearly).collect();
        assert_eq!(there, [("a", 9, true), ("b", 0, false)]);
        let forgotten = consumers.acknowledge("a", 9, 9, start + FORGET).unwrap().forgotten;
        assert_eq!(forgotten, forgot("b", Why::Gone));
        assert_eq!(consumers.all(), [consumer("a", 9)]);
    }

    #[test]
    fn one_that_lacks_too_many_events_is_forgotten_by_one_that_has_them() {
        let start = Instant::now();
        let mut consumers = consumers(vec![consumer("a", 0), consumer("b", 0)], start);
        assert_eq!(consumers.acknowledge("a", 100, 100, start), changed(Changed::Mark));
        let forgotten = consumers.acknowledge("a", 101, 101, start).unwrap().forgotten;
        assert_eq!(forgotten, forgot("b", Why::Behind));
        // the last one is waited for, however much it lacks
        assert_eq!(consumers.acknowledge("a", 101, 1_000_000, start), changed(Changed::Nothing));
        assert_eq!(consumers.all(), [consumer("a", 101)]);
    }

    #[test]
    fn one_that_was_answered_after_a_long_wait_is_there() {
        let start = Instant::now();
        let mut consumers = consumers(vec![consumer("a", 0), consumer("b", 0)], start);
        consumers.seen("b", start + LONGEST_WAIT);
        consumers.acknowledge("a", 9, 9, start + FORGET).unwrap();
        assert_eq!(consumers.all().len(), 2);
    }

    #[test]
    fn there_are_so_many_and_no_more_until_one_is_gone() {
        let start = Instant::now();
        let known = (0..MOST).map(|number| consumer(&number.to_string(), 1)).collect();
        let mut consumers = consumers(known, start);
        assert_eq!(consumers.acknowledge("more", 1, 2, start), Err(TooMany { forget: FORGET }));
        assert_eq!(consumers.acknowledge("7", 2, 2, start), changed(Changed::Mark));
        assert_eq!(consumers.all().len(), MOST);
        assert_eq!(consumers.acknowledge("more", 1, 2, start + FORGET).unwrap().changed, Changed::Joined);
    }
}
