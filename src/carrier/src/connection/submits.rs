//! Requests of the customer.

use std::sync::Arc;
use std::time::Instant;

use domain::Millis;
use domain::event::ReportState;
use wire::exchange::{Answer, Incoming, MessageId, Report, Submit};
use wire::protocol::{Cannot, Moment};
use wire::text::Text;

use super::answers::Planned;
use super::{Connection, Member};
use crate::account::{Account, Delivery, Unlock, Verdict};
use crate::behaviour::{Fate, ReportFate, State};
use crate::check::check;
use crate::clock::{millis, year_to_minute};
use crate::config::AccountProtocol;
use crate::protocol::{Carrier, Totals, Wrong};
use crate::record::{Entry, ReportPlan};

impl<P: Carrier> Connection<P> {
    pub(super) fn requested(&mut self, sequence: P::Sequence, pdu: &P::Pdu, now: Moment) {
        let Some(member) = &self.member else { return };
        if let Some(submit) = P::read_submit(pdu) {
            let account = Arc::clone(&member.account);
            return self.submit(&account, sequence, &submit, now);
        }
        let answer = P::totals(pdu, &totals(&member.account));
        if let Some(answer) = answer.or_else(|| P::cannot(P::command(pdu), Cannot::Serve)) {
            self.session.respond(sequence, &answer);
        } else {
            self.session.ignore(sequence);
        }
    }

