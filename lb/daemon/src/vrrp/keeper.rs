//! Keeps a guard running, and keeps it informed.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::guard::{self, Guard, Holding};

/// How often the guard hears that this process lives.
const BEAT: Duration = Duration::from_millis(20);
/// First pause before a guard is started again; doubled with each, up to [`MOST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MOST_PAUSE: Duration = Duration::from_secs(10);
/// A guard that lived so long was a good one.
const GOOD_LIFE: Duration = Duration::from_secs(60);

/// The guard, or the wish for one.
#[derive(Debug)]
pub(super) struct Keeper {
    guard: Option<Guard>,
    /// What it holds, or is to hold when there is one again.
    holdings: BTreeMap<String, Holding>,
    next_beat: Instant,
    started: Instant,
    next_start: Instant,
    pause: Duration,
}

/// What happened to the guard.
#[derive(Debug)]
pub(super) enum Happened {
    /// It let go of these.
    Fired(Vec<String>),
    Gone,
}

impl Keeper {
    pub(super) fn new(guard: Guard, now: Instant) -> Self {
        Self {
            guard: Some(guard),
            holdings: BTreeMap::new(),
            next_beat: now,
            started: now,
            next_start: now,
            pause: FIRST_PAUSE,
        }
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.guard.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn hold(&mut self, holding: Holding) {
        if let Some(guard) = &mut self.guard {
            guard.hold(&holding);
            guard.beat();
        }
        self.holdings.insert(holding.name.clone(), holding);
    }

    pub(super) fn drop_holding(&mut self, name: &str) {
        if self.holdings.remove(name).is_some()
            && let Some(guard) = &mut self.guard
        {
            guard.drop_holding(name);
        }
    }

    /// When it must be looked after next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match &self.guard {
            Some(_) if self.holdings.is_empty() => None,
            Some(_) => Some(self.next_beat),
            None => Some(self.next_start),
        }
    }

    /// Says that this process lives; starts another guard when there is none. Gives whether it did.
    ///
    /// # Errors
    /// No other guard could be started; it is tried again after a pause.
    pub(super) fn look_after(&mut self, now: Instant) -> std::io::Result<bool> {
        match &mut self.guard {
            Some(guard) if now >= self.next_beat && !self.holdings.is_empty() => {
                guard.beat();
                self.next_beat = now + BEAT;
                Ok(false)
            }
            Some(_) => Ok(false),
            None if now >= self.next_start => {
                self.next_start = now + self.pause;
                self.pause = (self.pause * 2).min(MOST_PAUSE);
                let mut guard = Guard::start()?;
                self.holdings.values().for_each(|holding| guard.hold(holding));
                guard.beat();
                self.started = now;
                self.guard = Some(guard);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    pub(super) fn read(&mut self, now: Instant) -> Option<Happened> {
        match self.guard.as_mut()?.read()? {
            guard::News::Fired(names) => {
                for name in &names {
                    self.holdings.remove(name);
                }
                Some(Happened::Fired(names))
            }
            guard::News::Gone => {
                self.guard = None;
                if now.saturating_duration_since(self.started) > GOOD_LIFE {
                    self.pause = FIRST_PAUSE;
                }
                self.next_start = now + self.pause;
                Some(Happened::Gone)
            }
        }
    }
}
