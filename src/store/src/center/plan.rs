//! What facts do to the rows: from what is known to what is to be written.

use domain::event::Happened;
use domain::join::{About, Fact, Journey, about, answered};
use domain::{ForBank, Millis, Told, UaopId, UserMessage};
use jiff::tz::TimeZone;

use super::Joined;
use super::figures::Differences;
use super::known::{Before, Known, Marks, Message, Orphan, Response, response};
use super::row::{MessageRow, UserMessageRow, index_key, mo_key};
use crate::row::json;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Join {
        facts: Vec<Fact>,
        now: Millis,
    },
    /// Gives up on messages whose report is due since `before`.
    Overdue {
        before: Millis,
        now: Millis,
        most: usize,
    },
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub joined: Joined,
    pub marks: Marks,
    pub inserted: Vec<MessageRow>,
    pub updated: Vec<Update>,
    pub responses: Vec<(Response, i64, u8)>,
    /// New, or told anew.
    pub orphans: Vec<OrphanRow>,
    /// They have found their message.
    pub adopted: Vec<i64>,
    pub user_messages: Vec<UserMessageRow>,
    pub outbox: Vec<String>,
    pub figures: Differences,
}

#[derive(Debug)]
pub(super) struct Update {
    pub row: MessageRow,
    /// Its time, number or EMPI has changed.
    pub elsewhere: bool,
    /// Whether it is waited for has changed.
    pub due: bool,
}

#[derive(Debug)]
pub(super) struct OrphanRow {
    pub response: Response,
    pub report: String,
    pub at: Millis,
    pub told: String,
}

/// `known`: all that [`Needs`](super::known::Needs) names, as far as it is there.
pub(super) fn plan(work: &Work, known: Known, marks: Marks, zone: &TimeZone) -> Plan {
    let mut planner = Planner { known, plan: Plan { marks, ..Plan::default() } };
    let now = match work {
        Work::Join { facts, now } => {
            for fact in facts {
                planner.join(fact);
            }
            now
        }
        Work::Overdue { now, .. } => {
            for message in planner.known.messages.values_mut() {
                message.changed |= message.journey.give_up();
            }
            now
        }
    };
    planner.finish(*now, zone)
}

struct Planner {
    known: Known,
    plan: Plan,
}

impl Planner {
    fn join(&mut self, fact: &Fact) {
        let new = match fact {
            Fact::Copy(copy) => {
                let key = self.key(&copy.submission.uaop_id);
                self.change(key, |journey| journey.copied(copy))
            }
            Fact::Told(told) => match about(told) {
                Some(About::Message(id)) => {
                    let key = self.key(id);
                    self.told(key, told)
                }
                Some(About::Response(carrier, resp_sequence)) => {
                    self.reported(response(carrier, resp_sequence), told)
                }
                None => return,
            },
            Fact::Mo(message) => self.user_message(message),
        };
        self.plan.joined.known += u64::from(!new);
    }

    fn told(&mut self, key: i64, told: &Told) -> bool {
        let new = self.change(key, |journey| journey.told(told, None));
        if new && let Some((_, part, resp_sequence)) = answered(told) {
            self.answered(response(&told.carrier, resp_sequence), key, part);
        }
        new
    }

    /// From now on the carrier's id names this part; also to reports that came before.
    fn answered(&mut self, response: Response, key: i64, part: u8) {
        for orphan in self.known.orphans.remove(&response).unwrap_or_default() {
            self.change(key, |journey| journey.told(&orphan.told, Some(part)));
            if let Some(key) = orphan.key {
                self.plan.adopted.push(key);
                self.plan.marks.orphans -= 1;
            }
        }
        if !self.known.responses.contains_key(&response) {
            self.known.responses.insert(response.clone(), (key, part));
            self.plan.responses.push((response, key, part));
        }
    }

    fn reported(&mut self, response: Response, told: &Told) -> bool {
        if let Some(&(key, part)) = self.known.responses.get(&response) {
            return self.change(key, |journey| journey.told(told, Some(part)));
        }
        let report = report_key(told);
        let orphans = self.known.orphans.entry(response).or_default();
        match orphans.iter_mut().find(|orphan| orphan.report == report) {
            Some(orphan) if told.event.at < orphan.told.event.at => {
                orphan.told = told.clone();
                orphan.changed = true;
                true
            }
            Some(_) => false,
            None => {
                orphans.push(Orphan { key: None, report, told: told.clone(), changed: true });
                true
            }
        }
    }

    fn user_message(&mut self, message: &UserMessage) -> bool {
        let new = self.known.user_messages.insert(mo_key(message));
        if new {
            self.plan.user_messages.push(UserMessageRow::of(message));
            self.plan.outbox.push(json(&ForBank::Mo(message.clone())));
        }
        new
    }

    /// The key of a message, which may be new.
    fn key(&mut self, uaop_id: &UaopId) -> i64 {
        if let Some(&key) = self.known.keys.get(uaop_id) {
            return key;
        }
        self.plan.marks.last_key += 1;
        let key = self.plan.marks.last_key;
        self.known.keys.insert(uaop_id.clone(), key);
        let (uaop_id, journey) = (uaop_id.clone(), Journey::default());
        self.known.messages.insert(key, Message { uaop_id, journey, changed: false, before: None });
        key
    }

    fn change(&mut self, key: i64, change: impl FnOnce(&mut Journey) -> bool) -> bool {
        let Some(message) = self.known.messages.get_mut(&key) else { return false };
        let changed = change(&mut message.journey);
        message.changed |= changed;
        changed
    }

    fn finish(self, now: Millis, zone: &TimeZone) -> Plan {
        let Self { known, mut plan } = self;
        for (key, message) in known.messages.into_iter().filter(|(_, message)| message.changed) {
            plan.message(key, message, now, zone);
        }
        for (response, orphans) in known.orphans {
            for orphan in orphans.into_iter().filter(|orphan| orphan.changed) {
                plan.orphan(response.clone(), orphan);
            }
        }
        plan
    }
}

impl Plan {
    fn message(&mut self, key: i64, message: Message, now: Millis, zone: &TimeZone) {
        let Message { uaop_id, mut journey, before, .. } = message;
        if let Some(report) = journey.conclude(now) {
            self.joined.finished += 1;
            self.outbox.push(json(&ForBank::Report(report)));
        }
        let after = Before::of(&journey);
        let tally = before.as_ref().and_then(|before| before.tally.as_ref());
        self.figures.change(tally, after.tally.as_ref(), zone);
        self.marks.open += i64::from(after.open) - i64::from(before.as_ref().is_some_and(|b| b.open));
        let row = MessageRow::of(key, uaop_id, &journey);
        match before {
            None => {
                self.marks.messages += 1;
                self.inserted.push(row);
            }
            Some(before) => {
                let elsewhere = before.is_elsewhere(&after);
                let due = before.waits != after.waits || elsewhere;
                self.updated.push(Update { row, elsewhere, due });
            }
        }
    }

    fn orphan(&mut self, response: Response, orphan: Orphan) {
        let Orphan { key, report, told, changed: _ } = orphan;
        if key.is_none() {
            self.joined.orphans += 1;
            self.marks.orphans += 1;
        }
        let (at, told) = (told.event.at, json(&told));
        self.orphans.push(OrphanRow { response, report, at, told });
    }
}

/// What tells one report from another about the same part: its own id, or else what it says.
fn report_key(told: &Told) -> String {
    match &told.event.happened {
        Happened::Reported { report_sequence: Some(sequence), .. } => index_key(sequence).into_owned(),
        Happened::Reported { word, .. } => index_key(word).into_owned(),
        _ => String::new(),
    }
}
