//! What has happened becomes durable; then the requests that brought it are answered.

use domain::Happened;
use store::spool::{Change, Unwritten};
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
        self.told.push(Change::Event(event));
    }

    /// Hands what has happened to the spool; after a failure all of it waits for the next try.
    pub(super) fn write(&mut self, now: Now) {
        let mut changes = self.parts.core.take_changes();
        changes.append(&mut self.told);
        if !self.stuck.is_empty() || !self.stuck_tickets.is_empty() {
            self.stuck.append(&mut changes);
            self.stuck_tickets.append(&mut self.tickets);
            if self.retry.is_some_and(|at| now.instant < at) {
                return;
            }
            changes = std::mem::take(&mut self.stuck);
            self.tickets = std::mem::take(&mut self.stuck_tickets);
            self.retry = None;
            self.parts.core.renew(&mut changes);
        }
        if changes.is_empty() && self.tickets.is_empty() {
            return;
        }
        let tickets = std::mem::take(&mut self.tickets);
        let inbox = self.parts.inbox.0.clone();
        let handed = self.parts.spool.write(changes, move |result| {
            // an account that has stopped leaves its requests unanswered: the carrier repeats them
            let _ = inbox.send(Inbox::Written { tickets, result });
        });
        self.writing += usize::from(handed.is_ok());
    }

    pub(super) fn written(&mut self, tickets: Vec<Ticket>, result: Result<(), Unwritten>, now: Now) {
        self.writing -= 1;
        match result {
            Ok(()) => {
                self.parts.facts.spool_works();
                self.parts.events.notify_waiters();
                self.answer(&tickets);
            }
            Err(unwritten) => {
                self.parts.facts.spool_failed(&unwritten.error);
                self.stuck.extend(unwritten.changes);
                self.stuck_tickets.extend(tickets);
                self.retry = Some(now.instant + SPOOL_PAUSE);
            }
        }
    }

    fn answer(&self, tickets: &[Ticket]) {
        for ticket in tickets {
            if let Some(connection) = self.parts.connections.get(&ticket.connection) {
                // a connection that is gone or full leaves the request unanswered: the carrier repeats it
                let _ = connection.try_send(Order::DeliverAnswer { ticket: ticket.number, code: 0 });
            }
        }
    }
}
