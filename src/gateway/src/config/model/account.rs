//! `accounts:`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::Number;
use domain::text::{Preference, ReferenceWidth, Signature};
use ipnet::IpNet;
use wire::exchange::Profile;
use wire::protocol::{Credentials, Secret, Version};
use wire::session::Limits;
use wire::text::Text;

use super::{Address, Hours};

/// Unanswered requests of a carrier on one connection: more than carriers are known to have. The contract's window is
/// about submits; a report that is refused may be lost.
pub const INBOUND: u16 = 1024;

/// An account at a carrier.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub name: domain::Account,
    pub protocol: Protocol,
    pub server: Address,
    /// The local address to dial from.
    pub source: Option<IpAddr>,
    /// One for each connection, at the position that is the connection's id; at least one, 65 at most.
    pub logins: Vec<Login>,
    /// Unanswered submits on one connection.
    pub window: u16,
    pub timers: Timers,
    pub reconnect: Backoff,
    /// Parts a second over all connections; `None` = as fast as the carrier answers.
    pub rate: Option<u32>,
    pub slow_down: SlowDown,
    /// For parts which the carrier does not take now, through no fault of theirs.
    pub retry: Backoff,
    /// The number that handsets show, before its extension.
    pub number: Number,
    pub profile: Profile,
    pub hours: Hours,
    pub text: TextRules,
    /// How long the other parts of a user's long message are waited for.
    pub mo_wait: Duration,
    /// SGIP: where the carrier connects to, with reports and users' messages.
    pub listen: Option<Listen>,
}

impl Account {
    /// Of each of its sessions.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let Timers { answer, tries, idle, idle_end, login, .. } = self.timers;
        Limits { window: self.window, inbound: INBOUND, answer, tries, idle: Some(idle), idle_end, login }
    }
}

/// A protocol and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Cmpp20,
    Cmpp30,
    Sgip12,
    Smgp30,
}

impl Protocol {
    /// The version byte of a login.
    #[must_use]
    pub const fn version(self) -> Version {
        match self {
            Self::Cmpp20 => Version(0x20),
            Self::Cmpp30 | Self::Smgp30 => Version(0x30),
            Self::Sgip12 => Version(0x12),
        }
    }

    /// As the file writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cmpp20 => "cmpp-2.0",
            Self::Cmpp30 => "cmpp-3.0",
            Self::Sgip12 => "sgip-1.2",
            Self::Smgp30 => "smgp-3.0",
        }
    }
}

/// What one connection logs in as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub credentials: Credentials,
    /// Whether submits may go over it: not in SMGP's mode "receive".
    pub sends: bool,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// T: for an answer, before the same request goes out again.
    pub answer: Duration,
    /// N: how often a request goes out, in all.
    pub tries: u8,
    /// C: for any byte, before a probe goes out. SGIP has no probe and does not use it.
    pub idle: Duration,
    /// SGIP: for anything to do, before the connection is given up until there is.
    pub idle_end: Option<Duration>,
    /// For the answer to the login, or for the login.
    pub login: Duration,
    /// For TCP.
    pub connect: Duration,
}

/// Waiting that doubles each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    /// Not shorter than `first`.
    pub most: Duration,
}

/// What a carrier's "too fast" does to the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowDown {
    /// Nothing is sent for so long; then the account goes on at half its rate.
    pub pause: Duration,
    /// Parts a second below which it does not go.
    pub least_rate: u32,
    /// After so long without another such answer it has its rate again.
    pub recovery: Duration,
}

/// How text becomes short messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextRules {
    /// Of what is not ASCII.
    pub coding: Preference,
    pub reference: ReferenceWidth,
    /// A text of more parts is refused.
    pub most_parts: u8,
    pub signature: Option<Signature>,
}

/// Where an SGIP carrier connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub address: SocketAddr,
    /// What the carrier logs in with.
    pub name: Text<16>,
    pub password: Secret,
    /// Where it may connect from; not empty.
    pub carriers: Vec<IpNet>,
}
