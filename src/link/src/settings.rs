//! How connections are made and watched.

use std::time::Duration;

use settings::{Address, Section};

/// One connection.
#[derive(Clone, Debug, PartialEq)]
pub struct LineSettings {
    pub server: Address,
    /// For the connection and the first word.
    pub connect: Duration,
    /// A peer that says nothing for so long, though it is asked, is gone.
    pub silence: Duration,
    /// Between tries to connect: from the first to the last, doubled each time.
    pub reconnect: (Duration, Duration),
    /// Messages that may be under way without a verdict.
    pub window: usize,
}

/// A server of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    pub name: String,
    pub address: Address,
    /// Share inside its tier, 1 to 1000.
    pub weight: u16,
    /// Tier: 1 is used first.
    pub priority: u8,
}

/// Several servers that can stand in for each other.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSettings {
    /// As `lb` has it: servers, tiers, rise and fall, what happens when a primary returns.
    pub pool: lb_core::config::Pool,
    /// Of each of its connections; `server` is the server's address.
    pub line: LineSettings,
}

impl PoolSettings {
    /// Reads a pool under `key` (`uaops:`): lb's words for servers, tiers, checks and the return of a primary.
    pub fn read(_section: &mut Section<'_>, _key: &'static str) -> Option<Self> {
        unimplemented!()
    }
}
