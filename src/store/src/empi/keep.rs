//! Which of what came on the topic is kept, and where. Both engines look up the same things and write the same plan.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Bank, ForBank, Millis, UaopId};

use super::row::{json, to_sql};

/// What one caller brings.
#[derive(Clone, Debug)]
pub(super) struct Keep {
    /// Each with its offset.
    pub came: Vec<(i64, ForBank)>,
    pub called: Vec<Bank>,
    pub now: Millis,
}

/// What the store knows about the message of a report.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The message, if it was accepted here.
    pub message: Option<Owner>,
    /// Of the last report that is kept; 0 = none.
    pub revision: u32,
}

#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub key: i64,
    pub bank: String,
    pub reference: String,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub items: Vec<NewItem>,
    /// The last report of messages, by their keys: revision and offset.
    pub messages: BTreeMap<i64, (u32, i64)>,
    /// The same for messages that are not known.
    pub strays: BTreeMap<UaopId, (u32, i64)>,
    /// Offset, bank, and since when.
    pub calls: Vec<(i64, Bank, i64)>,
}

#[derive(Debug)]
pub(super) struct NewItem {
    pub cursor: i64,
    pub bank: Option<String>,
    pub reference: Option<String>,
    pub uaop_id: Option<UaopId>,
    pub at: i64,
    pub item: String,
}

/// The offsets in question.
pub(super) fn offsets(keeps: &[Keep]) -> impl Iterator<Item = i64> {
    keeps.iter().flat_map(|keep| &keep.came).map(|(offset, _)| *offset)
}

/// The messages in question.
pub(super) fn ids(keeps: &[Keep]) -> BTreeSet<&UaopId> {
    let came = keeps.iter().flat_map(|keep| &keep.came);
    came.filter_map(|(_, item)| match item {
        ForBank::Report(report) => Some(&report.uaop_id),
        ForBank::Mo(_) => None,
    })
    .collect()
}

/// `there`: offsets that are kept already; `known`: what there is about the messages of the reports.
pub(super) fn plan(keeps: &[Keep], mut there: BTreeSet<i64>, mut known: BTreeMap<UaopId, Known>) -> Plan {
    let mut plan = Plan::default();
    for keep in keeps {
        let at = to_sql(keep.now);
        for (offset, item) in &keep.came {
            if there.contains(offset) {
                continue;
            }
            match item {
                ForBank::Mo(_) => {
                    there.insert(*offset);
                    plan.user_message(*offset, item, &keep.called, at);
                }
                ForBank::Report(report) => {
                    let known = known.entry(report.uaop_id.clone()).or_default();
                    if known.revision < report.revision {
                        there.insert(*offset);
                        known.revision = report.revision;
                        plan.report((*offset, report.revision), (&report.uaop_id, item), known, keep);
                    }
                }
            }
        }
    }
    plan
}

impl Plan {
    fn user_message(&mut self, cursor: i64, item: &ForBank, called: &[Bank], at: i64) {
        self.items.push(NewItem { cursor, bank: None, reference: None, uaop_id: None, at, item: json(item) });
        self.calls.extend(called.iter().map(|bank| (cursor, bank.clone(), at)));
    }

    fn report(
        &mut self,
        (cursor, revision): (i64, u32),
        (id, item): (&UaopId, &ForBank),
        known: &Known,
        keep: &Keep,
    ) {
        let at = to_sql(keep.now);
        match &known.message {
            Some(owner) => {
                self.messages.insert(owner.key, (revision, cursor));
                let called = keep.called.iter().find(|bank| bank.as_str() == owner.bank);
                self.calls.extend(called.map(|bank| (cursor, bank.clone(), at)));
            }
            None => {
                self.strays.insert(id.clone(), (revision, cursor));
            }
        }
        let owner = known.message.as_ref();
        self.items.push(NewItem {
            cursor,
            bank: owner.map(|owner| owner.bank.clone()),
            reference: owner.map(|owner| owner.reference.clone()),
            uaop_id: Some(id.clone()),
            at,
            item: json(item),
        });
    }
}
