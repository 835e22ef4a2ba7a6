//! Answers to submits, when they are due.

use std::time::{Duration, Instant};

use wire::protocol::Moment;

use super::Connection;
use crate::behaviour::{CutFate, Ending, Fate, Point};
use crate::protocol::Carrier;

/// An answer that will go out.
pub(super) struct Planned<P: Carrier> {
    pub(super) sequence: P::Sequence,
    pub(super) answer: P::Pdu,
    pub(super) cut: Option<CutFate>,
}

/// An answer waits no longer than this for a report that is to go first: there may be no connection for it.
pub(super) const REPORT_PATIENCE: Duration = Duration::from_secs(1);

impl<P: Carrier> Connection<P> {
    /// Answers when it is due, at once if that is now.
    pub(super) fn plan(&mut self, sequence: P::Sequence, answer: P::Pdu, fate: &Fate, now: Moment) {
        let planned = Planned { sequence, answer, cut: fate.cut };
        if fate.answer_after.is_zero() {
            self.answer(&planned, now);
        } else {
            self.keep(now.instant + fate.answer_after, planned);
        }
    }

    /// Answers at `at`, or when the ticket that it returns is released.
    pub(super) fn keep(&mut self, at: Instant, planned: Planned<P>) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.planned.insert(ticket, planned);
        self.due.push(at, ticket);
        ticket
    }

    pub(super) fn answer_due(&mut self, now: Moment) {
        while self.cut.is_none() {
            let Some(ticket) = self.due.pop(now.instant) else { return };
            self.release(ticket, now);
        }
    }

    pub(super) fn release(&mut self, ticket: u64, now: Moment) {
        if let Some(planned) = self.planned.remove(&ticket) {
            self.answer(&planned, now);
        }
    }

    /// Cuts the connection behind what is in the output.
    pub(super) fn cut_here(&mut self, how: Ending, now: Moment) {
        self.cut_after(self.session.output().len(), how, now);
    }

    fn answer(&mut self, planned: &Planned<P>, now: Moment) {
        if self.cut.is_some() {
            return;
        }
        self.active = now.instant;
        let before = self.session.output().len();
        let Some(CutFate { at, how }) = planned.cut else {
            return self.session.respond(planned.sequence, &planned.answer);
        };
        if at != Point::BeforeAnswer {
            self.session.respond(planned.sequence, &planned.answer);
        }
        match at {
            Point::BeforeAnswer | Point::AfterAnswer => self.cut_here(how, now),
            Point::WithinAnswer => {
                self.cut_after(before.midpoint(self.session.output().len()), how, now);
            }
        }
    }

    fn cut_after(&mut self, output: usize, how: Ending, now: Moment) {
        let Some(member) = &self.member else { return };
        member.account.counters.cut.inc();
        tracing::debug!(peer = %self.peer, account = self.account_name(), ?how, "connection cut on purpose");
        self.cut(output, how, now);
    }
}
