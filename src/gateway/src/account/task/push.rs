//! Parts whose turn it is: recorded first, then sent.

use std::time::Duration;

use domain::Happened;
use store::spool::{Change, Unwritten};
use wire::protocol::Messages;

use super::{MOST_AT_ONCE, Task};
use crate::account::core::{Turn, parts};
use crate::account::inbox::{Inbox, Push};
use crate::clock::{Clock, Now};
use crate::connection::{Order, PartKey};

impl<P: Messages> Task<P>
where
    Inbox<P>: Send,
{
    /// Records the pushes of those whose turn it is. While something waits for the spool to work again, it is nobody's.
    pub(super) fn push(&mut self, now: Now) {
        let mut pushes = Vec::new();
        while self.retry.is_none()
            && pushes.len() < MOST_AT_ONCE
            && let Some(turn) = self.parts.core.turn(now)
        {
            let sequence = P::sequence(self.parts.numbers.next(), self.parts.node, now.stamp);
            let Some(held) = self.parts.core.message(turn.key) else { continue };
            let valid_until = held.submission.not_after.map(Clock::beijing);
            let part = (turn.part, parts(&held.delivery));
            let waited = held.pushed.is_none().then(|| now.millis.0.saturating_sub(held.taken.0));
            match self.parts.rules.submit(&held.submission, turn.key, part, valid_until) {
                Ok(submit) if self.parts.core.pushed(turn, &sequence.to_string(), now) => {
                    if let Some(waited) = waited {
                        let waited = Duration::from_millis(waited);
                        self.parts.facts.metrics.push_delay.observe(waited.as_secs_f64());
                    }
                    pushes.push(Push { turn, sequence, submit });
                }
                Ok(_) => {}
                Err(error) => self.parts.core.unsendable(turn, &error.to_string(), now),
            }
        }
        self.record(pushes, now);
    }

    /// Makes durable what is about to be sent; [`Inbox::Recorded`] goes on.
    fn record(&mut self, pushes: Vec<Push<P>>, now: Now) {
        if pushes.is_empty() {
            return;
        }
        // What waits goes with it: the progress of a message tells of answers whose events are still waiting, and after a
        // kill between the two nobody would tell them.
        let mut changes = std::mem::take(&mut self.waiting);
        changes.append(&mut self.parts.core.take_changes());
        self.parts.core.renew(&mut changes);
        let inbox = self.parts.inbox.0.clone();
        let turns: Vec<Turn> = pushes.iter().map(|push| push.turn).collect();
        let handed = self.parts.spool.write(changes, move |result| {
            // an account that has stopped sends nothing any more
            let _ = inbox.send(Inbox::Recorded { pushes, result });
        });
        match handed {
            Ok(()) => self.recording += 1,
            Err(_) => self.parts.core.unrecorded(turns, now),
        }
    }

    pub(super) fn recorded(&mut self, pushes: Vec<Push<P>>, result: Result<(), Unwritten>, now: Now) {
        self.recording -= 1;
        match result {
            Ok(()) => {
                self.parts.events.notify_waiters();
                self.send(pushes, now);
            }
            Err(Unwritten { error, mut changes }) => {
                self.parts.core.unrecorded(pushes.into_iter().map(|push| push.turn), now);
                // what else was in it is still true; progress is renewed before it is written again
                changes.retain(|change| !is_a_push(change));
                self.held_up(&error, changes, now);
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
            } else if let Some(attempt) = self.parts.core.sent(turn) {
                self.parts.facts.metrics.pushed(attempt);
            }
        }
        self.parts.core.withdrawn(back, now);
    }
}

fn is_a_push(change: &Change) -> bool {
    matches!(change, Change::Event(event) if matches!(event.happened, Happened::Pushed { .. }))
}
