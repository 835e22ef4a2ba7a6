//! What has happened becomes durable; then the requests that brought it are answered.

use domain::Happened;
use store::spool::{Change, SpoolError, Unwritten};
use wire::protocol::Messages;

use super::{SPOOL_PAUSE, Task};
use crate::account::inbox::{Inbox, Ticket};
use crate::clock::Now;
use crate::connection::Order;

impl<P: Messages> Task<P>
where
    Inbox<P>: Send,
{
    pub(super) fn tell(&mut self, happened: Happened, now: Now) {
        let event = self.parts.core.event(happened, now);
        self.waiting.push(Change::Event(event));
    }

    /// Hands what has happened to the spool, unless it is at work on what happened before: then it gathers.
    pub(super) fn write(&mut self, now: Now) {
        self.waiting.append(&mut self.parts.core.take_changes());
        let nothing = self.waiting.is_empty() && self.tickets.is_empty();
        if nothing || self.in_writing || self.retry.is_some_and(|at| now.instant < at) {
            return;
        }
        self.retry = None;
        let mut changes = std::mem::take(&mut self.waiting);
        // pushes are written beside this: what waited here must not undo them
        self.parts.core.renew(&mut changes);
        let tickets = std::mem::take(&mut self.tickets);
        let inbox = self.parts.inbox.0.clone();
        let handed = self.parts.spool.write(changes, move |result| {
            // an account that has stopped leaves its requests unanswered: the carrier repeats them
            let _ = inbox.send(Inbox::Written { tickets, result });
        });
        self.in_writing = handed.is_ok();
    }

    pub(super) fn written(&mut self, mut tickets: Vec<Ticket>, result: Result<(), Unwritten>, now: Now) {
        self.in_writing = false;
        match result {
            Ok(()) => {
                self.parts.facts.spool_works();
                self.parts.events.notify_waiters();
                self.answer(&tickets);
            }
            Err(Unwritten { error, changes }) => {
                tickets.append(&mut self.tickets);
                self.tickets = tickets;
                self.held_up(&error, changes, now);
            }
        }
    }

    /// The spool does not work: these changes wait, and nothing is pushed, until the next try.
    pub(super) fn held_up(&mut self, error: &SpoolError, mut changes: Vec<Change>, now: Now) {
        self.parts.facts.spool_failed(error);
        changes.append(&mut self.waiting);
        self.waiting = changes;
        let again = now.instant + SPOOL_PAUSE;
        self.retry = Some(again);
        self.parts.core.hold_up(again);
    }

    fn answer(&self, tickets: &[Ticket]) {
        for ticket in tickets {
            if let Some(connection) = self.parts.connections.get(&ticket.connection) {
                // its channel holds an answer for each request that it can have open; one that is gone needs none
                let _ = connection.try_send(Order::DeliverAnswer { ticket: ticket.number, code: 0 });
            }
        }
    }
}
