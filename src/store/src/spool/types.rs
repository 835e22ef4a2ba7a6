//! What goes into the spool and comes out of it.

use std::fmt;

use domain::event::Outcome;
use domain::{Account, Event, Millis, Submission};

use crate::sqlite::{StoreError, Tuning};

#[derive(Clone, Copy, Debug)]
pub struct SpoolSettings {
    /// From how many waiting jobs on new messages are refused. What belongs to messages already taken never is.
    pub queue: usize,
    /// When this process started, by its clock; see [`super::Recovered::epoch`].
    pub started: Millis,
    pub tuning: Tuning,
}

/// A message that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Grows in the order in which messages are taken, and is never given twice.
    pub key: i64,
    pub submission: Submission,
    pub progress: String,
    pub taken_at: Millis,
}

/// What became of a message that was handed in; durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    New {
        key: i64,
    },
    /// Its id is known; nothing was changed.
    Duplicate {
        key: i64,
        /// Whether it is the same submission in every field.
        same: bool,
        /// None: not finished yet.
        outcome: Option<Outcome>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Replaces the message's progress. A message that is finished or unknown stays so.
    Progress { key: i64, progress: String },
    /// The message is done: from now on only its id, a digest and the outcome are kept. One that is finished or unknown
    /// stays as it is.
    Finish { key: i64, outcome: Outcome, at: Millis },
    /// Gets the next number.
    Event(Event),
    /// Replaces the one of the same id.
    Fragment(Fragment),
    /// Ids of fragments; unknown ones are passed over.
    FragmentsGone(Vec<i64>),
}

/// Changes that were not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    pub error: StoreError,
    pub changes: Vec<Change>,
}

/// Whoever reads events under a name of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    pub name: String,
    /// It has all events up to here.
    pub acknowledged: i64,
}

/// A part of a user's long message; the others have not come yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Fragment {
    /// The giver's, unique among the fragments that are kept.
    pub id: i64,
    pub account: Account,
    /// What the parts of one message have in common. Personal data.
    pub key: String,
    pub part: u8,
    pub parts: u8,
    /// The data coding of the content, as it came.
    pub coding: u8,
    pub content: Vec<u8>,
    pub at: Millis,
}

impl fmt::Debug for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, account, key: _, part, parts, coding, content, at } = self;
        f.debug_struct("Fragment")
            .field("id", id)
            .field("account", account)
            .field("part", part)
            .field("parts", parts)
            .field("coding", coding)
            .field("bytes", &content.len())
            .field("at", at)
            .finish_non_exhaustive()
    }
}

/// How much the spool holds, as of the last commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages.
    pub unfinished: u64,
    /// Events not acknowledged.
    pub events: u64,
    /// The number of the last event that there ever was; 0 before the first.
    pub last_event: i64,
}
