//! How much and how long.

use std::time::{Duration, Instant};

/// What a session allows and how long it waits. A time too long for the clock is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Unanswered requests of ours at a time.
    pub window: u16,
    /// Unanswered requests of the peer at a time; those beyond are refused. So many answers are kept for repeats.
    pub inbound: u16,
    /// T: the wait for an answer; then the same bytes go out again.
    pub answer: Duration,
    /// N: how often a request goes out in all; 0 is as 1.
    pub tries: u8,
    /// C: after this silence a probe goes out. Means nothing to a protocol without probes.
    pub idle: Option<Duration>,
    /// After this silence, with nothing unanswered in either direction, the session terminates.
    pub idle_end: Option<Duration>,
    /// Client: the wait for the answer to the login. Server: the wait for the login and the decision about it.
    pub login: Duration,
}

/// `None` for never.
pub(super) fn after(now: Instant, wait: Duration) -> Option<Instant> {
    now.checked_add(wait)
}