    fn submit(&mut self, account: &Arc<Account>, sequence: P::Sequence, submit: &Submit, now: Moment) {
        account.counters.submits.inc();
        self.submits = self.submits.wrapping_add(1);
        let verdict = match self.wrong(sequence, submit) {
            Some(wrong) => Err(P::code(wrong)),
            None => match account.judge(submit, self.submits, now.instant) {
                Verdict::Busy => Err(P::busy()),
                Verdict::Fate { fate, duplicates } if fate.code == 0 => Ok((fate, duplicates)),
                Verdict::Fate { fate, .. } => {
                    self.refuse_submit(account, sequence, submit, fate.code);
                    return self.plan(sequence, P::answer(&Answer { code: fate.code, id: None }), &fate, now);
                }
            },
        };
        match verdict {
            Ok((fate, duplicates)) => self.take(account, sequence, submit, &fate, &duplicates, now),
            Err(code) => {
                self.refuse_submit(account, sequence, submit, code);
                self.session.respond(sequence, &P::answer(&Answer { code, id: None }));
            }
        }
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

    fn refuse_submit(&mut self, account: &Account, sequence: P::Sequence, submit: &Submit, code: u32) {
        account.counters.answer(code);
        if !self.shared.records() {
            return;
        }
        let entry = Entry { code, ..self.entry(account, sequence, submit) };
        for to in &submit.destinations {
            self.entries.push(Entry { destination: *to, ..entry.clone() });
        }
    }

    /// Takes a message, and plans its answer and its reports.
    fn take(
        &mut self,
        account: &Arc<Account>,
        sequence: P::Sequence,
        submit: &Submit,
        fate: &Fate,
        duplicates: &[u32],
        now: Moment,
    ) {
        account.counters.answer(0);
        let count = self.shared.count(submit.destinations.len());
        let id = |index: u32| {
            P::message_id(sequence, self.shared.config.node, count.wrapping_add(index), now.stamp)
        };
        let report = fate.report.as_ref().filter(|_| submit.report);
        let plan = report.map_or(ReportPlan::None, ReportPlan::of);
        let entry = self.shared.records().then(|| self.entry(account, sequence, submit));
        let ids: Vec<MessageId> = (0..).zip(&submit.destinations).map(|(index, _)| id(index)).collect();
        let answer = P::answer(&Answer { code: 0, id: ids.first().copied() });
        for ((to, about), &before) in submit.destinations.iter().zip(&ids).zip(duplicates) {
            if before > 0 {
                account.counters.duplicates.inc();
            }
            if let Some(entry) = &entry {
                self.entries.push(Entry {
                    destination: *to,
                    message_id: Some(*about),
                    report: plan.clone(),
                    duplicates: before,
                    answered: fate.answered,
                    ..entry.clone()
                });
            }
        }
        let ticket = self.plan_answer(sequence, answer, fate, now);
        if let Some(report) = report {
            let unlocks = ticket.map(|ticket| Unlock { link: self.id, ticket });
            for (to, about) in submit.destinations.iter().zip(&ids) {
                self.plan_report(account, *about, (submit.source, *to), report, fate, unlocks, now);
            }
        }
    }

    /// Plans the answer to a message that is taken; returns its ticket if it waits for the report.
    fn plan_answer(
        &mut self,
        sequence: P::Sequence,
        answer: P::Pdu,
        fate: &Fate,
        now: Moment,
    ) -> Option<u64> {
        let reported_first = fate.report.as_ref().is_some_and(|report| report.first && !report.lost);
        if !fate.answered {
            if let Some(member) = &self.member {
                member.account.counters.unanswered.inc();
            }
            self.session.ignore(sequence);
            if fate.cut.is_some() {
                self.cut_here(now);
            }
            return None;
        }
        if !reported_first {
            self.plan(sequence, answer, fate, now);
            return None;
        }
        let at = now.instant + fate.answer_after + super::answers::REPORT_PATIENCE;
        Some(self.keep(at, Planned { sequence, answer, cut: fate.cut }))
    }

    #[allow(clippy::too_many_arguments)] // what a report is about, and when
    fn plan_report(
        &self,
        account: &Account,
        about: MessageId,
        (source, destination): (Text<21>, Text<21>),
        fate: &ReportFate,
        submit: &Fate,
        unlocks: Option<Unlock>,
        now: Moment,
    ) {
        let counters = &account.counters.reports;
        if fate.lost {
            counters.lost.inc();
            return;
        }
        let answer_at = now.instant + submit.answer_after;
        let at = if unlocks.is_some() { answer_at } else { answer_at + fate.after };
        let report = |state: &State| Delivery {
            incoming: Incoming::Report(Report {
                about,
                id: Some(self.shared.delivery_id::<P>(now)),
                state: state.state,
                word: word::<P>(state),
                error: state.error.unwrap_or_else(|| P::state_word(state.state).1),
                destination: Text::from_field(widen(*destination.field())),
                source,
                submitted: year_to_minute(now.stamp),
                done: Text::EMPTY,
            }),
            origin: Some(self.id),
            elsewhere: fate.elsewhere,
            unlocks: None,
            again: false,
        };
        let send = |at: Instant, delivery: Delivery| {
            counters.made.inc();
            if fate.twice {
                counters.duplicated.inc();
                account.schedule(at, Delivery { unlocks: None, ..delivery.clone() });
            }
            account.schedule(at, delivery);
        };
        send(at, Delivery { unlocks, ..report(&fate.state) });
        if fate.state.state == ReportState::Waiting {
            send(at + fate.after, report(&State::DELIVERED));
        }
    }

    fn entry(&self, account: &Account, sequence: P::Sequence, submit: &Submit) -> Entry {
        let Millis(at) = millis();
        Entry {
            at: Millis(at),
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
            code: 0,
            answered: true,
            report: ReportPlan::None,
            duplicates: 0,
        }
    }
}

fn word<P: Carrier>(state: &State) -> Text<10> {
    let own = |word: Text<7>| Text::from_field(widen(*word.field()));
    state.word.map_or_else(|| P::state_word(state.state).0, own)
}

/// A field in a wider one.
fn widen<const N: usize, const M: usize>(field: [u8; N]) -> [u8; M] {
    const { assert!(N <= M) };
    let mut wide = [0; M];
    wide[..N].copy_from_slice(&field);
    wide
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
