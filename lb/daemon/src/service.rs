//! What the data plane and the control plane share: listeners and pools.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lb_core::config;
use lb_core::limit::SourceTable;
use lb_core::pool::{Event, NoServer, Pick, Pool, Request, ServerId};
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
    pub slots: Slots,
    pub drain: Drain,
}

#[derive(Debug)]
struct Inner {
    pool: Pool,
    /// By server, with the name that the counters have as a label.
    servers: BTreeMap<ServerId, (Arc<str>, Arc<ServerMetrics>)>,
}

/// Where a connection goes, and what the pool's settings say about getting there.
#[derive(Debug)]
pub struct Route {
    pub pick: Pick,
    pub metrics: Arc<ServerMetrics>,
    pub connect: config::Connect,
    pub egress: config::Egress,
    pub proxy_protocol: Option<config::ProxyVersion>,
    pub early_reset: Duration,
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
            slots: Slots::default(),
            drain: Drain::new(now),
        }
    }

    /// The machine, for one decision.
    pub fn with<T>(&self, decide: impl FnOnce(&mut Pool) -> T) -> T {
        decide(&mut self.lock().pool)
    }

    /// New settings; drains that are under way end.
    pub fn reconfigure(&self, settings: config::Pool, now: Instant) -> Vec<Event> {
        let mut inner = self.lock();
        let events = inner.pool.reconfigure(settings, now);
        // counters of servers that are gone, or have another name now
        inner.servers.clear();
        self.drain.stop();
        events
    }

    /// The next candidate.
    ///
    /// # Errors
    /// Why there is none, and how long the connection may wait for a slot altogether.
    pub fn route(&self, request: &Request<'_>, now: Instant) -> Result<Route, (NoServer, Duration)> {
        let Inner { pool, servers } = &mut *self.lock();
        let picked = pool.pick(request, now);
        let settings = pool.settings();
        let pick = picked.map_err(|reason| (reason, settings.queue_timeout))?;
        let (_, metrics) = servers.entry(pick.server).or_insert_with(|| {
            (Arc::clone(&pick.name), Arc::new(self.families.server(&self.name, &pick.name)))
        });
        Ok(Route {
            metrics: Arc::clone(metrics),
            connect: settings.connect,
            egress: settings.egress,
            proxy_protocol: settings.proxy_protocol,
            early_reset: settings.passive.map_or(Duration::ZERO, |passive| passive.early_reset),
            pick,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // a panic inside the machine leaves it as consistent as any other moment: every step is one assignment
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connections that wait for a slot on a server.
#[derive(Debug, Default)]
pub struct Slots {
    waiting: AtomicU32,
    freed: Notify,
}

impl Slots {
    /// Something may have become free. Costs nothing while nobody waits.
    pub fn ring(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.freed.notify_waiters();
        }
    }

    /// Tries again at each ring until `limit` is over; `attempt` gives `None` to go on waiting.
    pub async fn wait<T>(&self, limit: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(self);
        let rounds = async {
            loop {
                let rung = waiting.0.freed.notified();
                if let Some(found) = attempt() {
                    return found;
                }
                rung.await;
            }
        };
        tokio::time::timeout(limit, rounds).await.ok()
    }
}

/// Counted as waiting until it is dropped.
struct Waiting<'a>(&'a Slots);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The pace at which connections are closed little by little, one for all workers.
#[derive(Debug)]
pub struct Drain {
    /// A drain that began under another number has been called off.
    epoch: AtomicU64,
    next: Mutex<Instant>,
}

impl Drain {
    fn new(now: Instant) -> Self {
        Self { epoch: AtomicU64::new(0), next: Mutex::new(now) }
    }

    /// Calls off what is under way.
    pub fn stop(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
    }

    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// When the next connection may be closed, `step` after the one before.
    pub fn next(&self, now: Instant, step: Duration) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(now) + step;
        *next
    }
}

/// Events of one pool on their way to whoever carries them out.
#[derive(Debug)]
pub struct PoolEvents {
    pub pool: Arc<SharedPool>,
    pub events: Vec<Event>,
}
