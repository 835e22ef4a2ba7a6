//! Reports and MO, and the customer's answers to them.

use wire::exchange::Incoming;
use wire::protocol::Moment;

use super::Connection;
use crate::account::{Delivery, Order};
use crate::clock::year_to_minute;
use crate::protocol::Carrier;

impl<P: Carrier> Connection<P> {
    /// Sends what waits, as far as the window goes.
    pub(super) fn deliver(&mut self, now: Moment) {
        while self.cut.is_none() && self.session.free() > 0 && !self.session.has_backlog() {
            let Some(member) = self.member.as_ref().filter(|member| member.carries && member.joined) else {
                return;
            };
            let Some(delivery) = member.account.take(self.id) else { return };
            self.send(delivery, now);
        }
    }

    /// The customer answered.
    pub(super) fn answered(&mut self, sequence: P::Sequence, pdu: &P::Pdu, now: Moment) {
        let (Some(delivery), Some(member)) = (self.flying.remove(&sequence), &self.member) else { return };
        let counters = member.account.deliveries(&delivery.incoming);
        match P::read_deliver_answer(pdu) {
            Some(0) => counters.acknowledged.inc(),
            code => {
                counters.refused.inc();
                tracing::debug!(account = self.account_name(), ?code, "a report or MO was refused");
                member.account.repeat(delivery, self.shared.config.timers.again, now.instant);
            }
        }
    }

    /// The customer did not answer, however often it was asked.
    pub(super) fn not_answered(&mut self, sequence: P::Sequence, now: Moment) {
        if let (Some(delivery), Some(member)) = (self.flying.remove(&sequence), &self.member) {
            member.account.repeat(delivery, self.shared.config.timers.again, now.instant);
        }
    }

    /// The session sends it again.
    pub(super) fn repeated(&self, sequence: P::Sequence) {
        if let (Some(delivery), Some(member)) = (self.flying.get(&sequence), &self.member) {
            let counters = member.account.deliveries(&delivery.incoming);
            counters.sent.inc();
            counters.repeated.inc();
        }
    }

    fn send(&mut self, mut delivery: Delivery, now: Moment) {
        let Some(member) = &self.member else { return };
        if let Incoming::Report(report) = &mut delivery.incoming {
            report.done = year_to_minute(now.stamp);
        }
        self.active = now.instant;
        let sequence = self.session.reserve(now);
        // what a protocol cannot say has no business here
        let Some(pdu) = P::deliver(&delivery.incoming, now.stamp) else { return };
        if self.session.request(sequence, pdu, now).is_err() {
            // the window was asked before, so that this is for a session that has just ended
            member.account.repeat(delivery, self.shared.config.timers.again, now.instant);
            return;
        }
        let counters = member.account.deliveries(&delivery.incoming);
        counters.sent.inc();
        if delivery.again {
            counters.repeated.inc();
        }
        let unlock = delivery.unlocks.take();
        let account = unlock.filter(|unlock| unlock.link != self.id).map(|_| member.account.clone());
        self.flying.insert(sequence, delivery);
        match (unlock, account) {
            (Some(unlock), Some(account)) => account.order(unlock.link, Order::Release(unlock.ticket)),
            (Some(unlock), None) => self.release(unlock.ticket, now),
            (None, _) => {}
        }
    }
}
