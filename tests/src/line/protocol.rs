//! The four protocols, and how a customer and its carrier are set up for each.

use std::net::SocketAddr;

use super::keys::{Keys, quoted};

/// The name of the account at both ends.
pub const ACCOUNT: &str = "bank";
/// Its access number.
pub const ACCESS_NUMBER: &str = "1069000001";
/// What the customer logs in with.
pub const SECRET: &str = "a secret";
/// What the carrier logs in with, where it connects to the customer.
pub const CARRIER_SECRET: &str = "another one";

/// A protocol in a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    Cmpp20,
    Cmpp30,
    Sgip12,
    Smgp30,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cmpp20, Self::Cmpp30, Self::Sgip12, Self::Smgp30];

    /// As the files write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cmpp20 => "cmpp-2.0",
            Self::Cmpp30 => "cmpp-3.0",
            Self::Sgip12 => "sgip-1.2",
            Self::Smgp30 => "smgp-3.0",
        }
    }

    /// The key of the carrier's listener.
    #[must_use]
    pub fn family(self) -> &'static str {
        match self {
            Self::Cmpp20 | Self::Cmpp30 => "cmpp",
            Self::Sgip12 => "sgip",
            Self::Smgp30 => "smgp",
        }
    }

    /// What the customer's login says it is.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Cmpp20 | Self::Cmpp30 => "901234",
            Self::Sgip12 => "bank",
            Self::Smgp30 => "12345678",
        }
    }

    /// The code by which a carrier says "too fast".
    #[must_use]
    pub fn too_fast(self) -> u32 {
        match self {
            Self::Cmpp20 | Self::Cmpp30 => 8,
            Self::Sgip12 => 88,
            Self::Smgp30 => 1,
        }
    }

    /// An item of the gateway's `accounts`, for a carrier at `server`. Only SGIP uses `listener`, which is the gateway's.
    /// Its waits are short.
    #[must_use]
    pub fn account(self, server: SocketAddr, listener: SocketAddr) -> Keys {
        let keys = Keys::new()
            .set("name", ACCOUNT)
            .set("protocol", self.word())
            .set("server", quoted(server))
            .set("id", quoted(self.id()))
            .set("secret", quoted(SECRET))
            .set("number", quoted(ACCESS_NUMBER))
            .set("reconnect", "{ first: 20ms, most: 200ms }")
            .set("slow_down", "{ pause: 50ms, recovery: 1s }")
            .set("retry", "{ first: 50ms, most: 500ms }");
        match self {
            Self::Cmpp20 | Self::Cmpp30 | Self::Smgp30 => keys,
            Self::Sgip12 => {
                let listen = Keys::new()
                    .set("address", quoted(listener))
                    .set("name", "smg")
                    .set("password", quoted(CARRIER_SECRET))
                    .set("carriers", "[ 127.0.0.0/8 ]");
                keys.set("enterprise", quoted("12345")).set("area", quoted("010")).set("listen", listen)
            }
        }
    }

    /// The same account at the carrier. Its waits are short, too.
    #[must_use]
    pub fn customer(self, listener: SocketAddr) -> Keys {
        let keys = Keys::new()
            .set("protocol", self.word())
            .set("id", quoted(self.id()))
            .set("secret", quoted(SECRET))
            .set("connections", 16);
        match self {
            Self::Cmpp20 | Self::Cmpp30 | Self::Smgp30 => keys,
            Self::Sgip12 => {
                let dial = Keys::new()
                    .set("address", quoted(listener))
                    .set("id", "smg")
                    .set("secret", quoted(CARRIER_SECRET))
                    .set("again", "50ms");
                keys.set("dial", dial)
            }
        }
    }
}
