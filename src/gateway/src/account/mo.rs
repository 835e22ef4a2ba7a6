//! Users' messages: decoded, and joined where they come in parts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use domain::text::{Coding, Headed, Joined, Joiner, PartHeader, Reference, decode, header};
use domain::{Account, Happened, MessageText, Party};
use serde::{Deserialize, Serialize};
use store::spool::{Change, Fragment};
use wire::exchange::{MessageId, Mo};

use crate::clock::Now;

/// Users' messages of which parts are missing, at most.
const MOST: usize = 10_000;

/// Collects the parts of users' long messages of one account; each waits in the spool as well.
#[derive(Debug)]
pub struct Mos {
    account: Account,
    joiner: Joiner<Between, MessageId>,
    rows: BTreeMap<MessageId, i64>,
    next_row: Arc<AtomicI64>,
}

/// Who wrote to whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Between {
    from: Party,
    to: Party,
}

/// What the spool keeps in a fragment's key.
#[derive(Serialize, Deserialize)]
struct FragmentKey {
    #[serde(flatten)]
    between: Between,
    id: String,
    reference: u16,
    /// Whether the reference has 16 bits.
    wide: bool,
}

/// What came of a user's message.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// It is whole: to be told, and its parts' rows are of no use any more.
    Whole {
        happened: Happened,
        gone: Vec<i64>,
    },
    /// It waits in the spool for the other parts.
    Part(Change),
    Repeated,
}

impl Mos {
    /// Parts that wait longer than `wait` are told one by one. `next_row` numbers the rows of all accounts.
    #[must_use]
    pub fn new(account: Account, wait: Duration, next_row: Arc<AtomicI64>) -> Self {
        Self { account, joiner: Joiner::new(MOST, wait), rows: BTreeMap::new(), next_row }
    }

    /// A part that the last run left. `false` if it cannot be understood.
    pub fn recover(&mut self, fragment: &Fragment, now: Instant) -> bool {
        let Ok(key) = serde_json::from_str::<FragmentKey>(&fragment.key) else { return false };
        let reference = match u8::try_from(key.reference) {
            Ok(narrow) if !key.wide => Reference::Eight(narrow),
            _ => Reference::Sixteen(key.reference),
        };
        let header = PartHeader::new(reference, fragment.part, fragment.parts);
        let (Some(header), Ok(id)) = (header, key.id.parse::<MessageId>()) else { return false };
        self.rows.insert(id, fragment.id);
        let coding = Coding::from_number(fragment.coding);
        self.joiner.add(key.between, header, coding, &fragment.content, id, now);
        true
    }

    /// A message has come.
    pub fn receive(&mut self, mo: &Mo, now: Now) -> Received {
        let between = Between {
            from: Party::national(&mo.source.to_text()),
            to: Party(mo.destination.to_text().into_owned()),
        };
        let coding = Coding::from_number(mo.coding);
        let plain = Headed { part: None, content: &mo.content };
        let headed = if mo.header { header::read(&mo.content) } else { plain };
        let Some(part) = headed.part else {
            return Received::Whole {
                happened: told(mo.id, between, MessageText(decode(headed.content, coding))),
                gone: Vec::new(),
            };
        };
        match self.joiner.add(between.clone(), part, coding, headed.content, mo.id, now.instant) {
            Joined::Duplicate => Received::Repeated,
            Joined::Waiting => {
                Received::Part(Change::Fragment(self.fragment(mo, between, part, headed.content, now)))
            }
            Joined::Whole { text, ids } => {
                let gone = ids.iter().filter_map(|id| self.rows.remove(id)).collect();
                let first = ids.first().copied().unwrap_or(mo.id);
                Received::Whole { happened: told(first, between, text), gone }
            }
        }
    }

    /// The messages whose other parts did not come in time: what is to be told, and the rows that may go.
    pub fn expired(&mut self, now: Instant) -> Vec<(Happened, Option<i64>)> {
        let mut told = Vec::new();
        for incomplete in self.joiner.expired(now) {
            for present in incomplete.present {
                let happened = Happened::MoIncomplete {
                    id: present.id.to_string(),
                    from: incomplete.key.from.clone(),
                    to: incomplete.key.to.clone(),
                    part: present.part,
                    parts: incomplete.parts,
                    text: present.text,
                };
                told.push((happened, self.rows.remove(&present.id)));
            }
        }
        told
    }

