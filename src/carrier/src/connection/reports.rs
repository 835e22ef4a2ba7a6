//! Reports of messages that are taken.

use domain::event::ReportState;
use wire::exchange::{Incoming, MessageId, Report};
use wire::text::Text;

use super::Connection;
use super::submits::Taken;
use crate::account::{Delivery, Unlock};
use crate::behaviour::State;
use crate::clock::year_to_minute;
use crate::protocol::Carrier;

impl<P: Carrier> Connection<P> {
    /// Plans the reports of a message, one for each destination and its id. `ticket`: of the answer that waits for
    /// them.
    pub(super) fn plan_reports(&self, taken: &Taken<'_, P>, ids: &[MessageId], ticket: Option<u64>) {
        let Taken { account, submit, fate, now, .. } = *taken;
        let Some(report) = fate.report.as_ref().filter(|report| submit.report.wants(report.state.state))
        else {
            return;
        };
        let counters = &account.counters.reports;
        let unlocks = ticket.map(|ticket| Unlock { link: self.id, ticket });
        let answer = now.instant + fate.answer_after;
        let at = if unlocks.is_some() { answer } else { answer + report.after };
        for (to, about) in submit.destinations.iter().zip(ids) {
            if report.lost {
                counters.lost.inc();
                continue;
            }
            let delivery = |state: &State| Delivery {
                incoming: Incoming::Report(self.report(taken, *about, to, state)),
                origin: Some(self.id),
                elsewhere: report.elsewhere,
                unlocks: None,
                again: false,
            };
            let first = delivery(&report.state);
            counters.made.inc();
            if report.twice {
                counters.duplicated.inc();
                account.schedule(at, first.clone());
            }
            account.schedule(at, Delivery { unlocks, ..first });
            if report.state.state == ReportState::Waiting {
                counters.made.inc();
                account.schedule(at + report.after, delivery(&State::DELIVERED));
            }
        }
    }

    fn report(&self, taken: &Taken<'_, P>, about: MessageId, to: &Text<21>, state: &State) -> Report {
        let (word, error) = P::state_word(state.state);
        Report {
            about,
            id: Some(self.shared.delivery_id::<P>(taken.now)),
            state: state.state,
            word: state.word.map_or(word, |word| Text::from_field(widen(*word.field()))),
            error: state.error.unwrap_or(error),
            destination: Text::from_field(widen(*to.field())),
            source: taken.submit.source,
            submitted: year_to_minute(taken.now.stamp),
            // when it goes out
            done: Text::EMPTY,
        }
    }
}

/// A field in a wider one.
fn widen<const N: usize, const M: usize>(field: [u8; N]) -> [u8; M] {
    const { assert!(N <= M) };
    let mut wide = [0; M];
    wide[..N].copy_from_slice(&field);
    wide
}
