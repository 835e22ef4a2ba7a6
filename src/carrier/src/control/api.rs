//! What goes over the control port, in JSON.

use std::fmt;
use std::net::SocketAddr;

use domain::text::Preference;
use domain::{MessageText, Number};
use serde::{Deserialize, Serialize};
use settings::Fault;

use crate::account::LinkId;
use crate::behaviour::Ending;

/// `GET /messages`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Those with a number above this one.
    #[serde(default)]
    pub after: u64,
    /// At most so many; 1000 if it is not said, or said to be more.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// `GET /accounts`, one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountStatus {
    pub name: String,
    pub protocol: String,
    pub id: String,
    /// As the file and [`Behaviour`](crate::behaviour::Behaviour) write it.
    pub behaviour: serde_json::Value,
    pub connections: Vec<ConnectionStatus>,
}

/// A connection that is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionStatus {
    pub id: LinkId,
    pub peer: SocketAddr,
    /// When it logged in, in milliseconds since 1970.
    pub since: u64,
    /// One that the carrier opened.
    pub dialled: bool,
    /// It takes reports and MO.
    pub carries: bool,
    pub window: u16,
    /// Submits that wait for their answer.
    pub submits: usize,
    /// Reports and MO that wait for theirs.
    pub deliveries: usize,
}

/// `POST /mo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoRequest {
    pub account: String,
    pub from: Number,
    /// The account's access number, with an extension or without.
    pub to: Number,
    pub text: MessageText,
    /// Of a text that is more than ASCII.
    #[serde(default)]
    pub coding: Preference,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoTaken {
    pub parts: usize,
}

/// `POST /disconnect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disconnect {
    pub account: String,
    pub how: Ending,
    /// One of them; all if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<LinkId>,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disconnected {
    pub connections: usize,
}

/// The answer to what could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub error: String,
    /// Of a behaviour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}
