//! What is joined, and what it is joined by.

use crate::event::Happened;
use crate::{Carrier, Disposition, MessageCopy, Told, UaopId, UserMessage};

/// What is joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    Copy(MessageCopy),
    /// `Pushed`, `Answered`, `Finished` or `Reported`; others change nothing.
    Told(Told),
    /// A user's message, with the EMPI that owns its number.
    Mo(UserMessage),
}

/// Which message an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum About<'a> {
    Message(&'a UaopId),
    /// The part that this carrier has given this id.
    Response(&'a Carrier, &'a str),
}

/// Which message `told` is about; `None`: about none.
#[must_use]
pub fn about(told: &Told) -> Option<About<'_>> {
    match &told.event.happened {
        Happened::Pushed { uaop_id, .. }
        | Happened::Answered { uaop_id, .. }
        | Happened::Finished { uaop_id, .. } => Some(About::Message(uaop_id)),
        // A report is of a part: one whose gateway knows only half is as good as one that it does not know.
        Happened::Reported { uaop_id: Some(uaop_id), part: Some(1..), .. } => Some(About::Message(uaop_id)),
        Happened::Reported { resp_sequence, .. } => Some(About::Response(&told.carrier, resp_sequence)),
        Happened::Mo { .. }
        | Happened::MoIncomplete { .. }
        | Happened::UserState { .. }
        | Happened::LinkUp { .. }
        | Happened::LinkDown { .. } => None,
    }
}

/// The id that the carrier has given a part, if this is what `told` says: whose, which part, the id.
#[must_use]
pub fn answered(told: &Told) -> Option<(&UaopId, u8, &str)> {
    match &told.event.happened {
        Happened::Answered {
            uaop_id,
            part: part @ 1..,
            resp_sequence: Some(resp_sequence),
            disposition: Disposition::Accepted,
            ..
        } => Some((uaop_id, *part, resp_sequence)),
        _ => None,
    }
}
