//! The guard: a tiny process that holds what it takes to let go. When the daemon dies or hangs, the guard sends
//! priority 0 and withdraws the addresses, so that a peer takes over in milliseconds and no address is left behind.
//!
//! | module | what it is |
//! |---|---|
//! | [`Guard`] | the daemon's end |
//! | [`run`] | the process |
//! | `watch` | what is held, and when to let go; no clock, no socket |
//! | `log` | its lines, for which it never waits |
//!
//! They talk over a socket pair, one message a datagram. The daemon's end closes when the daemon ends, however it
//! does; what was queued is read before that is seen. The guard may die without harm: the daemon starts another.

mod client;
mod log;
mod process;
#[cfg(test)]
mod tests;
mod watch;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use self::client::{Guard, News};
pub use self::process::run;
use super::outgoing::Spec;

/// What is to be let go of, and what is to be said then.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Holding {
    /// Unique among the holdings.
    pub name: String,
    /// Index and name of the link out of which advertisements go.
    pub link: u32,
    pub link_name: String,
    /// Index of the link that has the addresses.
    pub address_link: u32,
    pub addresses: Vec<IpNet>,
    pub advert: Spec,
}

/// From the daemon. Each is a sign of life.
#[derive(Debug, Deserialize, Serialize)]
enum Message {
    /// The numbers grow.
    Hold {
        number: u64,
        holding: Box<Holding>,
    },
    Drop(String),
    Beat,
}

/// To the daemon.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
enum Reply {
    /// The daemon gave no sign of life. Everything was let go of that it had said up to this number.
    Fired { number: u64 },
}

/// The longest message, in bytes: 255 IPv6 addresses for 30 unicast peers.
const MESSAGE_BYTES: usize = 512 * 1024;
