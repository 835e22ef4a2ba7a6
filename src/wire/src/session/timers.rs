//! What a session waits for, beside the answers to its requests.

use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The login, or its answer.
    Login,
    /// Silence; then a probe.
    Idle,
    /// The answer to a probe.
    Probe,
    /// Silence; then the end.
    IdleEnd,
    /// The answer to our TERMINATE.
    End,
}

impl Timer {
    const ALL: [Self; 5] = [Self::Login, Self::Idle, Self::Probe, Self::IdleEnd, Self::End];
}

#[derive(Debug, Default)]
pub(super) struct Timers {
    at: [Option<Instant>; Timer::ALL.len()],
}

impl Timers {
    /// Sets or, with `None`, stops a timer.
    pub(super) fn set(&mut self, timer: Timer, at: Option<Instant>) {
        self.at[timer as usize] = at;
    }

    pub(super) fn stop_all(&mut self) {
        *self = Self::default();
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.at.iter().flatten().min().copied()
    }

    /// Takes one that is due, the earliest first; it is stopped by that.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let next = self.next().filter(|&at| at <= now)?;
        let due = Timer::ALL.into_iter().find(|&timer| self.at[timer as usize] == Some(next))?;
        self.set(due, None);
        Some(due)
    }
}
