//! What a session tells its user.

use std::time::Duration;

use thiserror::Error;

use crate::error::{DecodeError, FrameError};
use crate::protocol::{Login, Protocol, Welcome};

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<P: Protocol> {
    /// Server: the peer wants to log in; call [`accept`](super::Session::accept) or
    /// [`refuse`](super::Session::refuse).
    Login(Login),
    /// Client: the server took the login. Server: the login was accepted; then the welcome has status 0 and the
    /// version of the session.
    Up(Welcome),
    /// The answer to a request of ours; `took` is counted from the first time that it went out, and `tries` says how
    /// often it did.
    Answered { sequence: P::Sequence, pdu: P::Pdu, took: Duration, tries: u8 },
    /// A request of ours went out as often as it may, and the wait for an answer is over. Its place in the window
    /// is free again. Whether the peer took it is not known.
    Unanswered { sequence: P::Sequence },
    /// The wait for an answer is over; the same bytes go out again, for the `tries`th time.
    Repeated { sequence: P::Sequence, tries: u8 },
    /// A request of the peer; answer it with [`respond`](super::Session::respond). It is given once, unless the peer
    /// repeats it after as many others as [`Limits::inbound`](super::Limits::inbound) have been answered: then it cannot be told from a new one.
    Request { sequence: P::Sequence, pdu: P::Pdu },
    /// The peer did something odd, and the session has dealt with it: to be counted and logged.
    Oddity(Oddity<P::Sequence>),
    /// The last event.
    Down(Down),
}

/// What a peer should not do, and a session lives through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Oddity<S> {
    /// Dropped.
    #[error("an answer {command:#010x} to {sequence}, for which nobody waits")]
    Stray { sequence: S, command: u32 },
    /// Answered with [`Protocol::cannot`] if that has an answer.
    #[error("{command:#010x} with sequence {sequence} cannot be read: {error}")]
    Malformed { sequence: S, command: u32, error: DecodeError },
    /// Dropped.
    #[error("an unknown command {command:#010x} with sequence {sequence}")]
    Unknown { sequence: S, command: u32 },
    /// A login on a session that is up already: refused, the session goes on.
    #[error("{command:#010x} with sequence {sequence} is not served here")]
    NotServed { sequence: S, command: u32 },
    /// The sequence of another request of the last ones: answered with [`Protocol::cannot`].
    #[error("sequence {sequence} is used for another request")]
    SequenceReused { sequence: S },
    /// The same request again. If it was answered, the answer goes out again; else it is dropped, and answered once
    /// when its answer is there.
    #[error("the request {sequence} came again")]
    RequestRepeated { sequence: S },
    /// The peer has as many unanswered requests as it may: answered with [`Protocol::cannot`], and forgotten.
    #[error("the request {sequence} is beyond the window")]
    WindowExceeded { sequence: S },
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Down {
    /// The login was refused, by the peer or by us; see [`Protocol::login_meaning`].
    #[error("the login was refused with status {status}")]
    Refused { status: u32 },
    /// Client: no answer to the login. Server: no login, or no decision about it.
    #[error("the login took too long")]
    LoginTimeout,
    /// The peer does not log in, or does not answer the login, as the protocol says.
    #[error("a bad login: {0}")]
    BadLogin(&'static str),
    /// We ended it.
    #[error("ended by us")]
    Terminated,
    /// The peer ended it.
    #[error("ended by the peer")]
    PeerTerminated,
    #[error("probes stay unanswered")]
    ProbesUnanswered,
    /// We ended it, because nothing was to be done.
    #[error("ended by us after a silence")]
    IdleEnd,
    #[error("the stream is out of step: {0}")]
    Frame(FrameError),
    /// A command that the protocol does not know and does not forgive.
    #[error("an unknown command {0:#010x}")]
    UnknownCommand(u32),
}

/// Why a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotSent {
    #[error("the session is not up")]
    NotUp,
    #[error("as many requests are unanswered as may be")]
    WindowFull,
}
