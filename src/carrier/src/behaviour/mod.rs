//! How this carrier behaves, and what that means for each submit. Pure: the time is an argument, chance comes from a
//! seed, the account and what the submit says, so that the same submits meet the same fate in whatever order they come.

pub mod dice;
pub mod due;
pub mod fate;
pub mod latency;
pub mod rate;
pub mod share;
pub mod state;

use std::collections::BTreeMap;

use serde::Serialize;

pub use dice::{Key, Print};
pub use due::DueQueue;
pub use fate::{CutFate, Fate, ReportFate};
pub use latency::Latency;
pub use rate::Bucket;
pub use share::Share;
pub use state::State;

/// What an account meets. It may change at any time; a submit meets what stands when it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Behaviour {
    /// From a submit to its answer.
    pub answer: Latency,
    /// Refusals by their code; together at most 100 %, the rest is taken.
    pub answer_codes: BTreeMap<u32, Share>,
    /// Taken, reported, and never answered.
    pub unanswered: Share,
    /// From the answer to the report.
    pub report: Latency,
    /// States by their share; together at most 100 %, the rest is delivered.
    pub report_states: BTreeMap<State, Share>,
    /// Reports that go over another connection of the account than the submit, if there is one.
    pub report_elsewhere: Share,
    /// Reports that go out before the answer.
    pub report_first: Share,
    /// Reports that never go out.
    pub report_lost: Share,
    /// Reports that go out twice.
    pub report_twice: Share,
    pub disconnect: Disconnect,
    /// Accept connections, and say nothing.
    pub pause: bool,
}

/// When a connection is cut, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disconnect {
    /// At every so many submits of a connection.
    pub after: Option<u32>,
    /// And by chance.
    pub share: Share,
    /// One of these is taken, by chance; not empty.
    pub at: Vec<Point>,
    pub how: Ending,
}

/// A place at which a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// The submit is taken, its answer is not sent.
    BeforeAnswer,
    AfterAnswer,
    /// In the middle of the answer's bytes.
    WithinAnswer,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// With the protocol's own request to end.
    Terminate,
    /// The socket is closed.
    Close,
    /// The socket is reset.
    Reset,
}
