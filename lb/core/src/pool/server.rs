//! One server: what is configured, what is known, what follows from both.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Reason;
use crate::balance::maglev;
use crate::config::{self, Address};
use crate::health::agent::{AgentHealth, AgentMode, AgentWeight};
use crate::health::{Active, AgentReply, Passive, Schedule};

/// Names a server in its pool: stable over reconfigurations, never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub struct ServerId(pub(super) u32);

/// What a check of a server asks: it becomes another one with the server's address, the check's settings, and
/// when the server comes back from maintenance. The answer to a former question says nothing about the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question(u64);

/// The operator's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminState {
    #[default]
    Ready,
    /// New connections only from sources that persistence sends here.
    Drain,
    /// No new connections, no checks.
    Maint,
}

/// Since the server was first configured; only ever growing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Counters {
    /// Connections that were made.
    pub connections: u64,
    pub connect_failures: u64,
    /// Reset by the server so soon that it counts as a failure.
    pub early_resets: u64,
    pub checks_passed: u64,
    pub checks_failed: u64,
    /// How often the server went down.
    pub downs: u64,
    pub ejections: u64,
}

#[derive(Debug)]
pub(super) struct Server {
    pub id: ServerId,
    pub name: Arc<str>,
    pub settings: config::Server,
    pub sorry: bool,
    /// Taken out of the configuration; only its connections are left.
    pub retired: bool,
    pub resolved: Option<SocketAddr>,
    pub admin: AdminState,
    pub runtime_weight: Option<u16>,
    pub check: Option<CheckState>,
    pub question: Question,
    pub agent: Agent,
    pub passive: Passive,
    /// Readmitted, and no connection was made since: its ejection is over, but it may be as dead as before.
    pub on_trial: bool,
    pub counters: Counters,
    /// Connections, those that are being made included.
    pub live: u32,
    /// Connections that are being made.
    pub pending: u32,
    /// Memory of the smooth round robin.
    pub current: i64,
    /// Of the address, for the source hash.
    pub hash: u64,
    /// As last announced.
    pub standing: Standing,
    pub standing_since: Instant,
    pub serving: bool,
    pub has_served: bool,
    pub slow_start_from: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct CheckState {
    pub health: Active,
    pub schedule: Schedule,
    pub last: Option<LastCheck>,
}

#[derive(Debug)]
pub(super) struct LastCheck {
    pub at: Instant,
    pub took: Duration,
    /// `None` = passed.
    pub failure: Option<Arc<str>>,
}

/// All that the agent has said and not taken back.
#[derive(Clone, Debug, Default)]
pub(super) struct Agent {
    pub weight: Option<AgentWeight>,
    pub max_connections: Option<u32>,
    pub mode: AgentMode,
    pub down: Option<Arc<str>>,
}

/// What the server may take, ejection aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Up,
    Draining(Reason),
    Down(Reason),
}

/// Weights are counted in these, so that a percentage of a percentage of the file's weight stays whole.
pub(super) const WEIGHT_UNIT: u32 = 100 * 100;

impl Server {
    pub fn new(id: ServerId, settings: config::Server, sorry: bool, now: Instant) -> Self {
        let resolved = match &settings.address {
            Address::Socket(address) => Some(*address),
            Address::Name { .. } => None,
        };
        let hash = maglev::hash(settings.address.to_string().as_bytes());
        let mut server = Self {
            id,
            name: settings.name.as_str().into(),
            check: settings.check.as_ref().map(|check| CheckState::new(check, now)),
            question: Question::default(),
            settings,
            sorry,
            retired: false,
            resolved,
            admin: AdminState::Ready,
            runtime_weight: None,
            agent: Agent::default(),
            passive: Passive::default(),
            on_trial: false,
            counters: Counters::default(),
            live: 0,
            pending: 0,
            current: 0,
            hash,
            standing: Standing::Up,
            standing_since: now,
            serving: false,
            has_served: false,
            slow_start_from: None,
        };
        server.standing = server.assess();
        server
    }

    /// Nobody has asked this yet: whatever is under way does not count, and the next check is due.
    pub fn ask_anew(&mut self, now: Instant) {
        self.question = self.question.next();
        if let Some(check) = &mut self.check {
            check.schedule.at_once(now);
        }
    }

    /// See [`super::Pool::next_check`].
    pub fn next_check(&self) -> Option<Instant> {
        let checkable = !self.retired && self.admin != AdminState::Maint && self.resolved.is_some();
        self.check.as_ref().filter(|_| checkable).map(|check| check.schedule.next())
    }

