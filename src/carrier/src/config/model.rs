//! What a valid file means, in types: a value of [`Config`] needs no further checks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use runtime::logging::Format;
use serde::Serialize;
use wire::protocol::{Secret, Version};
use wire::text::Text;

use crate::behaviour::Behaviour;

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub listen: Listen,
    /// The control port, which serves `/metrics`, `/healthz` and `/readyz` too.
    pub control: SocketAddr,
    /// Where every message is written down; `None`: nowhere.
    pub record: Option<RecordFile>,
    /// Of all chance.
    pub seed: u32,
    /// The number of this carrier's gateway: a part of its message ids, the node in SGIP's sequences.
    pub node: u32,
    /// Of the times in PDUs.
    pub time_zone: TimeZone,
    pub log: Log,
    pub timers: Timers,
    /// By name.
    pub accounts: Vec<Account>,
}

/// `listen:`. A protocol without an address is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    pub cmpp: Option<SocketAddr>,
    pub sgip: Option<SocketAddr>,
    pub smgp: Option<SocketAddr>,
}

/// `record:`, by the file's suffix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordFile {
    /// `.jsonl`: one JSON object a line.
    Lines(PathBuf),
    /// Any other.
    Sqlite(PathBuf),
}

/// `log:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: Format,
    /// A `tracing` filter: `info`, `warn,carrier=debug`.
    pub level: String,
}

/// `timers:`, of every session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// T: wait for an answer to a report or MO, then send it again.
    pub answer: Duration,
    /// T of SGIP.
    pub sgip_answer: Duration,
    /// N: tries in all.
    pub tries: u8,
    /// C: silence, then a probe; `None`: no probes.
    pub probe: Option<Duration>,
    /// Wait for the login of a new connection.
    pub login: Duration,
    /// A report or MO that was refused or not answered is sent again after this.
    pub again: Duration,
}

/// One account.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub name: String,
    pub protocol: AccountProtocol,
    pub id: Text<16>,
    pub secret: Secret,
    /// The access number: the source of each submit begins with it; `None`: not checked.
    pub number: Option<String>,
    /// At most at a time.
    pub connections: u16,
    /// Unanswered requests of a connection, in each direction.
    pub window: u16,
    /// Messages a second of all its connections; above it: the protocol's code for "busy". `None`: no limit.
    pub rate: Option<u32>,
    /// Where its connections may come from; empty: from anywhere.
    pub sources: Vec<IpNet>,
    pub behaviour: Behaviour,
}

/// `protocol:`, with what only this protocol has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountProtocol {
    Cmpp20,
    Cmpp30,
    Sgip12(Sgip),
    Smgp30 { modes: Vec<Mode> },
}

/// What only accounts of SGIP have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sgip {
    /// The node number in the customer's sequences; `None`: not checked.
    pub node: Option<u32>,
    /// Reports and MO go down the customer's own connections.
    pub duplex: bool,
    /// The customer's own connections are closed after this long without anything to say or to wait for; `None`: never.
    pub idle: Option<Duration>,
    /// The customer's listener for reports and MO.
    pub dial: Option<Dial>,
}

/// `dial:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dial {
    pub address: SocketAddr,
    pub id: Text<16>,
    pub secret: Secret,
    /// The connection ends after this long without anything to say.
    pub idle: Duration,
    /// After a failure, or a connection that left something waiting, it is dialled again after this.
    pub again: Duration,
}

/// SMGP `LoginMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Send,
    Receive,
    Transmit,
}

/// Which listener serves an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    Cmpp,
    Sgip,
    Smgp,
}

impl AccountProtocol {
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Cmpp20 | Self::Cmpp30 => Family::Cmpp,
            Self::Sgip12(_) => Family::Sgip,
            Self::Smgp30 { .. } => Family::Smgp,
        }
    }

    #[must_use]
    pub fn version(&self) -> Version {
        match self {
            Self::Cmpp20 => Version(0x20),
            Self::Cmpp30 | Self::Smgp30 { .. } => Version(0x30),
            Self::Sgip12(_) => Version(0x12),
        }
    }

    /// The greatest code that an answer to a submit can carry.
    #[must_use]
    pub fn greatest_code(&self) -> u32 {
        match self {
            Self::Cmpp20 | Self::Sgip12(_) => u8::MAX.into(),
            Self::Cmpp30 | Self::Smgp30 { .. } => u32::MAX,
        }
    }

    /// As the file writes it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cmpp20 => "cmpp-2.0",
            Self::Cmpp30 => "cmpp-3.0",
            Self::Sgip12(_) => "sgip-1.2",
            Self::Smgp30 { .. } => "smgp-3.0",
        }
    }
}

impl Family {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cmpp => "cmpp",
            Self::Sgip => "sgip",
            Self::Smgp => "smgp",
        }
    }
}

impl Listen {
    /// The addresses to listen on.
    pub fn addresses(&self) -> impl Iterator<Item = (Family, SocketAddr)> {
        [(Family::Cmpp, self.cmpp), (Family::Sgip, self.sgip), (Family::Smgp, self.smgp)]
            .into_iter()
            .filter_map(|(family, address)| Some((family, address?)))
    }
}

impl Mode {
    /// As `LoginMode` writes it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Send => 0,
            Self::Receive => 1,
            Self::Transmit => 2,
        }
    }
}
