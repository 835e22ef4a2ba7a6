//! One message to one number, as it came and as it is written down.

use std::fmt;
use std::sync::Arc;

use domain::Millis;
use serde::{Deserialize, Serialize};
use wire::exchange::MessageId;
use wire::text::Text;

use crate::behaviour::{ReportFate, State};

/// As serving tells it. It holds personal data.
#[derive(Clone)]
pub struct Entry {
    pub at: Millis,
    pub account: Arc<str>,
    pub connection: u32,
    pub sequence: String,
    pub message_id: Option<MessageId>,
    pub source: Text<21>,
    pub destination: Text<21>,
    pub coding: u8,
    /// The content begins with a user data header.
    pub header: bool,
    pub part: u8,
    pub parts: u8,
    pub content: Arc<[u8]>,
    pub valid_until: Text<17>,
    pub priority: u8,
    pub report_wanted: bool,
    /// 0 for taken.
    pub code: u32,
    /// Whether the whole answer is to go out; not if the connection is cut before or within it, on purpose.
    pub answered: bool,
    pub report: ReportPlan,
    /// How many of the same destination and content were taken before.
    pub duplicates: u32,
}

/// What becomes of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportPlan {
    /// The customer wants none, or the message is not taken.
    None,
    Lost,
    Once(State),
    Twice(State),
}

/// As it is written down. It holds personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its number in the record, from 1.
    pub n: u64,
    /// When it came, in milliseconds since 1970.
    pub at: u64,
    pub account: String,
    pub connection: u32,
    pub sequence: String,
    /// In hexadecimal; none if it was not taken.
    pub message_id: Option<String>,
    pub source: String,
    pub destination: String,
    pub coding: u8,
    /// Of the user data header, if it says which part this is.
    pub reference: Option<u16>,
    pub part: u8,
    pub parts: u8,
    /// The text of the whole message, at that of its parts which made it whole; none with the others, and with what
    /// was not taken.
    pub text: Option<String>,
    /// In hexadecimal, with the user data header.
    pub content: String,
    /// As the submit writes it; empty if it leaves it to the carrier.
    pub valid_until: String,
    /// 0 to 9.
    pub priority: u8,
    pub report_wanted: bool,
    /// The answer's; 0 for taken.
    pub code: u32,
    /// Whether the whole answer is to go out; not if the connection is cut before or within it, on purpose.
    pub answered: bool,
    /// What becomes of the report: `none`, `lost`, a state, or a state and ` twice`.
    pub report: String,
    /// How many of the same destination and content were taken before, since the carrier started.
    pub duplicates: u32,
}

impl ReportPlan {
    /// For a message that is taken and wants a report.
    #[must_use]
    pub fn of(fate: &ReportFate) -> Self {
        match fate {
            ReportFate { lost: true, .. } => Self::Lost,
            ReportFate { twice: true, state, .. } => Self::Twice(state.clone()),
            ReportFate { state, .. } => Self::Once(state.clone()),
        }
    }
}

impl fmt::Display for ReportPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Lost => f.write_str("lost"),
            Self::Once(state) => state.fmt(f),
            Self::Twice(state) => write!(f, "{state} twice"),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} of {}, code {}", self.sequence, self.account, self.code)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} of {}, code {}", self.n, self.account, self.code)
    }
}
