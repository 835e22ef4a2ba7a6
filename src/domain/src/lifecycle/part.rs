//! One part of a message, and what to do when its fate is not known.

use serde::{Deserialize, Serialize};

use crate::event::Attempt;

/// Where one part stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// To be pushed, as `attempt`.
    Waiting {
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: Attempt,
        /// How often the carrier has said "later" so far. "Slow down" is not counted: it is about the account.
        #[serde(default, skip_serializing_if = "is_zero")]
        tries: u16,
    },
    /// On its way; the answer is to come.
    Pushed {
        push_sequence: String,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        attempt: Attempt,
        /// As in [`Part::Waiting`].
        #[serde(default, skip_serializing_if = "is_zero")]
        tries: u16,
    },
    /// The carrier has it.
    Accepted {
        /// The carrier's message id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resp_sequence: Option<String>,
    },
    /// The carrier refused it for good, or too often for now.
    Refused {
        code: u32,
        /// An earlier push of it was lost: the carrier may have it all the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        in_doubt: bool,
    },
    /// It is not known whether the carrier has it, and it is not sent again.
    Uncertain,
}

/// What to do with a part of which it is not known whether the carrier has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUncertain {
    /// Send it again: the user may get it twice.
    Resend,
    /// Do not: the user may never get it. It is said to be uncertain.
    Mark,
}

impl Part {
    /// Before the first push.
    pub(super) const NEW: Self = Self::Waiting { attempt: Attempt::First, tries: 0 };

    /// Whether the carrier may have it out of a push that was never answered.
    pub(super) fn in_doubt(&self) -> bool {
        match self {
            Self::Waiting { attempt, .. } | Self::Pushed { attempt, .. } => *attempt == Attempt::Uncertain,
            Self::Refused { in_doubt, .. } => *in_doubt,
            Self::Uncertain => true,
            Self::Accepted { .. } => false,
        }
    }
}

fn first() -> Attempt {
    Attempt::First
}

fn is_first(attempt: &Attempt) -> bool {
    *attempt == Attempt::First
}

fn is_zero(tries: &u16) -> bool {
    *tries == 0
}
