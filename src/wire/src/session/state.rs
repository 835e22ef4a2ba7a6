//! Where a session stands.

use super::event::Down;
use crate::protocol::{Protocol, Secret};

/// A client begins with `LoggingIn`, a server with `AwaitingLogin`; both go on to `Up` and, from anywhere, to
/// `Ended` and `Over`.
pub(super) enum State<P: Protocol> {
    /// Our login is out.
    LoggingIn {
        login: P::Pdu,
        secret: Secret,
    },
    /// The peer has not logged in yet.
    AwaitingLogin,
    /// The peer's login waits for `accept` or `refuse`.
    Deciding {
        sequence: P::Sequence,
        login: P::Pdu,
    },
    Up,
    /// Our TERMINATE is out.
    Ending {
        why: Down,
    },
    /// It is over, and the user has not been told.
    Ended {
        why: Down,
    },
    /// It is over, and the user knows.
    Over,
}

impl<P: Protocol> State<P> {
    /// From `Ended` to `Over`; returns why.
    pub(super) fn close(&mut self) -> Option<Down> {
        match *self {
            Self::Ended { why } => {
                *self = Self::Over;
                Some(why)
            }
            Self::LoggingIn { .. } | Self::AwaitingLogin | Self::Deciding { .. } => None,
            Self::Up | Self::Ending { .. } | Self::Over => None,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::LoggingIn { .. } => "LoggingIn",
            Self::AwaitingLogin => "AwaitingLogin",
            Self::Deciding { .. } => "Deciding",
            Self::Up => "Up",
            Self::Ending { .. } => "Ending",
            Self::Ended { .. } => "Ended",
            Self::Over => "Over",
        }
    }
}
