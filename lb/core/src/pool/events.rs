//! What others must know or do after a change.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ServerId;
use crate::config::Rate;

/// A change, in the order in which it happened. Servers that a reload removed are announced by their
/// [`Event::CloseConnections`] only.
#[must_use]
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The server takes new connections (once its ejection, if any, is over).
    ServerUp {
        server: ServerId,
        name: Arc<str>,
        /// What kept it down or draining until now.
        after: Reason,
    },
    /// The server takes new connections only from sources that persistence sends to it.
    ServerDraining { server: ServerId, name: Arc<str>, reason: Reason },
    /// The server takes no connections.
    ServerDown { server: ServerId, name: Arc<str>, reason: Reason },
    /// Too many live connections failed.
    Ejected { server: ServerId, name: Arc<str>, for_: Duration },
    /// The ejection is over, or void: no other server was left, or passive health was turned off.
    Readmitted { server: ServerId, name: Arc<str> },
    /// The server's share (slow start aside) was changed by an operator or the agent.
    WeightChanged { server: ServerId, name: Arc<str>, from: f64, to: f64 },
    /// The server's name resolves to another address.
    AddressChanged { server: ServerId, name: Arc<str>, from: Option<SocketAddr>, to: SocketAddr },
    /// The server's next check came forward to now: whoever sleeps until it must wake up.
    CheckNow { server: ServerId },
    /// Some server is usable again; the sorry server does not count.
    PoolUp,
    /// No server is usable; the sorry server does not count.
    PoolDown,
    /// The first tier with a usable server is another one; `None` = there is none.
    TierChanged { from: Option<u8>, to: Option<u8> },
    /// Close the connections that the server has now, those that are being made included.
    CloseConnections { server: ServerId, reason: CloseReason, pace: Pace },
}

/// Why a server is not up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The active check failed; with its text.
    Check(Arc<str>),
    /// The name does not resolve.
    Unresolved,
    /// The operator's `maint`.
    Maintenance,
    /// The operator's `drain`.
    Drain,
    /// The agent's `down`, `fail`, `stopped`; with its text.
    AgentDown(Arc<str>),
    AgentMaint,
    AgentDrain,
    WeightZero,
}

impl Reason {
    /// One word without particulars, for labels.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::Unresolved => "unresolved",
            Self::Maintenance => "maint",
            Self::Drain => "drain",
            Self::AgentDown(_) => "agent_down",
            Self::AgentMaint => "agent_maint",
            Self::AgentDrain => "agent_drain",
            Self::WeightZero => "weight_zero",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(text) => write!(f, "check: {text}"),
            Self::Unresolved => f.write_str("its name does not resolve"),
            Self::Maintenance => f.write_str("set to maint"),
            Self::Drain => f.write_str("set to drain"),
            Self::AgentDown(text) => write!(f, "agent: {text}"),
            Self::AgentMaint => f.write_str("agent: maint"),
            Self::AgentDrain => f.write_str("agent: drain"),
            Self::WeightZero => f.write_str("its weight is 0"),
        }
    }
}

/// Why connections are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The server went down (`on_down`); an ejection is no such reason, because established connections may
    /// well work where new ones fail.
    ServerDown,
    /// As `ServerDown`, by the operator or the agent.
    Maint,
    /// A reload took the server out of the pool (`on_down`).
    Removed,
    /// The server's name resolves to another address (`on_down`).
    AddressChanged,
    /// A higher tier is usable again (`on_return`).
    PrimaryReturned,
}

/// How fast connections are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    AtOnce,
    /// One after the other.
    Drain {
        rate: Rate,
        /// Each closing comes up to this much of its interval early or late, 0 to 100.
        jitter_percent: u8,
    },
}
