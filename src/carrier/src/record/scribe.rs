//! Numbers the messages, and joins the parts of long ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::text::coding::decode;
use domain::text::header::{self, Headed};
use domain::text::{Coding, Joined, Joiner, PartHeader, Reference};
use wire::text::Text;

use super::entry::{Entry, Message};

/// The account, the source, the destination.
type Talk = (Arc<str>, Text<21>, Text<21>);

pub(super) struct Scribe {
    last: u64,
    joiner: Joiner<Talk, u64>,
}

/// Long messages that wait for parts, and how long they wait.
const INCOMPLETE: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(3600);

impl Scribe {
    /// `last`: the number of the last message so far.
    pub(super) fn new(last: u64) -> Self {
        Self { last, joiner: Joiner::new(INCOMPLETE, PATIENCE) }
    }

    pub(super) fn message(&mut self, entry: Entry) -> Message {
        self.last += 1;
        let whole = Headed { part: None, content: &entry.content };
        let headed = if entry.header { header::read(&entry.content) } else { whole };
        let text = if entry.code == 0 { self.text(&entry, &headed) } else { None };
        Message {
            n: self.last,
            at: entry.at.0,
            account: entry.account.as_ref().to_owned(),
            connection: entry.connection,
            message_id: entry.message_id.map(|id| id.to_string()),
            source: entry.source.to_text().into_owned(),
            destination: entry.destination.to_text().into_owned(),
            coding: entry.coding,
            reference: headed.part.map(|part| match part.reference() {
                Reference::Eight(reference) => reference.into(),
                Reference::Sixteen(reference) => reference,
            }),
            part: headed.part.map_or(entry.part, |part| part.part()),
            parts: headed.part.map_or(entry.parts, |part| part.parts()),
            text,
            content: decode(&entry.content, Coding::Binary),
            valid_until: entry.valid_until.to_text().into_owned(),
            priority: entry.priority,
            report_wanted: entry.report_wanted,
            code: entry.code,
            answered: entry.answered,
            report: entry.report.to_string(),
            duplicates: entry.duplicates,
            sequence: entry.sequence,
        }
    }

    /// Gives up what has waited too long for its parts.
    pub(super) fn forget_old(&mut self) {
        let given_up = self.joiner.expired(Instant::now()).len();
        if given_up > 0 {
            tracing::debug!(messages = given_up, "long messages stay without some of their parts");
        }
    }

    fn text(&mut self, entry: &Entry, headed: &Headed<'_>) -> Option<String> {
        let coding = Coding::from_number(entry.coding);
        match headed.part {
            None => Some(decode(headed.content, coding)),
            Some(part) => self.join(entry, part, coding, headed.content),
        }
    }

    fn join(&mut self, entry: &Entry, part: PartHeader, coding: Coding, content: &[u8]) -> Option<String> {
        let talk = (Arc::clone(&entry.account), entry.source, entry.destination);
        match self.joiner.add(talk, part, coding, content, self.last, Instant::now()) {
            Joined::Whole { text, .. } => Some(text.0),
            Joined::Waiting | Joined::Duplicate => None,
        }
    }
}
