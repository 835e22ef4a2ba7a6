//! What a valid file means, in types: a value of [`Config`] needs no further checks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use domain::{Class, EmpiId, Party};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// This process among those of its role.
    pub node: String,
    /// Its data centre.
    pub site: String,
    /// The sender of messages of the center's own.
    pub empi: EmpiId,
    pub store: store::Place,
    pub bus: bus::Place,
    /// Of topics that are missing.
    pub partitions: u32,
    /// Where messages of the center's own go; `None`: it sends none.
    pub uaops: Option<link::PoolSettings>,
    /// Where the API is served.
    pub http: SocketAddr,
    /// Where `/metrics`, `/healthz` and `/readyz` are served; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    pub log: Log,
    /// In which days are counted.
    pub time_zone: TimeZone,
    /// How long a report is waited for.
    pub patience: Duration,
    /// How long messages, alarms and figures are kept.
    pub keep: Duration,
    pub numbers: Numbers,
    pub classes: Classes,
    pub operators: Vec<Operator>,
}

/// `log:`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub format: runtime::logging::Format,
    /// A level or a filter, as `tracing` has them.
    pub level: String,
}

/// Which EMPI owns which access numbers, by prefix; the empty prefix is all others'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(pub BTreeMap<String, EmpiId>);

impl Numbers {
    /// The owner by the longest prefix.
    #[must_use]
    pub fn owner(&self, number: &Party) -> Option<&EmpiId> {
        let ends = number.0.char_indices().map(|(end, _)| end).chain([number.0.len()]);
        ends.rev().find_map(|end| self.0.get(&number.0[..end]))
    }

    /// Every EMPI that owns a number.
    #[must_use]
    pub fn owners(&self) -> BTreeSet<&EmpiId> {
        self.0.values().collect()
    }
}

/// Whether messages of a class may be sent again by an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Of the classes that the file does not name.
    pub default: bool,
    pub named: BTreeMap<Class, bool>,
}

impl Classes {
    #[must_use]
    pub fn resend(&self, class: &Class) -> bool {
        self.named.get(class).copied().unwrap_or(self.default)
    }
}

/// Somebody who may use the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    pub name: String,
    pub token: Token,
    pub read: bool,
    pub send: bool,
    /// Whether numbers and texts are shown whole.
    pub numbers: bool,
    /// From where; empty: from anywhere.
    pub sources: Vec<IpNet>,
}

impl Operator {
    #[must_use]
    pub fn may_come_from(&self, source: IpAddr) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|network| network.contains(&source.to_canonical()))
    }
}

/// What an operator shows; only its hash is kept, so that a comparison tells nothing by the time it takes.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

impl Token {
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}
