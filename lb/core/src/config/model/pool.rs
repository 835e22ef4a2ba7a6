//! `pools:` and their servers.

use std::net::IpAddr;
use std::time::Duration;

use super::{Address, Agent, Check, Rate};

/// A group of servers that can stand in for each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    pub name: String,
    pub balance: Balance,
    pub tiers: Tiers,
    pub persistence: Option<Persistence>,
    /// Active check of every server that has none of its own; `None` = no active check.
    pub check: Option<Check>,
    /// HAProxy's agent protocol beside the check.
    pub agent: Option<Agent>,
    /// Ejection by what live connections show; `None` = off.
    pub passive: Option<Passive>,
    pub connect: Connect,
    /// What becomes of connections on a server that goes down.
    pub on_down: OnDown,
    /// What becomes of connections on a lower tier when a higher one is usable again.
    pub on_return: OnReturn,
    /// PROXY protocol out.
    pub proxy_protocol: Option<ProxyVersion>,
    pub egress: Egress,
    /// Time over which a server that came up grows from 1 % to all of its weight; `None` = at once.
    pub slow_start: Option<Duration>,
    /// How long a connection may wait for a slot when every usable server is at its limit; zero = not at all.
    pub queue_timeout: Duration,
    /// Where connections go when no server is usable: the last tier, neither checked nor ejected.
    pub sorry_server: Option<Address>,
    /// In the file's order; names and addresses are unique; the sum of weights is not zero.
    pub servers: Vec<Server>,
}

/// One server. Its identity is its address; all else can change without losing health or connections.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    pub name: String,
    pub address: Address,
    /// Share inside its tier, 0 to 1000; 0 = no new connections.
    pub weight: u16,
    /// Tier: 1 is used first.
    pub priority: u8,
    /// Connections at one time; `None` = no limit.
    pub max_connections: Option<u32>,
    /// The pool's check, or this server's own; `None` = not checked.
    pub check: Option<Check>,
}

/// Order among the servers of one tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// nginx's smooth weighted round robin.
    RoundRobin,
    /// Fewest connections per weight; ties by round robin.
    LeastConnections,
    /// The less loaded of two weighted random picks.
    RandomTwo,
    /// Maglev hash of the source address.
    SourceHash,
}

/// How tiers share the traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tiers {
    /// A lower tier is used only when no server of the higher tiers is usable.
    Classic,
    /// Envoy's priority levels: a tier hands over the part that it cannot carry.
    SpillOver(SpillOver),
}

/// Envoy's parameters; see [`Tiers::SpillOver`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpillOver {
    /// Usable share × this = share of traffic that a tier can carry, in percent (140 = factor 1.4).
    pub overprovisioning_percent: u16,
    /// A tier with a smaller usable share uses all its servers when the tiers together cannot carry
    /// everything; 0 = never.
    pub panic_threshold_percent: u8,
}

/// A source goes to the server that it had, as long as that is usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Persistence {
    /// Since the source's last connection began.
    pub timeout: Duration,
    /// Sources that share this many leading bits are one.
    pub prefix_v4: u8,
    pub prefix_v6: u8,
}

/// Ejection by live connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passive {
    /// So many failures in `window` eject the server.
    pub failures: u32,
    /// A real sliding window.
    pub window: Duration,
    /// First ejection; the n-th in a row lasts n times as long.
    pub ejection: Duration,
    pub max_ejection: Duration,
    /// A reset by the server so soon after connect, before it sent a byte, is a failure; zero = never.
    pub early_reset: Duration,
}

/// Time limits of reaching a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect {
    /// For one attempt.
    pub timeout: Duration,
    /// For all attempts of one client connection together.
    pub budget: Duration,
}

/// See [`Pool::on_down`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDown {
    Keep,
    Close,
}

/// See [`Pool::on_return`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReturn {
    Stay,
    Close,
    /// Close them little by little.
    Drain {
        rate: Rate,
        /// Each closing comes up to this much of its interval early or late, 0 to 100.
        jitter_percent: u8,
    },
}

/// Version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyVersion {
    V1,
    V2,
}

/// The address from which connections to servers leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Egress {
    /// The kernel's choice.
    Auto,
    /// This one (a floating address that moves with the VIP).
    Address(IpAddr),
    /// The client's own (IP_TRANSPARENT).
    Transparent,
}
