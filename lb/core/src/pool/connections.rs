//! What workers tell about their connections.

use std::sync::Arc;
use std::time::Instant;

use super::{Event, Pool, ServerId};

impl Pool {
    /// The connection to the picked server was made. The first one after an ejection may show that a tier is back.
    #[must_use]
    pub fn connected(&mut self, server: ServerId) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(server) = self.server_mut(server) {
            server.pending = server.pending.saturating_sub(1);
            server.counters.connections += 1;
            if std::mem::take(&mut server.on_trial) {
                self.settle_return(&mut events);
            }
        }
        events
    }

    /// The connection to the picked server could not be made: releases its slot, counts against the server,
    /// and brings its next check forward.
    #[must_use]
    pub fn connect_failed(&mut self, id: ServerId, now: Instant) -> Vec<Event> {
        let Some(server) = self.server_mut(id) else { return Vec::new() };
        server.counters.connect_failures += 1;
        server.pending = server.pending.saturating_sub(1);
        let hurried = server.check.as_mut().is_some_and(|check| check.schedule.hurry(now));
        self.release(id);

        let mut events = Vec::new();
        if hurried && self.next_check(id).is_some() {
            events.push(Event::CheckNow { server: id });
        }
        self.failure(id, now, &mut events);
        events
    }

    /// The connection to the picked server was given up for no fault of the server: the client left, or no
    /// file descriptor was free.
    pub fn connect_abandoned(&mut self, id: ServerId) {
        if let Some(server) = self.server_mut(id) {
            server.pending = server.pending.saturating_sub(1);
        }
        self.release(id);
    }

    /// A connection that was made has ended. `early_reset`: the server reset it within the time that
    /// [`crate::config::Passive::early_reset`] gives, before it sent a byte.
    #[must_use]
    pub fn closed(&mut self, id: ServerId, early_reset: bool, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        if early_reset && let Some(server) = self.server_mut(id) {
            server.counters.early_resets += 1;
            self.failure(id, now, &mut events);
        }
        self.release(id);
        events
    }

    fn release(&mut self, id: ServerId) {
        let Some(position) = self.servers.iter().position(|server| server.id == id) else { return };
        let server = &mut self.servers[position];
        server.live = server.live.saturating_sub(1);
        if server.retired && server.live == 0 {
            self.servers.remove(position);
        }
    }

    /// Counts a failure and ejects the server when it is due, unless no other server would be usable.
    fn failure(&mut self, id: ServerId, now: Instant, events: &mut Vec<Event>) {
        let Some(settings) = self.settings.passive else { return };
        let others = self.servers.iter().any(|server| server.id != id && server.usable());
        let Some(server) = self.configured_mut(id).filter(|server| server.serves_persistent()) else {
            return;
        };
        if server.passive.record(&settings, now) && others {
            let for_ = server.passive.eject(&settings, now);
            server.counters.ejections += 1;
            events.push(Event::Ejected { server: id, name: Arc::clone(&server.name), for_ });
            self.settle(now, events);
        }
    }
}
