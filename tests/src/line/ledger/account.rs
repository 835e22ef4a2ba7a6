//! The comparison.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{Attempt, Outcome};
use domain::{Happened, Submission};

use crate::line::control::Recorded;
use crate::line::protocol::ACCESS_NUMBER;
use crate::line::uplink::Told;

/// What is in the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Messages taken.
    pub messages: usize,
    /// Of them, those accepted and those that nobody knows about.
    pub accepted: usize,
    pub uncertain: usize,
    /// Parts that the carrier has, each once.
    pub parts: usize,
    /// Copies of them beyond the first, under a sequence of their own.
    pub duplicates: usize,
    /// Copies under the sequence of an earlier one: the same request once more, for want of an answer.
    pub repeats: usize,
    /// Pushes that may have made a duplicate, as the events tell.
    pub uncertain_pushes: usize,
    /// Different reports that have come up.
    pub reports: usize,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The numbers of the events do not grow.
    Order,
    /// It was taken, and no event says how it ended.
    Unfinished,
    /// Several do.
    FinishedTwice,
    /// It did not end as it should.
    Ended,
    /// It was never handed in.
    Unknown,
    /// It was accepted, and the carrier does not have all of its parts.
    Missing,
    /// The carrier has another text.
    Text,
    /// It came from another number.
    Source,
    /// The carrier has a part under a sequence that no event tells.
    Untold,
    /// The carrier has more copies than the pushes explain.
    Duplicate,
    /// The carrier has gone through with a report, and none has come up.
    Unreported,
    /// A report, or an answer, has come up with another message.
    Mistaken,
}

pub(super) type Faults = BTreeMap<Fault, Vec<String>>;

/// The three books side by side.
pub(super) struct Account<'a> {
    sent: &'a BTreeMap<String, Submission>,
    taken: &'a BTreeSet<String>,
    marked: &'a BTreeSet<String>,
    faults: Faults,
    balance: Balance,
}

/// What the events say about one message.
#[derive(Default)]
struct Story<'a> {
    outcomes: Vec<&'a Outcome>,
    /// By part: the sequences, and how many pushes may have made a duplicate.
    pushed: BTreeMap<u8, (BTreeSet<&'a str>, usize)>,
    parts: u8,
    /// The carrier's ids.
    answered: BTreeSet<&'a str>,
}

/// The ids of messages that the carrier sends a report about.
pub(super) fn reports_due(record: &[Recorded]) -> impl Iterator<Item = &String> {
    record
        .iter()
        .filter(|message| message.code == 0 && !matches!(message.report.as_str(), "none" | "lost"))
        .filter_map(|message| message.message_id.as_ref())
}

impl<'a> Account<'a> {
    pub(super) fn new(
        sent: &'a BTreeMap<String, Submission>,
        taken: &'a BTreeSet<String>,
        marked: &'a BTreeSet<String>,
    ) -> Self {
        Self { sent, taken, marked, faults: Faults::new(), balance: Balance::default() }
    }

    pub(super) fn close(mut self, events: &[Told], record: &[Recorded]) -> (Balance, Faults) {
        let owners: BTreeMap<&str, &str> =
            self.sent.iter().map(|(id, submission)| (submission.to.digits(), id.as_str())).collect();
        let mut stories: BTreeMap<&str, Story<'_>> = BTreeMap::new();
        let mut reported: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for pair in events.windows(2).filter(|pair| pair[0].id >= pair[1].id) {
            self.fault(Fault::Order, format!("{} before {}", pair[0].id, pair[1].id));
        }
        for told in events {
            read(&told.event.happened, &mut stories, &mut reported);
        }
        let mut received: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
        let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
        for message in record.iter().filter(|message| message.code == 0) {
            let Some(owner) = owners.get(message.number()) else {
                self.fault(Fault::Unknown, format!("number {} of the record", message.n));
                continue;
            };
            received.entry(owner).or_default().push(message);
            ids.extend(message.message_id.as_deref().map(|id| (id, *owner)));
        }
        for id in stories.keys().filter(|id| !self.sent.contains_key(**id)) {
            self.fault(Fault::Unknown, (*id).to_owned());
        }
        let nothing = Story::default();
        for (id, submission) in self.sent {
            let story = stories.get(id.as_str()).unwrap_or(&nothing);
            let copies = received.get(id.as_str()).map_or(&[][..], Vec::as_slice);
            self.ending(id, submission, story);
            self.content(id, submission, story, copies);
            self.copies(id, submission, story, copies);
            for answer in story.answered.iter().filter(|answer| ids.get(**answer) != Some(&id.as_str())) {
                self.fault(Fault::Mistaken, format!("{id} has an answer with id {answer}"));
            }
        }
        self.reports(record, &reported, &ids);
        self.balance.messages = self.taken.len();
        (self.balance, self.faults)
    }

