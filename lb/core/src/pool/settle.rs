//! After every change: what follows from it, announced once.

use std::sync::Arc;
use std::time::Instant;

use super::server::{Server, Standing};
use super::{CloseReason, Event, Pace, Pool, Reason, tiers};
use crate::config::{OnDown, OnReturn, Tiers};

impl Pool {
    /// Compares every server and the pool with what was last announced.
    pub(super) fn settle(&mut self, now: Instant, events: &mut Vec<Event>) {
        let on_down = self.settings.on_down;
        for server in self.servers.iter_mut().filter(|server| !server.retired) {
            settle_standing(server, on_down, now, events);
        }
        self.fail_open(now, events);
        for server in self.servers.iter_mut().filter(|server| !server.retired) {
            settle_slow_start(server, now);
        }
        tiers::settle(&mut self.tiers, &self.servers, self.settings.tiers);
        self.settle_usable(events);
        self.settle_active_tier(events);
        self.settle_return(events);
    }

    /// An ejection holds only while another server is usable.
    fn fail_open(&mut self, now: Instant, events: &mut Vec<Event>) {
        if self.servers.iter().any(Server::usable) {
            return;
        }
        for server in self.servers.iter_mut().filter(|server| server.standing == Standing::Up) {
            if server.readmit(now) {
                events.push(Event::Readmitted { server: server.id, name: Arc::clone(&server.name) });
            }
        }
    }

    fn settle_usable(&mut self, events: &mut Vec<Event>) {
        let before = self.usable;
        self.usable = self.tiers.iter().map(|tier| tier.share.usable as usize).sum();
        match (before, self.usable) {
            (0, 1..) => events.push(Event::PoolUp),
            (1.., 0) => events.push(Event::PoolDown),
            (0, 0) | (1.., 1..) => {}
        }
    }

    fn settle_active_tier(&mut self, events: &mut Vec<Event>) {
        let from = self.active_tier;
        let to = self.tiers.iter().find(|tier| tier.share.usable > 0).map(|tier| tier.priority);
        if from == to {
            return;
        }
        self.active_tier = to;
        events.push(Event::TierChanged { from, to });

        let improved = match (from, to) {
            (None, Some(_)) => true,
            (Some(from), Some(to)) => to < from,
            (_, None) => false,
        };
        self.return_pending = improved;
    }

    /// Once a better tier is in use, `on_return` decides about the connections below it. A tier whose servers all
    /// come straight from an ejection has not returned before a connection to one of them was made: where only live
    /// connections show that a server is dead, each end of an ejection would close what works, for nothing.
    pub(super) fn settle_return(&mut self, events: &mut Vec<Event>) {
        let (true, Some(active)) = (self.return_pending, self.active_tier) else { return };
        let proven = |server: &Server| server.usable() && !server.on_trial;
        if !self.servers.iter().any(|server| server.settings.priority == active && proven(server)) {
            return;
        }
        self.return_pending = false;
        if let (Tiers::Classic, Some(pace)) = (self.settings.tiers, self.return_pace()) {
            let below = self
                .servers
                .iter()
                .filter(|server| server.live > 0 && (server.sorry || server.settings.priority > active));
            events.extend(below.map(|server| Event::CloseConnections {
                server: server.id,
                reason: CloseReason::PrimaryReturned,
                pace,
            }));
        }
    }

    fn return_pace(&self) -> Option<Pace> {
        match self.settings.on_return {
            OnReturn::Stay => None,
            OnReturn::Close => Some(Pace::AtOnce),
            OnReturn::Drain { rate, jitter_percent } => Some(Pace::Drain { rate, jitter_percent }),
        }
    }
}

fn settle_standing(server: &mut Server, on_down: OnDown, now: Instant, events: &mut Vec<Event>) {
    let after = server.assess();
    if after == server.standing {
        return;
    }
    let same_kind = after.same_kind(&server.standing);
    let before = std::mem::replace(&mut server.standing, after);
    if same_kind {
        return;
    }
    server.standing_since = now;

    let (id, name) = (server.id, Arc::clone(&server.name));
    match &server.standing {
        Standing::Up => {
            // the check has seen the outage and its end: what live connections told of it is over too
            if let Standing::Down(Reason::Check(_)) = before
                && server.passive.readmit(now)
            {
                events.push(Event::Readmitted { server: id, name: Arc::clone(&name) });
            }
            events.extend(before.reason().map(|reason| Event::ServerUp {
                server: id,
                name,
                after: reason.clone(),
            }));
        }
        Standing::Draining(reason) => {
            events.push(Event::ServerDraining { server: id, name, reason: reason.clone() });
        }
        Standing::Down(reason) => {
            server.on_trial = false;
            server.counters.downs += 1;
            events.push(Event::ServerDown { server: id, name, reason: reason.clone() });
            let close = match reason {
                Reason::Maintenance | Reason::AgentMaint => CloseReason::Maint,
                Reason::Check(_)
                | Reason::Unresolved
                | Reason::AgentDown(_)
                | Reason::Drain
                | Reason::AgentDrain
                | Reason::WeightZero => CloseReason::ServerDown,
            };
            close_connections(server, on_down, close, events);
        }
    }
}

/// As `on_down` says.
pub(super) fn close_connections(
    server: &Server,
    on_down: OnDown,
    reason: CloseReason,
    events: &mut Vec<Event>,
) {
    match on_down {
        OnDown::Close if server.live > 0 => {
            events.push(Event::CloseConnections { server: server.id, reason, pace: Pace::AtOnce });
        }
        OnDown::Close | OnDown::Keep => {}
    }
}

/// Slow start begins when a server serves again, not when it serves for the first time.
fn settle_slow_start(server: &mut Server, now: Instant) {
    let serves = server.serves_persistent();
    if serves && !server.serving && server.has_served {
        server.slow_start_from = Some(now);
    }
    server.serving = serves;
    server.has_served |= serves;
}