    /// What follows from operator, name, check and agent; the strictest reason first.
    pub fn assess(&self) -> Standing {
        if self.admin == AdminState::Maint {
            return Standing::Down(Reason::Maintenance);
        }
        if self.agent.mode == AgentMode::Maint {
            return Standing::Down(Reason::AgentMaint);
        }
        if self.resolved.is_none() {
            return Standing::Down(Reason::Unresolved);
        }
        if let Some(text) = self.check.as_ref().and_then(CheckState::failure) {
            return Standing::Down(Reason::Check(text));
        }
        if let Some(text) = &self.agent.down {
            return Standing::Down(Reason::AgentDown(Arc::clone(text)));
        }
        if self.admin == AdminState::Drain {
            return Standing::Draining(Reason::Drain);
        }
        if self.agent.mode == AgentMode::Drain {
            return Standing::Draining(Reason::AgentDrain);
        }
        if self.weight() == 0 {
            return Standing::Draining(Reason::WeightZero);
        }
        Standing::Up
    }

    /// May take any new connection, as far as its limit allows. The sorry server never counts.
    pub fn usable(&self) -> bool {
        !self.sorry && self.standing == Standing::Up && self.admitted()
    }

    /// May take a connection of a source that was here before.
    pub fn serves_persistent(&self) -> bool {
        !self.sorry && !matches!(self.standing, Standing::Down(_)) && self.admitted()
    }

    /// May be tried although it is thought to be down: only what operator and agent have not forbidden.
    pub fn usable_in_panic(&self) -> bool {
        let wanted = self.admin == AdminState::Ready && self.agent.mode == AgentMode::Ready;
        !self.sorry && !self.retired && wanted && self.resolved.is_some() && self.weight() > 0
    }

    /// Ends an ejection; true when there was one.
    pub fn readmit(&mut self, now: Instant) -> bool {
        let readmitted = self.passive.readmit(now);
        // one that is down will come up for a reason of its own
        self.on_trial |= readmitted && !matches!(self.standing, Standing::Down(_));
        readmitted
    }

    fn admitted(&self) -> bool {
        !self.retired && self.passive.ejected_until().is_none()
    }

    /// In [`WEIGHT_UNIT`]s, slow start aside.
    pub fn weight(&self) -> u32 {
        let weight = u32::from(self.runtime_weight.unwrap_or(self.settings.weight));
        match self.agent.weight {
            None => weight * WEIGHT_UNIT,
            Some(AgentWeight::Percent(percent)) => weight * u32::from(percent) * (WEIGHT_UNIT / 100),
            Some(AgentWeight::Absolute(weight)) => u32::from(weight) * WEIGHT_UNIT,
        }
    }

    /// In [`WEIGHT_UNIT`]s; at least 1 for a server that has weight at all.
    pub fn slowed_weight(&self, slow_start: Option<Duration>, now: Instant) -> u32 {
        let weight = self.weight();
        (weight / 100 * self.slow_start_percent(slow_start, now)).max(weight.min(1))
    }

    /// 1 to 100.
    pub fn slow_start_percent(&self, slow_start: Option<Duration>, now: Instant) -> u32 {
        let (Some(whole), Some(from)) = (slow_start, self.slow_start_from) else { return 100 };
        let elapsed = now.saturating_duration_since(from);
        let percent = (elapsed.as_nanos() * 100).checked_div(whole.as_nanos()).unwrap_or(100);
        u32::try_from(percent).unwrap_or(100).clamp(1, 100)
    }

    /// Most connections now; `None` = no limit. The agent's word replaces the file's.
    pub fn limit(&self, slow_start: Option<Duration>, now: Instant) -> Option<u32> {
        let limit =
            self.agent.max_connections.or(self.settings.max_connections).filter(|&limit| limit > 0)?;
        let slowed = u64::from(limit) * u64::from(self.slow_start_percent(slow_start, now)) / 100;
        Some(u32::try_from(slowed).unwrap_or(u32::MAX).max(1))
    }

    pub fn has_room(&self, slow_start: Option<Duration>, now: Instant) -> bool {
        self.limit(slow_start, now).is_none_or(|limit| self.live < limit)
    }
}

impl Question {
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl CheckState {
    pub fn new(check: &config::Check, now: Instant) -> Self {
        Self { health: fresh_health(check), schedule: Schedule::new(now), last: None }
    }

    /// Back to the start state, as if nothing had been checked yet.
    pub fn restart(&mut self, check: &config::Check) {
        self.health = fresh_health(check);
    }

    fn failure(&self) -> Option<Arc<str>> {
        if self.health.is_up() {
            return None;
        }
        let last = self.last.as_ref().and_then(|last| last.failure.clone());
        Some(last.unwrap_or_else(|| "has not passed often enough yet".into()))
    }
}

fn fresh_health(check: &config::Check) -> Active {
    Active::new(check.rise, check.fall, check.start)
}

impl Agent {
    pub fn apply(&mut self, reply: AgentReply) {
        self.weight = reply.weight.or(self.weight);
        self.max_connections = reply.max_connections.or(self.max_connections);
        self.mode = reply.mode.unwrap_or(self.mode);
        match reply.health {
            None => {}
            Some(AgentHealth::Up) => self.down = None,
            Some(AgentHealth::Down { reason }) => self.down = Some(reason.into()),
        }
    }
}

impl Standing {
    /// Whether both are announced in the same words, but for particulars.
    pub fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Up => None,
            Self::Draining(reason) | Self::Down(reason) => Some(reason),
        }
    }
}
