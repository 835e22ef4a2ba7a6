//! What a valid configuration file means, in types: a value of [`Config`] needs no further checks.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::{Class, EmpiId};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use link::PoolSettings;
use reqwest::Url;
use runtime::config::Log;

/// The whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which bank front-end; the EMPIs of a pair share it.
    pub empi: EmpiId,
    /// This process, unique among the EMPIs.
    pub node: String,
    /// Its data centre.
    pub site: String,
    pub http: Http,
    /// Where `/metrics`, `/healthz` and `/readyz` are served; `None` = nowhere.
    pub metrics: Option<SocketAddr>,
    pub log: Log,
    pub store: store::Place,
    pub bus: bus::Place,
    pub uaops: PoolSettings,
    /// Whose days quotas are counted by.
    pub time_zone: TimeZone,
    /// How many messages may wait for a UAOP; beyond it none is accepted.
    pub waiting: u64,
    /// How long messages, reports and users' messages are kept.
    pub keep: Duration,
    /// Parts of one message, at most.
    pub most_parts: u8,
    /// At least one; messages of another class are refused.
    pub classes: BTreeSet<Class>,
    /// At least one; their names, keys and tokens differ.
    pub banks: Vec<Bank>,
}

/// The API's socket and what protects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
    /// Peers from here begin each connection with a PROXY protocol header that names their client.
    pub proxy_protocol: Vec<IpNet>,
    /// Open at one time.
    pub connections: usize,
    /// For the head of a request, from the first byte, and for a PROXY header.
    pub head: Duration,
    /// For its body.
    pub body: Duration,
    /// The largest body, in bytes.
    pub largest: usize,
    /// How long requests are still answered after the process was told to stop.
    pub drain: Duration,
}

/// A system of the bank.
#[derive(Clone, Debug, PartialEq)]
pub struct Bank {
    pub name: domain::Bank,
    /// At least one.
    pub keys: Vec<Key>,
    /// Messages (and other requests) a second; `None` = no limit.
    pub rate: Option<NonZeroU32>,
    /// Messages a day; `None` = no limit.
    pub quota: Option<u64>,
    /// Where its requests may come from; empty = from anywhere.
    pub sources: Vec<IpNet>,
    /// Requests under way at one time.
    pub at_once: usize,
    /// Requests that wait for reports at one time.
    pub polls: usize,
    /// Where it wants to be called; its first signing key signs.
    pub callback: Option<Callback>,
}

/// How a bank shows who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Each request is signed.
    Signed { name: String, secret: Secret },
    /// Each request carries this.
    Token(Secret),
}

/// Calls to a bank.
#[derive(Clone, Debug, PartialEq)]
pub struct Callback {
    /// `http` or `https`.
    pub url: Url,
    /// Calls under way at one time.
    pub at_once: usize,
    /// For one call, all in all.
    pub timeout: Duration,
    /// Between tries: from the first to the last, doubled each time.
    pub retry: (Duration, Duration),
    /// How long it is tried.
    pub give_up: Duration,
}

/// Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Bank {
    /// The key that signs calls to it.
    #[must_use]
    pub fn signing_key(&self) -> Option<(&str, &Secret)> {
        self.keys.iter().find_map(|key| match key {
            Key::Signed { name, secret } => Some((name.as_str(), secret)),
            Key::Token(_) => None,
        })
    }
}
