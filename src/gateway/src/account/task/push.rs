//! Parts whose turn it is: recorded first, then sent.

use std::time::Duration;

use store::spool::SpoolError;
use wire::protocol::Messages;

use super::{MOST_AT_ONCE, SPOOL_PAUSE, Task};
use crate::account::core::Turn;
use crate::account::inbox::{Inbox, Push};
use crate::clock::Now;
use crate::connection::{Order, PartKey};

impl<P: Messages> Task<P>
where
    Inbox<P>: Send,
{
    /// Records the pushes of those whose turn it is.
    pub(super) fn push(&mut self, now: Now) {
        let (mut pushes, mut unsendable) = (Vec::new(), Vec::new());
        while pushes.len() < MOST_AT_ONCE
            && let Some(turn) = self.parts.core.turn(now)
        {
            let sequence = P::sequence(self.parts.numbers.next(), self.parts.node, now.stamp);
            let Some(held) = self.parts.core.message(turn.key) else { continue };
            let valid_until = held.submission.not_after.map(|end| self.parts.clock.stamp(end));
            let (submit, first) = (
                self.parts.rules.submit(&held.submission, turn.key, turn.part, valid_until),
                held.pushed.is_none(),
            );
            let submit = match submit {
                Ok(submit) => submit,
                Err(error) => {
                    unsendable.push((turn, error.to_string()));
                    continue;
                }
            };
            if first {
                let waited = Duration::from_millis(now.millis.0.saturating_sub(held.taken.0));
                self.parts.facts.metrics.push_delay.observe(waited.as_secs_f64());
            }
            if let Some(attempt) = self.parts.core.pushed(turn, &sequence.to_string(), now) {
                self.parts.facts.metrics.pushed(attempt);
                pushes.push(Push { turn, sequence, submit });
            }
        }
        self.record(pushes, now);
        for (turn, reason) in unsendable {
            self.parts.core.unsendable(turn, &reason, now);
        }
    }

    /// Makes durable what is about to be sent; [`Inbox::Recorded`] goes on.
    fn record(&mut self, pushes: Vec<Push<P>>, now: Now) {
        if pushes.is_empty() {
            return;
        }
        let changes = self.parts.core.take_changes();
        let inbox = self.parts.inbox.0.clone();
        let turns: Vec<Turn> = pushes.iter().map(|push| push.turn).collect();
        let handed = self.parts.spool.write(changes, move |result| {
            let result = result.map_err(|unwritten| unwritten.error);
            // an account that has stopped sends nothing any more
            let _ = inbox.send(Inbox::Recorded { pushes, result });
        });
        match handed {
            Ok(()) => self.writing += 1,
            Err(_) => self.parts.core.withdrawn(turns, now),
        }
    }

    pub(super) fn recorded(&mut self, pushes: Vec<Push<P>>, result: Result<(), SpoolError>, now: Now) {
        self.writing -= 1;
        match result {
            Ok(()) => {
                self.parts.events.notify_waiters();
                self.send(pushes, now);
            }
            Err(error) => {
                self.parts.facts.spool_failed(&error);
                self.parts.core.hold_up(now.instant + SPOOL_PAUSE);
                self.parts.core.withdrawn(pushes.into_iter().map(|push| push.turn), now);
            }
        }
    }

    /// Sends what is recorded, if the login still lasts in which it has its place.
    fn send(&mut self, pushes: Vec<Push<P>>, now: Now) {
        let mut back = Vec::new();
        for Push { turn, sequence, submit } in pushes {
            let key = PartKey { message: turn.key, part: turn.part };
            let connection = self.parts.connections.get(&turn.place.connection);
            let sent = self.parts.core.lines.holds(turn.place)
                && connection.is_some_and(|connection| {
                    let login = turn.place.login;
                    connection.try_send(Order::Submit { login, key, sequence, submit }).is_ok()
                });
            if !sent {
                back.push(turn);
            }
        }
        self.parts.core.withdrawn(back, now);
    }
}
