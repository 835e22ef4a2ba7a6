//! The pool as plain data, for people and metrics.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::control::in_units;
use super::server::{CheckState, LastCheck, Server, Standing};
use super::{AdminState, Counters, Pool, Reason, ServerId};

/// A pool at one moment.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Status {
    pub name: String,
    /// Servers that are usable; the sorry server does not count.
    pub usable: usize,
    /// The first tier with a usable server.
    pub active_tier: Option<u8>,
    pub tiers: Vec<TierStatus>,
    /// By tier, then the sorry server, then servers that the file no longer has but that have connections.
    pub servers: Vec<ServerStatus>,
    /// Sources that persistence remembers.
    pub persistent_sources: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TierStatus {
    pub priority: u8,
    pub servers: u32,
    pub usable: u32,
    /// Of all new connections.
    pub load_percent: u32,
    /// All its servers are used, whether healthy or not.
    pub panic: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ServerStatus {
    pub id: ServerId,
    pub name: String,
    /// As in the file.
    pub address: String,
    /// `None` = the name does not resolve.
    pub resolved: Option<String>,
    pub sorry: bool,
    pub tier: u8,
    /// The file's.
    pub weight: u16,
    /// What operator, agent and slow start made of it; 0 unless the server is usable.
    pub effective_weight: f64,
    pub state: State,
    /// Why it is not up.
    pub reason: Option<String>,
    /// How long the server has been up, draining or down (ejection aside).
    pub state_seconds: f64,
    pub admin: AdminState,
    /// Connections, those that are being made included.
    pub live: u32,
    /// Connections that are being made.
    pub pending: u32,
    /// At this moment; `None` = no limit.
    pub max_connections: Option<u32>,
    /// Left of an ejection.
    pub ejected_seconds: Option<f64>,
    /// Failures of live connections in the window.
    pub failures: usize,
    /// `None` = not checked, or not yet.
    pub check: Option<CheckStatus>,
    pub counters: Counters,
}

/// One word for what the server does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Up,
    Draining,
    Ejected,
    Down,
    Maint,
    /// No longer in the file.
    Retired,
}

/// The last active check.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct CheckStatus {
    pub passed: bool,
    /// `passed`, or why not.
    pub text: String,
    pub took_seconds: f64,
    pub ago_seconds: f64,
}

impl Pool {
    /// How many servers are usable; the sorry server does not count.
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// Whether no usable server is known to work: of those that are checked, none has passed its last check. At a
    /// start they are taken to be up, and may not be.
    pub fn is_unproven(&self) -> bool {
        let works = |server: &Server| match &server.check {
            None => true,
            Some(check) => check.last.as_ref().is_some_and(|last| last.failure.is_none()),
        };
        let mut usable = self.servers.iter().filter(|server| server.usable() && !server.sorry).peekable();
        usable.peek().is_some() && !usable.any(works)
    }

    pub fn status(&self, now: Instant) -> Status {
        Status {
            name: self.settings.name.clone(),
            usable: self.usable,
            active_tier: self.active_tier,
            tiers: self
                .tiers
                .iter()
                .map(|tier| TierStatus {
                    priority: tier.priority,
                    servers: tier.share.total,
                    usable: tier.share.usable,
                    load_percent: tier.load.percent,
                    panic: tier.load.panic,
                })
                .collect(),
            servers: self.servers.iter().map(|server| self.server_status(server, now)).collect(),
            persistent_sources: self.persistence.as_ref().map_or(0, |table| table.len()),
        }
    }

    fn server_status(&self, server: &Server, now: Instant) -> ServerStatus {
        let slow_start = self.settings.slow_start;
        let weight = if server.usable() { server.slowed_weight(slow_start, now) } else { 0 };
        let ejection = server.passive.ejected_until().map(|until| until.saturating_duration_since(now));
        ServerStatus {
            id: server.id,
            name: server.name.to_string(),
            address: server.settings.address.to_string(),
            resolved: server.resolved.map(|address| address.to_string()),
            sorry: server.sorry,
            tier: server.settings.priority,
            weight: server.settings.weight,
            effective_weight: in_units(weight),
            state: state(server),
            reason: server.standing.reason().map(Reason::to_string),
            state_seconds: now.saturating_duration_since(server.standing_since).as_secs_f64(),
            admin: server.admin,
            live: server.live,
            pending: server.pending,
            max_connections: server.limit(slow_start, now),
            ejected_seconds: ejection.map(|left| left.as_secs_f64()),
            failures: self.settings.passive.map_or(0, |settings| server.passive.failures(&settings, now)),
            check: server.check.as_ref().and_then(|check| check_status(check, now)),
            counters: server.counters,
        }
    }
}

fn state(server: &Server) -> State {
    match &server.standing {
        _ if server.retired => State::Retired,
        Standing::Down(Reason::Maintenance | Reason::AgentMaint) => State::Maint,
        Standing::Down(_) => State::Down,
        Standing::Up | Standing::Draining(_) if server.passive.ejected_until().is_some() => State::Ejected,
        Standing::Draining(_) => State::Draining,
        Standing::Up => State::Up,
    }
}

fn check_status(check: &CheckState, now: Instant) -> Option<CheckStatus> {
    let LastCheck { at, took, failure } = check.last.as_ref()?;
    Some(CheckStatus {
        passed: failure.is_none(),
        text: failure.as_deref().unwrap_or("passed").to_owned(),
        took_seconds: took.as_secs_f64(),
        ago_seconds: now.saturating_duration_since(*at).as_secs_f64(),
    })
}
