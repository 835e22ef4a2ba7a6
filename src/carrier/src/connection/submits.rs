//! Requests of the customer.

use std::sync::Arc;

use wire::exchange::{Answer, MessageId, ReportWish, Submit};
use wire::protocol::{Cannot, Moment};
use wire::session::Oddity;
use wire::text::Text;

use super::answers::{Planned, REPORT_PATIENCE};
use super::{Connection, Member};
use crate::account::{Account, Verdict};
use crate::behaviour::Fate;
use crate::check::{check, differs};
use crate::clock::millis;
use crate::config::AccountProtocol;
use crate::protocol::{Carrier, Totals, Wrong};
use crate::record::{Entry, ReportPlan};

/// A submit that is taken.
pub(super) struct Taken<'a, P: Carrier> {
    pub(super) account: &'a Account,
    pub(super) sequence: P::Sequence,
    pub(super) submit: &'a Submit,
    pub(super) fate: &'a Fate,
    pub(super) now: Moment,
}

impl<P: Carrier> Connection<P> {
    pub(super) fn requested(&mut self, sequence: P::Sequence, pdu: &P::Pdu, now: Moment) {
        let Some(member) = &self.member else { return };
        if let Some(submit) = P::read_submit(pdu) {
            let account = Arc::clone(&member.account);
            return self.submit(&account, sequence, &submit, now);
        }
        let answer = P::totals(pdu, &totals(&member.account));
        if let Some(answer) = answer.or_else(|| P::cannot(P::command(pdu), &[], Cannot::Serve)) {
            self.session.respond(sequence, &answer);
        } else {
            self.session.ignore(sequence);
        }
    }

    /// The session has dealt with it. A submit that it has refused is counted as others are; of what it was, nothing is
    /// known any more.
    pub(super) fn odd(&self, oddity: &Oddity<P::Sequence>) {
        tracing::debug!(peer = %self.peer, account = self.account_name(), %oddity, "oddity");
        let Some(member) = &self.member else { return };
        let counters = &member.account.counters;
        counters.oddities.inc();
        let refused = match *oddity {
            // customers ask for nearly nothing else
            Oddity::WindowExceeded { sequence } => Some((sequence, Cannot::Window)),
            Oddity::SequenceReused { sequence } => Some((sequence, Cannot::Sequence)),
            Oddity::Malformed { sequence, command, .. } if command == P::SUBMIT => {
                Some((sequence, Cannot::Read))
            }
            Oddity::Malformed { .. }
            | Oddity::Stray { .. }
            | Oddity::Unknown { .. }
            | Oddity::NotServed { .. }
            | Oddity::RequestRepeated { .. } => None,
        };
        let answer =
            refused.and_then(|(sequence, why)| P::read_answer(sequence, &P::cannot(P::SUBMIT, &[], why)?));
        if let Some(Answer { code, .. }) = answer {
            counters.submits.inc();
            counters.answer(code);
        }
    }

    fn submit(&mut self, account: &Account, sequence: P::Sequence, submit: &Submit, now: Moment) {
        account.counters.submits.inc();
        self.submits = self.submits.wrapping_add(1);
        if differs(submit) {
            account.counters.oddities.inc();
            tracing::debug!(peer = %self.peer, account = self.account_name(), %sequence, "header and PDU name different parts");
        }
        let verdict = match self.wrong(sequence, submit) {
            Some(wrong) => Err(P::code(wrong)),
            None => match self.judge(account, submit, now) {
                Verdict::Busy => Err(P::busy()),
                Verdict::Fate { fate, duplicates } if fate.code == 0 => Ok((fate, duplicates)),
                Verdict::Fate { fate, .. } => {
                    let answered = fate.is_answered();
                    self.refuse_submit(account, sequence, submit, (fate.code, answered));
                    return self.plan(sequence, P::answer(&Answer { code: fate.code, id: None }), &fate, now);
                }
            },
        };
        match verdict {
            Ok((fate, duplicates)) => {
                self.take(&Taken { account, sequence, submit, fate: &fate, now }, &duplicates);
            }
            Err(code) => {
                self.refuse_submit(account, sequence, submit, (code, true));
                self.session.respond(sequence, &P::answer(&Answer { code, id: None }));
            }
        }
    }

    fn judge(&self, account: &Account, submit: &Submit, now: Moment) -> Verdict {
        let mut verdict = account.judge(submit, self.submits, now.instant);
        if let Verdict::Fate { fate: Fate { cut: Some(cut), .. }, .. } = &mut verdict {
            cut.how = self.ending(cut.how);
        }
        verdict
    }

