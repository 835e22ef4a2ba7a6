//! What checks, resolver, agent, operator and clock tell.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::server::{LastCheck, Server, WEIGHT_UNIT};
use super::settle::close_connections;
use super::{AdminState, CloseReason, Event, Pool, Question, ServerId};
use crate::config::{Address, Check};
use crate::health::{AgentReply, Outcome};

/// How an active check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    Passed { took: Duration },
    Failed { took: Duration, reason: String },
}

/// What one needs to run checks, look-ups and agents of a server.
#[derive(Clone, Debug)]
pub struct ServerView<'a> {
    pub id: ServerId,
    pub name: &'a Arc<str>,
    pub address: &'a Address,
    /// `None` = a name that does not resolve (yet).
    pub resolved: Option<SocketAddr>,
    pub check: Option<&'a Check>,
    /// See [`Pool::next_check`].
    pub next_check: Option<Instant>,
    /// What that check asks; goes back with its result.
    pub question: Question,
    pub admin: AdminState,
    /// Neither checked nor asked by the agent.
    pub sorry: bool,
}

impl Pool {
    /// Every configured server, the sorry server last.
    pub fn servers(&self) -> impl Iterator<Item = ServerView<'_>> {
        self.servers.iter().filter(|server| !server.retired).map(|server| ServerView {
            id: server.id,
            name: &server.name,
            address: &server.settings.address,
            resolved: server.resolved,
            check: server.settings.check.as_ref(),
            next_check: server.next_check(),
            question: server.question,
            admin: server.admin,
            sorry: server.sorry,
        })
    }

    /// When the next active check of the server is due; `None` = not checked now: it has no check, is in
    /// maintenance, or its name does not resolve. The first check is due at once.
    pub fn next_check(&self, id: ServerId) -> Option<Instant> {
        self.server(id)?.next_check()
    }

    /// A check has ended; plans the next. A result for a server that is not checked now, or that is now asked
    /// something else, changes nothing.
    #[must_use]
    pub fn check_result(
        &mut self,
        id: ServerId,
        question: Question,
        result: CheckResult,
        now: Instant,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let Some(server) = asked(&mut self.servers, id, question) else { return events };
        let (Some(settings), Some(check)) = (&server.settings.check, &mut server.check) else {
            return events;
        };
        let (outcome, took, failure) = match result {
            CheckResult::Passed { took } => (Outcome::Success, took, None),
            CheckResult::Failed { took, reason } => (Outcome::Failure, took, Some(reason.into())),
        };
        match outcome {
            Outcome::Success => server.counters.checks_passed += 1,
            Outcome::Failure => server.counters.checks_failed += 1,
        }
        check.last = Some(LastCheck { at: now, took, failure });
        let transition = check.health.observe(outcome);
        check.schedule.checked(settings, check.health.phase(), &mut self.rng, now);
        if transition.is_some() {
            self.settle(now, &mut events);
        }
        events
    }

    /// A check could not be made, for a reason that says nothing about the server; plans the next.
    pub fn check_skipped(&mut self, id: ServerId, question: Question, now: Instant) {
        let Some(server) = asked(&mut self.servers, id, question) else { return };
        if let (Some(settings), Some(check)) = (&server.settings.check, &mut server.check) {
            check.schedule.checked(settings, check.health.phase(), &mut self.rng, now);
        }
    }

    /// The agent has spoken. Each of its words holds until the agent itself takes it back, or is no longer
    /// configured; an agent that cannot be reached changes nothing.
    #[must_use]
    pub fn agent_reply(&mut self, id: ServerId, reply: AgentReply, now: Instant) -> Vec<Event> {
        self.change(id, now, |server, _, _| {
            if !server.sorry {
                server.agent.apply(reply);
            }
        })
    }

    /// The server's name was looked up; empty = it does not resolve. The current address stays while it is
    /// in the answer. A server whose address is a socket address is left alone.
    #[must_use]
    pub fn resolved(&mut self, id: ServerId, addresses: &[IpAddr], now: Instant) -> Vec<Event> {
        let on_down = self.settings.on_down;
        self.change(id, now, |server, now, events| {
            let Address::Name { port, .. } = server.settings.address else { return };
            if server.resolved.is_some_and(|current| addresses.contains(&current.ip())) {
                return;
            }
            let from = server.resolved;
            server.resolved = addresses.first().map(|&address| SocketAddr::new(address, port));
            let Some(to) = server.resolved else { return };
            events.push(Event::AddressChanged {
                server: server.id,
                name: Arc::clone(&server.name),
                from,
                to,
            });
            if from.is_some() {
                close_connections(server, on_down, CloseReason::AddressChanged, events);
            }
            server.ask_anew(now);
        })
    }

    /// The operator's word; holds over reloads. A server that leaves `Maint` is in its check's start state.
    #[must_use]
    pub fn set_admin(&mut self, id: ServerId, admin: AdminState, now: Instant) -> Vec<Event> {
        self.change(id, now, |server, now, _| {
            let leaves_maintenance = server.admin == AdminState::Maint && admin != AdminState::Maint;
            server.admin = admin;
            if leaves_maintenance {
                if let (Some(check), Some(settings)) = (&mut server.check, &server.settings.check) {
                    check.restart(settings);
                }
                server.ask_anew(now);
            }
        })
    }

    /// Another weight than the file's, 0 to 1000; `None` = the file's. Holds over reloads until the file's
    /// weight changes.
    #[must_use]
    pub fn set_weight(&mut self, id: ServerId, weight: Option<u16>, now: Instant) -> Vec<Event> {
        self.change(id, now, |server, _, _| {
            if !server.sorry {
                server.runtime_weight = weight.map(|weight| weight.min(1000));
            }
        })
    }

    /// When [`Pool::tick`] has something to do; may be in the past.
    pub fn next_deadline(&self) -> Option<Instant> {
        let ejections = self.servers.iter().filter_map(|server| server.passive.ejected_until());
        ejections.chain(self.persistence.as_ref().and_then(|table| table.next_sweep())).min()
    }

    /// Ends ejections that are over, forgets sources whose time is over (not all at once; see
    /// [`Pool::next_deadline`] again).
    #[must_use]
    pub fn tick(&mut self, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(table) = &mut self.persistence {
            table.expire(now);
        }
        for server in &mut self.servers {
            if server.passive.ejected_until().is_some_and(|until| until <= now) && server.readmit(now) {
                events.push(Event::Readmitted { server: server.id, name: Arc::clone(&server.name) });
            }
        }
        if !events.is_empty() {
            self.settle(now, &mut events);
        }
        events
    }

    /// One change to a configured server and all that follows from it.
    fn change(
        &mut self,
        id: ServerId,
        now: Instant,
        change: impl FnOnce(&mut Server, Instant, &mut Vec<Event>),
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let Some(server) = self.configured_mut(id) else { return events };
        let from = server.weight();
        change(server, now, &mut events);
        let to = server.weight();
        if from != to {
            events.push(Event::WeightChanged {
                server: id,
                name: Arc::clone(&server.name),
                from: in_units(from),
                to: in_units(to),
            });
        }
        self.settle(now, &mut events);
        events
    }
}

/// The server, if it is checked and `question` is what its check asks.
fn asked(servers: &mut [Server], id: ServerId, question: Question) -> Option<&mut Server> {
    let server = servers.iter_mut().find(|server| server.id == id)?;
    (server.question == question && server.next_check().is_some()).then_some(server)
}

/// As the file counts weights.
pub(super) fn in_units(weight: u32) -> f64 {
    f64::from(weight) / f64::from(WEIGHT_UNIT)
}
