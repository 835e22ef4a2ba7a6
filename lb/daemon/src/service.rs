//! What the data plane and the control plane share: listeners and pools.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use lb_core::config;
use lb_core::limit::SourceTable;
use lb_core::pool::{Event, Pool, ServerId};
use tokio::sync::Notify;

use crate::metrics::{ListenerMetrics, Metrics, ServerMetrics};

/// One listener as the data plane sees it: never changed, replaced as a whole by a reload.
#[derive(Debug)]
pub struct Service {
    pub settings: config::Listener,
    pub pool: Arc<SharedPool>,
    pub shared: Arc<SharedListener>,
}

/// What outlives a reload of a listener.
#[derive(Debug)]
pub struct SharedListener {
    pub metrics: ListenerMetrics,
    pub families: Arc<Metrics>,
    live: AtomicU32,
    pub sources: Mutex<SourceTable>,
}

impl SharedListener {
    pub fn new(name: &str, families: &Arc<Metrics>) -> Self {
        Self {
            metrics: families.listener(name),
            families: Arc::clone(families),
            live: AtomicU32::new(0),
            sources: Mutex::new(SourceTable::default()),
        }
    }

    pub fn live(&self) -> u32 {
        self.live.load(Ordering::Relaxed)
    }

    /// Takes one of `limit` places; gives `false` when all are taken.
    pub fn enter(&self, limit: Option<u32>) -> bool {
        let limit = limit.unwrap_or(u32::MAX);
        self.live
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |live| (live < limit).then(|| live + 1))
            .is_ok()
    }

    pub fn leave(&self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tells pools of one process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolId(pub u32);

/// One pool: the pure machine behind a lock that is held for the time of one decision, never over an `await`.
#[derive(Debug)]
pub struct SharedPool {
    pub id: PoolId,
    pub name: String,
    pub families: Arc<Metrics>,
    inner: Mutex<Inner>,
    /// Rung when the control side must look again: a check is wanted at once, a deadline moved.
    pub attention: Notify,
    /// Rung when a connection ended, for those that wait for a slot.
    pub slot_freed: Notify,
}

#[derive(Debug)]
struct Inner {
    pool: Pool,
    servers: BTreeMap<ServerId, Arc<ServerMetrics>>,
}

impl SharedPool {
    pub fn new(id: PoolId, settings: config::Pool, families: &Arc<Metrics>, now: Instant, seed: u64) -> Self {
        let name = settings.name.clone();
        let inner = Inner { pool: Pool::new(settings, now, seed), servers: BTreeMap::new() };
        Self {
            id,
            name,
            families: Arc::clone(families),
            inner: Mutex::new(inner),
            attention: Notify::new(),
            slot_freed: Notify::new(),
        }
    }

    /// The machine, for one decision.
    pub fn with<T>(&self, decide: impl FnOnce(&mut Pool) -> T) -> T {
        decide(&mut self.lock().pool)
    }

    /// The counters of a server.
    pub fn metrics(&self, server: ServerId, name: &str) -> Arc<ServerMetrics> {
        let mut inner = self.lock();
        let metrics =
            inner.servers.entry(server).or_insert_with(|| Arc::new(self.families.server(&self.name, name)));
        Arc::clone(metrics)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // a panic inside the machine leaves it as consistent as any other moment: every step is one assignment
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events of one pool on their way to whoever carries them out.
#[derive(Debug)]
pub struct PoolEvents {
    pub pool: Arc<SharedPool>,
    pub events: Vec<Event>,
}