    fn wrong(&self, sequence: P::Sequence, submit: &Submit) -> Option<Wrong> {
        let Member { account, submits, .. } = self.member.as_ref()?;
        if !submits {
            return Some(Wrong::Mode);
        }
        let node = match &account.config.protocol {
            AccountProtocol::Sgip12(sgip) => sgip.node,
            AccountProtocol::Cmpp20 | AccountProtocol::Cmpp30 | AccountProtocol::Smgp30 { .. } => None,
        };
        if node.is_some() && P::node(sequence) != node {
            return Some(Wrong::Node);
        }
        check::<P>(submit, account.config.number.as_deref()).err()
    }

    /// `answer`: its code, and whether it goes out.
    fn refuse_submit(
        &mut self,
        account: &Account,
        sequence: P::Sequence,
        submit: &Submit,
        answer: (u32, bool),
    ) {
        let (code, answered) = answer;
        account.counters.answer(code);
        if !self.shared.records() {
            return;
        }
        let entry = Entry { code, answered, ..self.entry(account, sequence, submit) };
        for to in &submit.destinations {
            self.entries.push(Entry { destination: *to, ..entry.clone() });
        }
    }

    /// Takes a message, and plans its answer and its reports.
    fn take(&mut self, taken: &Taken<'_, P>, duplicates: &[u32]) {
        let Taken { account, sequence, submit, now, .. } = *taken;
        account.counters.answer(0);
        let (node, count) = (self.shared.config.node, self.shared.message_numbers(submit.destinations.len()));
        let id = |index| P::message_id(sequence, node, count.wrapping_add(index), now.stamp);
        let ids: Vec<MessageId> = (0..).zip(&submit.destinations).map(|(index, _)| id(index)).collect();
        account.counters.duplicates.inc_by(duplicates.iter().filter(|&&before| before > 0).count() as u64);
        self.record(taken, &ids, duplicates);
        let answer = P::answer(&Answer { code: 0, id: ids.first().copied() });
        let ticket = self.plan_answer(taken, answer);
        self.plan_reports(taken, &ids, ticket);
    }

    fn record(&mut self, taken: &Taken<'_, P>, ids: &[MessageId], duplicates: &[u32]) {
        if !self.shared.records() {
            return;
        }
        let Taken { account, sequence, submit, fate, .. } = *taken;
        let report = fate.report.as_ref().filter(|report| submit.report.wants(report.state.state));
        let report = report.map_or(ReportPlan::None, ReportPlan::of);
        let entry = Entry { report, answered: fate.is_answered(), ..self.entry(account, sequence, submit) };
        for ((to, id), before) in submit.destinations.iter().zip(ids).zip(duplicates) {
            self.entries.push(Entry {
                destination: *to,
                message_id: Some(*id),
                duplicates: *before,
                ..entry.clone()
            });
        }
    }

    /// Plans the answer to a message that is taken; returns its ticket if it waits for the report.
    fn plan_answer(&mut self, taken: &Taken<'_, P>, answer: P::Pdu) -> Option<u64> {
        let Taken { account, sequence, submit, fate, now } = *taken;
        if !fate.answered {
            account.counters.unanswered.inc();
            self.session.ignore(sequence);
            if let Some(cut) = fate.cut {
                self.cut_here(cut.how, now);
            }
            return None;
        }
        let report = fate
            .report
            .as_ref()
            .filter(|report| submit.report.wants(report.state.state) && report.first && !report.lost);
        if report.is_none() {
            self.plan(sequence, answer, fate, now);
            return None;
        }
        let at = now.instant + fate.answer_after + REPORT_PATIENCE;
        Some(self.keep(at, Planned { sequence, answer, cut: fate.cut }))
    }

    fn entry(&self, account: &Account, sequence: P::Sequence, submit: &Submit) -> Entry {
        Entry {
            at: millis(),
            account: Arc::clone(&account.name),
            connection: self.id,
            sequence: sequence.to_string(),
            message_id: None,
            source: submit.source,
            destination: Text::EMPTY,
            coding: submit.coding,
            header: submit.header,
            part: submit.part,
            parts: submit.parts,
            content: submit.content.as_slice().into(),
            valid_until: submit.valid_until,
            priority: submit.priority,
            report_wanted: submit.report != ReportWish::Never,
            code: 0,
            answered: true,
            report: ReportPlan::None,
            duplicates: 0,
        }
    }
}

fn totals(account: &Account) -> Totals {
    let counts = account.counters.counts();
    let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Totals {
        submits: narrow(counts.submits),
        accepted: narrow(counts.accepted),
        mo_delivered: narrow(counts.mo.acknowledged),
        mo_waiting: narrow(counts.mo.made.saturating_sub(counts.mo.acknowledged)),
    }
}
