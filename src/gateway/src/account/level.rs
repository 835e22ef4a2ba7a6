//! How an account stands, for whoever asks.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One account at a moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Level {
    pub account: domain::Account,
    /// `cmpp-3.0` and so on.
    pub protocol: String,
    pub connections: Vec<ConnectionLevel>,
    /// Messages that wait for their turn.
    pub waiting: usize,
    /// Messages whose outcome is not known.
    pub unfinished: usize,
    /// Parts submitted and not answered.
    pub under_way: u32,
    /// Parts a second that may be sent now; none = no limit.
    pub rate_limit: Option<f64>,
    /// Whether the carrier asked for less.
    pub slowed: bool,
    pub alarms: Vec<Alarm>,
    /// Whether parts can be submitted at all.
    pub ready: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ConnectionLevel {
    pub connection: u32,
    pub up: bool,
}

/// What somebody should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alarm {
    /// A connection is down.
    Link,
    /// Too many submits are refused or not answered.
    Answers,
    /// The spool cannot be written.
    Spool,
}

/// Where an account shows how it stands.
#[derive(Clone, Debug)]
pub struct Board(Arc<Mutex<Level>>);

impl Board {
    #[must_use]
    pub fn new(account: domain::Account, protocol: &'static str) -> Self {
        Self(Arc::new(Mutex::new(Level {
            account,
            protocol: protocol.to_owned(),
            connections: Vec::new(),
            waiting: 0,
            unfinished: 0,
            under_way: 0,
            rate_limit: None,
            slowed: false,
            alarms: Vec::new(),
            ready: false,
        })))
    }

    /// As it was shown last.
    #[must_use]
    pub fn read(&self) -> Level {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn show(&self, change: impl FnOnce(&mut Level)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
