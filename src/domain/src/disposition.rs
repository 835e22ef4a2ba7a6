//! What an answer of a carrier means for the message.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What to do after a carrier's answer to a submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Taken; a report may follow.
    Accepted,
    /// Too fast: slow the account down and try again; not a failure of the message.
    SlowDown,
    /// Not now, through no fault of the message (busy, system failure): try again later.
    Later,
    /// Never: the same submit will be refused again.
    Final,
}

/// A carrier's code, explained: for decisions, for people, in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub disposition: Disposition,
    pub chinese: &'static str,
    pub english: &'static str,
}

impl fmt::Display for Meaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.english, self.chinese)
    }
}
