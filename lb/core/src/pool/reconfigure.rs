//! Another configuration for a pool that runs. A server's identity is its address.

use std::sync::Arc;
use std::time::Instant;

use super::persistence::Persistence;
use super::server::{Agent, CheckState, Server};
use super::settle::close_connections;
use super::{CloseReason, Event, Pool, ServerId, tiers};
use crate::balance::rng::SplitMix64;
use crate::config::{self, Check};
use crate::health::Passive;

impl Pool {
    /// Takes other settings. Servers with the same address keep id, health, ejection, counters, operator's
    /// state and weight, connections, and the sources that persistence sends to them. A server that is gone
    /// gets no more connections; those that it has stay or are closed as `on_down` says.
    #[must_use]
    pub fn reconfigure(&mut self, settings: config::Pool, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        let mut former = std::mem::take(&mut self.servers);
        let sorry = settings.sorry_server.clone().map(sorry_server);
        let wanted = settings.servers.iter().cloned().map(|server| (server, false));
        for (wanted, sorry) in wanted.chain(sorry.map(|server| (server, true))) {
            let same = |server: &Server| server.sorry == sorry && server.settings.address == wanted.address;
            let server = match former.iter().position(same) {
                Some(position) => {
                    let mut server = former.remove(position);
                    server.reconfigure(wanted, &mut self.rng, now);
                    server
                }
                None => Server::new(self.new_id(), wanted, sorry, now),
            };
            self.servers.push(server);
        }
        self.servers.sort_by_key(|server| (server.sorry, server.settings.priority));
        for mut server in former {
            if !server.retired {
                server.retired = true;
                server.passive = Passive::default();
                close_connections(&server, settings.on_down, CloseReason::Removed, &mut events);
            }
            if server.live > 0 {
                self.servers.push(server);
            }
        }
        self.tiers = tiers::group(&self.servers);
        self.settings = settings;
        self.settle_features(now, &mut events);
        self.settle(now, &mut events);
        events
    }

    /// What a feature that is turned off remembered is forgotten.
    fn settle_features(&mut self, now: Instant, events: &mut Vec<Event>) {
        match (self.settings.persistence, &mut self.persistence) {
            (None, table) => *table = None,
            (Some(settings), Some(table)) => table.reconfigure(settings),
            (Some(settings), table @ None) => *table = Some(Persistence::new(settings)),
        }
        for server in &mut self.servers {
            if self.settings.agent.is_none() {
                server.agent = Agent::default();
            }
            if self.settings.passive.is_none() {
                if server.readmit(now) {
                    events.push(Event::Readmitted { server: server.id, name: Arc::clone(&server.name) });
                }
                server.passive = Passive::default();
            }
        }
    }

    fn new_id(&mut self) -> ServerId {
        let id = ServerId(self.next_id);
        self.next_id += 1;
        id
    }
}

impl Server {
    fn reconfigure(&mut self, settings: config::Server, rng: &mut SplitMix64, now: Instant) {
        if self.retired {
            self.revive(settings, now);
            return;
        }
        if *self.name != *settings.name {
            self.name = settings.name.as_str().into();
        }
        if self.settings.weight != settings.weight {
            self.runtime_weight = None;
        }
        match (&settings.check, &mut self.check) {
            (None, check) => *check = None,
            (Some(new), check @ None) => {
                *check = Some(CheckState::new(new, now));
                self.ask_anew(now);
            }
            (Some(new), Some(check)) => {
                check.health.set_thresholds(new.rise, new.fall);
                if self.settings.check.as_ref() == Some(new) {
                    // A reload must not move what it does not change.
                } else if self.settings.check.as_ref().is_some_and(|old| same_question(old, new)) {
                    check.schedule.not_later_than(new, check.health.phase(), rng, now);
                } else {
                    self.ask_anew(now);
                }
            }
        }
        self.settings = settings;
    }

    /// A server that comes back while connections of its former life go on: new, but for those.
    fn revive(&mut self, settings: config::Server, now: Instant) {
        let fresh = Self::new(self.id, settings, self.sorry, now);
        let question = self.question.next();
        *self = Self { question, live: self.live, pending: self.pending, counters: self.counters, ..fresh };
    }
}

/// Whether an old result answers the new check.
fn same_question(old: &Check, new: &Check) -> bool {
    old.kind == new.kind
        && old.address == new.address
        && old.port == new.port
        && old.proxy_protocol == new.proxy_protocol
}

fn sorry_server(address: config::Address) -> config::Server {
    config::Server {
        name: "sorry_server".to_owned(),
        address,
        weight: 1,
        priority: u8::MAX,
        max_connections: None,
        check: None,
    }
}