    fn ending(&mut self, id: &str, submission: &Submission, story: &Story<'_>) {
        match story.outcomes[..] {
            [] if self.taken.contains(id) => self.fault(Fault::Unfinished, id.to_owned()),
            [] => {}
            [Outcome::Accepted] => self.balance.accepted += 1,
            [Outcome::Uncertain] if self.marked.contains(submission.class.as_str()) => {
                self.balance.uncertain += 1
            }
            [outcome] => self.fault(Fault::Ended, format!("{id}: {outcome:?}")),
            [..] => self.fault(Fault::FinishedTwice, format!("{id}: {:?}", story.outcomes)),
        }
    }

    fn content(&mut self, id: &str, submission: &Submission, story: &Story<'_>, copies: &[&Recorded]) {
        let whole: BTreeMap<u8, &Recorded> = copies.iter().map(|copy| (copy.part, *copy)).collect();
        for copy in copies.iter().filter(|copy| !copy.source.ends_with(ACCESS_NUMBER)) {
            self.fault(Fault::Source, format!("{id}: number {} of the record", copy.n));
        }
        if story.outcomes[..] != [&Outcome::Accepted] {
            return;
        }
        let numbers: Vec<u8> = whole.keys().copied().collect();
        if numbers != (1..=story.parts).collect::<Vec<u8>>() {
            return self.fault(Fault::Missing, format!("{id}: parts {numbers:?} of {}", story.parts));
        }
        let text: String = whole.values().map(|copy| copy.text()).collect();
        if text != submission.text.0 {
            self.fault(Fault::Text, id.to_owned());
        }
    }

    fn copies(&mut self, id: &str, submission: &Submission, story: &Story<'_>, copies: &[&Recorded]) {
        let mut parts: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
        for copy in copies {
            parts.entry(copy.part).or_default().push(&copy.sequence);
        }
        let marks = self.marked.contains(submission.class.as_str());
        for (part, sequences) in parts {
            let different: BTreeSet<&str> = sequences.iter().copied().collect();
            let none = (BTreeSet::new(), 0);
            let (told, uncertain) = story.pushed.get(&part).unwrap_or(&none);
            if !different.is_subset(told) {
                self.fault(Fault::Untold, format!("{id}: part {part}: {different:?}, told {told:?}"));
            }
            let more = different.len() - 1;
            if more > if marks { 0 } else { *uncertain } {
                let found = format!("{id}: {} copies of part {part}, {uncertain} uncertain pushes", more + 1);
                self.fault(Fault::Duplicate, found);
            }
            self.balance.parts += 1;
            self.balance.duplicates += more;
            self.balance.repeats += sequences.len() - different.len();
        }
        self.balance.uncertain_pushes += story.pushed.values().map(|(_, uncertain)| uncertain).sum::<usize>();
    }

    fn reports(
        &mut self,
        record: &[Recorded],
        reported: &BTreeMap<&str, Option<&str>>,
        ids: &BTreeMap<&str, &str>,
    ) {
        for id in reports_due(record).filter(|id| !reported.contains_key(id.as_str())) {
            self.fault(Fault::Unreported, id.clone());
        }
        for (id, named) in reported {
            let owner = ids.get(id);
            if owner.is_none() || named.is_some_and(|named| owner != Some(&named)) {
                self.fault(Fault::Mistaken, format!("a report about {id} with {named:?}, not {owner:?}"));
            }
        }
        self.balance.reports = reported.len();
    }

    fn fault(&mut self, fault: Fault, of: String) {
        self.faults.entry(fault).or_default().push(of);
    }
}

fn read<'a>(
    happened: &'a Happened,
    stories: &mut BTreeMap<&'a str, Story<'a>>,
    reported: &mut BTreeMap<&'a str, Option<&'a str>>,
) {
    match happened {
        Happened::Pushed { uaop_id, part, parts, push_sequence, attempt } => {
            let story = stories.entry(uaop_id.as_str()).or_default();
            story.parts = *parts;
            let (sequences, uncertain) = story.pushed.entry(*part).or_default();
            sequences.insert(push_sequence);
            *uncertain += usize::from(*attempt == Attempt::Uncertain);
        }
        Happened::Answered { uaop_id, resp_sequence, .. } => {
            let story = stories.entry(uaop_id.as_str()).or_default();
            story.answered.extend(resp_sequence.as_deref());
        }
        Happened::Finished { uaop_id, outcome } => {
            stories.entry(uaop_id.as_str()).or_default().outcomes.push(outcome);
        }
        Happened::Reported { resp_sequence, uaop_id, .. } => {
            let named = reported.entry(resp_sequence).or_default();
            *named = named.or(uaop_id.as_ref().map(domain::UaopId::as_str));
        }
        Happened::Mo { .. } | Happened::MoIncomplete { .. } | Happened::UserState { .. } => {}
        Happened::LinkUp { .. } | Happened::LinkDown { .. } => {}
    }
}
