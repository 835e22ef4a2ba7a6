//! What a valid configuration file means, in types: a value of [`Config`] needs no further checks.

mod check;
mod listener;
mod pool;
mod vrrp;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

pub use check::*;
pub use listener::*;
pub use pool::*;
pub use settings::Address;
pub use vrrp::*;

/// One node's whole configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Worker threads of the data plane; `None` = one per core that this process may use.
    pub workers: Option<NonZeroUsize>,
    /// What is logged, and how.
    pub log: Log,
    /// How the daemon stops.
    pub stop: Stop,
    /// The HTTP endpoint for Prometheus; `None` = no endpoint.
    pub metrics: Option<Metrics>,
    /// The administration socket.
    pub admin: Admin,
    /// How server names are resolved.
    pub resolver: Resolver,
    /// Listeners in the file's order; names are unique, addresses do not overlap.
    pub listeners: Vec<Listener>,
    /// Pools in the file's order; names are unique; every listener's pool is here.
    pub pools: Vec<Pool>,
    /// Virtual addresses in the file's order; names are unique, and so is a VRID on an interface.
    pub virtual_routers: Vec<VirtualRouter>,
}

/// `log:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: LogFormat,
    /// A `tracing` filter: `info`, `warn,lb=debug`.
    pub level: String,
    /// Whether one record per connection is written at its end.
    pub access: bool,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// `stop:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// How long live connections may go on after SIGTERM; then they are closed.
    pub drain: Duration,
}

/// `metrics:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    pub listen: SocketAddr,
}

/// `admin:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Path of the Unix socket.
    pub socket: PathBuf,
}

/// `resolver:`; names of servers are looked up again while running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// Name servers; empty = those of the host (`/etc/resolv.conf`).
    pub servers: Vec<SocketAddr>,
    /// How often each name is looked up again.
    pub interval: Duration,
    /// How long one look-up may take.
    pub timeout: Duration,
}
