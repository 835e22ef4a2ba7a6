//! Why a session is over: for people and for counters.

use std::io;

use wire::protocol::Protocol;
use wire::session::Down;

use crate::metrics::connection::{Attempt, End};

/// Why a session is over.
#[derive(Debug)]
pub(in crate::connection) enum Why {
    Session(Down),
    /// The peer closed the connection.
    Closed,
    Error(io::Error),
}

impl Why {
    /// For people.
    pub(in crate::connection) fn reason<P: Protocol>(&self) -> String {
        match self {
            Self::Session(Down::Refused { status }) => {
                let meaning = P::login_meaning(*status);
                format!("the login was refused with {status}: {} ({})", meaning.english, meaning.chinese)
            }
            Self::Session(down) => down.to_string(),
            Self::Closed => "the carrier closed the connection".to_owned(),
            Self::Error(error) => error.to_string(),
        }
    }

    /// Of a session that never was up.
    pub(in crate::connection) fn attempt(&self) -> Attempt {
        match self {
            Self::Session(Down::Refused { .. }) => Attempt::Refused,
            Self::Session(_) | Self::Closed | Self::Error(_) => Attempt::Failed,
        }
    }

    /// Of a session that was up; `stopped`: it was told to end.
    pub(in crate::connection) fn label(&self, stopped: bool) -> End {
        match self {
            _ if stopped => End::Stopped,
            Self::Session(Down::Terminated) => End::Stopped,
            Self::Session(Down::IdleEnd) => End::Idle,
            Self::Session(Down::PeerTerminated) => End::PeerTerminated,
            Self::Session(Down::ProbesUnanswered) => End::ProbesUnanswered,
            Self::Session(Down::Frame(_)) => End::OutOfStep,
            Self::Session(Down::UnknownCommand(_)) => End::UnknownCommand,
            Self::Session(Down::Refused { .. } | Down::LoginTimeout | Down::BadLogin(_)) => End::Login,
            Self::Closed => End::Closed,
            Self::Error(_) => End::Error,
        }
    }

    /// Without a probe, that is how a connection ends which nobody needs.
    pub(in crate::connection) fn is_idle<P: Protocol>(&self) -> bool {
        match self {
            Self::Session(Down::IdleEnd) => true,
            Self::Session(Down::PeerTerminated) | Self::Closed => P::probe().is_none(),
            Self::Session(_) | Self::Error(_) => false,
        }
    }
}
