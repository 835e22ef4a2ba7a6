//! What the account holds, and what it says of it.

use domain::event::Outcome;
use domain::lifecycle::Delivery;
use domain::{Account, GatewayId, Meaning, Millis, Submission};

use crate::account::lines::Place;
use crate::account::queue::Key;
use crate::config::{Backoff, Hours, SlowDown};

/// What does not change while the gateway runs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub gateway: GatewayId,
    /// When the gateway started.
    pub epoch: Millis,
    pub account: Account,
    /// Parts a second.
    pub rate: Option<u32>,
    pub slow_down: SlowDown,
    pub hours: Hours,
    /// The pauses after each "later".
    pub retry: Backoff,
}

/// A message that is not finished.
#[derive(Debug)]
pub struct Held {
    pub submission: Submission,
    pub delivery: Delivery,
    pub taken: Millis,
    /// When its first part was pushed.
    pub pushed: Option<Millis>,
    /// Pushes so far, and those among them that may make duplicates.
    pub pushes: u32,
    pub uncertain_pushes: u32,
    /// The sequences that the carrier gave.
    pub resp_sequences: Vec<String>,
    /// How often a part of it got lost, in this run.
    pub losses: u16,
    /// Of the answer that refused it.
    pub refusal: Option<Meaning>,
}

/// A message that is finished, for its access record.
#[derive(Debug)]
pub struct Finished {
    pub held: Held,
    pub outcome: Outcome,
}

/// A part whose turn it is: it has a place in the connection's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub place: Place,
    pub key: Key,
    pub part: u8,
}

/// What an answer was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The account has become slower.
    pub slowed: bool,
    /// The alarm about bad answers has gone on or off.
    pub alarm: Option<bool>,
}

/// A delivery as the spool keeps it.
#[must_use]
pub fn progress(delivery: &Delivery) -> String {
    serde_json::to_string(delivery).unwrap_or_default()
}

/// How many parts the message has.
#[must_use]
pub fn parts(delivery: &Delivery) -> u8 {
    u8::try_from(delivery.parts().len()).unwrap_or(u8::MAX)
}
