//! How many messages wait for a UAOP.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::problem::{Code, Problem};

/// A count between two looks at the store, which knows better.
#[derive(Debug)]
pub struct Waiting {
    most: u64,
    now: AtomicU64,
}

impl Waiting {
    #[must_use]
    pub fn new(most: u64) -> Self {
        Self { most, now: AtomicU64::new(0) }
    }

    /// Whether so many more may wait.
    ///
    /// # Errors
    /// They may not.
    pub fn room(&self, more: u64) -> Result<(), Problem> {
        let now = self.now();
        if now.saturating_add(more) <= self.most {
            return Ok(());
        }
        let message = format!("{now} messages wait to be sent, {} may", self.most);
        Err(Problem::new(Code::QueueFull, message).after(10))
    }

    #[must_use]
    pub fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    pub fn add(&self, more: u64) {
        self.now.fetch_add(more, Ordering::Relaxed);
    }

    pub fn remove(&self, less: u64) {
        // the closure is never refused
        let _ =
            self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(less)));
    }

    /// The store has so many.
    pub fn learn(&self, counted: u64) {
        self.now.store(counted, Ordering::Relaxed);
    }
}
