//! Whether messages should be sent here, for `/readyz`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus::Registry;
use runtime::clock::WallClock;
use runtime::endpoint::Watched;
use std::sync::Arc;
use tokio::sync::watch;

use crate::accept::Waiting;
use crate::metrics::Families;

/// What is known of the parts that this process needs.
pub struct Standing {
    pub registry: Registry,
    pub families: Arc<Families>,
    pub waiting: Arc<Waiting>,
    pub wall: WallClock,
    /// Whether the pool has a usable UAOP.
    pub pool: watch::Receiver<bool>,
    pub stopping: watch::Receiver<bool>,
    known: Mutex<Known>,
}

/// What is wrong with each, if anything.
#[derive(Debug, Default)]
struct Known {
    store: Option<String>,
    bus: Option<String>,
}

impl Standing {
    #[must_use]
    pub fn new(
        registry: Registry,
        families: Arc<Families>,
        waiting: Arc<Waiting>,
        wall: WallClock,
        pool: watch::Receiver<bool>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self { registry, families, waiting, wall, pool, stopping, known: Mutex::default() }
    }

    pub fn store(&self, wrong: Option<String>) {
        self.families.store_up.set(wrong.is_none().into());
        self.known().store = wrong;
    }

    pub fn bus(&self, wrong: Option<String>) {
        self.families.bus_up.set(wrong.is_none().into());
        self.known().bus = wrong;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched for Standing {
    fn registry(&self) -> &Registry {
        let families = &self.families;
        families.waiting.set(i64::try_from(self.waiting.now()).unwrap_or(i64::MAX));
        families.clock_jumps.inc_by(self.wall.jump_count().saturating_sub(families.clock_jumps.get()));
        &self.registry
    }

    fn ready(&self) -> Result<(), String> {
        if *self.stopping.borrow() {
            return Err("stopping".to_owned());
        }
        if let Some(wrong) = &self.known().store {
            return Err(format!("the store does not answer: {wrong}"));
        }
        if !*self.pool.borrow() {
            return Err("no UAOP is usable".to_owned());
        }
        Ok(())
    }

    /// Messages are accepted and sent without the bus; reports wait on the other side.
    fn degraded(&self) -> Option<String> {
        self.known().bus.as_ref().map(|wrong| format!("no reports come: {wrong}"))
    }
}
