//! The guard: a tiny process that holds what it takes to let go. When the daemon dies or gives no sign of life, it
//! says priority 0 for it and withdraws the addresses, so that the other host takes over in milliseconds and no
//! address is left behind.
//!
//! It is a child of the daemon, connected by a socket pair whose messages are one datagram each. It goes when the
//! daemon goes. When the guard goes first, nothing happens but that the daemon starts another.

mod client;
mod process;
mod watch;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use client::{Guard, News};
pub use process::run;

use super::outgoing::Spec;

/// What is to be let go of, and what is to be said then.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Holding {
    /// Unique among the holdings of a daemon.
    pub name: String,
    /// Where the advertisement goes out.
    pub link: u32,
    pub link_name: String,
    /// Where the addresses are.
    pub address_link: u32,
    pub addresses: Vec<IpNet>,
    pub advert: Spec,
}

/// From the daemon.
#[derive(Debug, Deserialize, Serialize)]
enum Message {
    Hold(Box<Holding>),
    Drop(String),
    /// A sign of life.
    Beat,
}

/// To the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
enum Reply {
    /// The daemon gave no sign of life: its addresses are withdrawn, and it holds none any more.
    Fired,
}

/// A message's greatest size: 510 addresses with their prefix lengths, destinations and a key.
const MOST: usize = 128 * 1024;
