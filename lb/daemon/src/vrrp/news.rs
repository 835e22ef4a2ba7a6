//! What the thread of the virtual routers tells the control side.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// One thing that happened to one virtual router, in order.
#[derive(Clone, Debug)]
pub struct News {
    pub at: Instant,
    pub router: Arc<str>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// For the flight recorder.
    Happened { kind: Kind, text: String },
    /// The state is another, or there is another reason for it; for the flight recorder and for notifications.
    StateChanged {
        state: State,
        reason: String,
        priority: u8,
        /// It is Active because another router no longer is, of no operator's will.
        took_over: bool,
    },
    /// What `lb status` shows; sent after every change.
    Status(Box<RouterStatus>),
    /// A reload took it out of the file.
    Gone,
}

/// What an entry of the flight recorder is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A virtual router is in another state, or there is another reason for it.
    State,
    /// A decision between two routers, with its inputs.
    Election,
    /// Advertisements that were missed, refused, or differ from ours.
    Adverts,
    /// Addresses installed, removed, lost.
    Addresses,
    /// Gratuitous ARP, unsolicited neighbour advertisements; claims of others.
    Announcement,
    /// The priority, and what makes it.
    Priority,
    /// A link or an address of the host.
    Link,
    /// The guard.
    Guard,
    /// The operator.
    Command,
    /// A server or a pool.
    Health,
    /// A reload.
    Config,
    /// A notification that was sent or failed.
    Notification,
    /// The daemon itself: started, stopping, a stalled thread.
    Daemon,
}

/// One word for what a virtual router is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Initialize,
    Backup,
    Active,
    Fault,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Initialize => "initialize",
            Self::Backup => "backup",
            Self::Active => "active",
            Self::Fault => "fault",
        }
    }

    /// As keepalived's exporter numbers them.
    pub fn number(self) -> i64 {
        match self {
            Self::Initialize => 0,
            Self::Backup => 1,
            Self::Active => 2,
            Self::Fault => 3,
        }
    }
}

/// A virtual router at one moment.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct RouterStatus {
    pub name: String,
    pub interface: String,
    pub vrid: u8,
    pub version: u8,
    /// With their prefix lengths.
    pub addresses: Vec<String>,
    pub state: State,
    /// Why it is in that state, in words.
    pub reason: String,
    /// Seconds in that state.
    pub state_seconds: f64,
    /// What it advertises, or would.
    pub priority: u8,
    /// The file's.
    pub configured_priority: u8,
    /// What makes the priority another one than the file's; what keeps it from serving. Empty = all is well.
    pub burdens: Vec<String>,
    /// Released by the operator; it does not preempt.
    pub held: bool,
    pub advert_interval_seconds: f64,
    /// The router that advertises, if it is not this one.
    pub active_peer: Option<ActivePeer>,
    /// The last time that it became Active.
    pub last_take_over: Option<TakeOver>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct ActivePeer {
    pub source: String,
    pub priority: u8,
    /// Seconds since it was heard.
    pub heard_seconds: f64,
}

/// From the decision to the announcement of the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
pub struct TakeOver {
    pub ago_seconds: f64,
    pub took_seconds: f64,
}
