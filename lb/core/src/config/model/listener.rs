//! `listeners:`.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;

/// One service: the addresses it listens on, whom it lets in, and where they go.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    pub name: String,
    /// Every address, port ranges written out; never empty.
    pub binds: Vec<SocketAddr>,
    /// Name of the pool.
    pub pool: String,
    /// IP_FREEBIND: bind to an address that this host does not hold yet.
    pub freebind: bool,
    /// Length of the accept queue; the kernel caps it at `net.core.somaxconn`.
    pub backlog: u32,
    /// TCP keepalive towards clients and servers; `None` = off.
    pub keepalive: Option<Keepalive>,
    /// TCP_USER_TIMEOUT towards clients and servers; `None` = off.
    pub user_timeout: Option<Duration>,
    /// Connections at one time over all workers; one more is refused with RST.
    pub max_connections: Option<u32>,
    /// Connections at one time from one source address.
    pub max_connections_per_source: Option<u32>,
    /// New connections from one source address.
    pub rate_per_source: Option<Rate>,
    pub access: AccessList,
    /// PROXY protocol in; `None` = not expected from anyone.
    pub proxy_protocol: Option<AcceptProxy>,
    /// A connection with no byte in either direction for so long is closed; `None` = never.
    pub idle_timeout: Option<Duration>,
    /// A connection this old is closed; `None` = never.
    pub max_age: Option<MaxAge>,
}

/// TCP keepalive: first probe after `idle`, then every `interval`, dead after `count` without answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    pub idle: Duration,
    pub interval: Duration,
    pub count: u32,
}

/// `count` events in `per`; a burst of `count` is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At least 1.
    pub count: u32,
    /// Not zero.
    pub per: Duration,
}

/// Who may connect: a source in `deny` is refused; then, if `allow` is not empty, it must be in `allow`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    pub allow: Vec<IpNet>,
    pub deny: Vec<IpNet>,
}

/// PROXY protocol in: v1 or v2 is required from `trusted` sources, and not looked for from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptProxy {
    /// Never empty.
    pub trusted: Vec<IpNet>,
    /// The whole header must have come by then.
    pub timeout: Duration,
}

/// Largest age of a connection, lowered at random by up to `jitter_percent` so that not all end at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge {
    pub age: Duration,
    /// 0 to 100.
    pub jitter_percent: u8,
}