    /// When [`Mos::expired`] will have something.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.joiner.next_deadline()
    }

    fn fragment(
        &mut self,
        mo: &Mo,
        between: Between,
        part: PartHeader,
        content: &[u8],
        now: Now,
    ) -> Fragment {
        let row = self.next_row.fetch_add(1, Ordering::Relaxed);
        self.rows.insert(mo.id, row);
        let (reference, wide) = match part.reference() {
            Reference::Eight(narrow) => (u16::from(narrow), false),
            Reference::Sixteen(reference) => (reference, true),
        };
        let key = FragmentKey { between, id: mo.id.to_string(), reference, wide };
        Fragment {
            id: row,
            account: self.account.clone(),
            key: serde_json::to_string(&key).unwrap_or_default(),
            part: part.part(),
            parts: part.parts(),
            coding: mo.coding,
            content: content.to_vec(),
            at: now.millis,
        }
    }
}

fn told(id: MessageId, between: Between, text: MessageText) -> Happened {
    Happened::Mo { id: id.to_string(), from: between.from, to: between.to, text }
}

#[cfg(test)]
mod tests {
    use domain::{Millis, Stamp};

    use super::*;

    fn now() -> Now {
        Now { instant: Instant::now(), stamp: Stamp::default(), millis: Millis(1) }
    }

    fn mos() -> Mos {
        Mos::new("cm".parse().unwrap(), Duration::from_secs(60), Arc::new(AtomicI64::new(5)))
    }

    fn mo(id: u8, header: bool, content: &[u8]) -> Mo {
        Mo {
            id: MessageId::new([id; 8]),
            source: "8613800138000".parse().unwrap(),
            destination: "10690000011".parse().unwrap(),
            coding: 0,
            header,
            content: content.to_vec(),
            link_id: Default::default(),
        }
    }

    fn text(received: &Received) -> Option<&str> {
        match received {
            Received::Whole { happened: Happened::Mo { text, .. }, .. } => Some(&text.0),
            _ => None,
        }
    }

    #[test]
    fn a_short_message_is_whole_at_once() {
        assert_eq!(text(&mos().receive(&mo(1, false, b"TD"), now())), Some("TD"));
    }

    #[test]
    fn parts_wait_in_the_spool_and_leave_it_when_the_last_has_come() {
        let mut mos = mos();
        let second = mos.receive(&mo(2, true, b"\x05\x00\x03\x07\x02\x02lo"), now());
        let Received::Part(Change::Fragment(fragment)) = &second else { panic!("{second:?}") };
        assert_eq!((fragment.id, fragment.part, fragment.parts), (5, 2, 2));
        assert_eq!(mos.receive(&mo(2, true, b"\x05\x00\x03\x07\x02\x02lo"), now()), Received::Repeated);

        // a restart between the parts
        let mut restarted = self::mos();
        assert!(restarted.recover(fragment, Instant::now()));
        for mos in [&mut mos, &mut restarted] {
            let whole = mos.receive(&mo(1, true, b"\x05\x00\x03\x07\x02\x01hel"), now());
            assert_eq!(text(&whole), Some("hello"));
            assert!(matches!(whole, Received::Whole { gone, .. } if gone == [5]));
        }
    }

    #[test]
    fn a_part_whose_others_do_not_come_is_told_by_itself() {
        let mut mos = mos();
        let now = now();
        mos.receive(&mo(2, true, b"\x05\x00\x03\x07\x02\x02lo"), now);
        assert_eq!(mos.expired(now.instant), []);
        let due = mos.deadline().unwrap();
        let told = mos.expired(due);
        assert!(
            matches!(&told[..], [(Happened::MoIncomplete { part: 2, parts: 2, text, .. }, Some(5))] if text.0 == "lo")
        );
    }

    #[test]
    fn a_fragment_that_cannot_be_understood_is_said_to_be_so() {
        let mut mos = mos();
        let received = mos.receive(&mo(2, true, b"\x05\x00\x03\x07\x02\x02lo"), now());
        let Received::Part(Change::Fragment(mut fragment)) = received else { panic!("{received:?}") };
        fragment.key = "{}".to_owned();
        assert!(!mos.recover(&fragment, Instant::now()));
    }
}
