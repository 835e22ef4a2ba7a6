//! The live connections of one worker.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::pool::ServerId;
use slab::Slab;

use super::relay::Traffic;
use crate::end::EndReason;
use crate::metrics::ServerMetrics;
use crate::service::{PoolId, Service};

/// A live connection, as those see it who may end it.
#[derive(Debug)]
pub struct Connection {
    pub service: Arc<Service>,
    pub server: ServerId,
    pub metrics: Arc<ServerMetrics>,
    pub traffic: Traffic,
    /// Whether it is connected; limits count from then on.
    established: Cell<bool>,
    last_active: Cell<Instant>,
    /// When it is too old.
    deadline: Option<Instant>,
    /// Whether it has been seen by a sweep.
    settled: Cell<bool>,
    /// What the counters have of this connection.
    counted: Cell<(u64, u64)>,
}

impl Connection {
    pub fn new(
        service: Arc<Service>,
        server: ServerId,
        metrics: Arc<ServerMetrics>,
        deadline: Option<Instant>,
        now: Instant,
    ) -> Self {
        Self {
            service,
            server,
            metrics,
            traffic: Traffic::default(),
            established: Cell::new(false),
            last_active: Cell::new(now),
            deadline,
            settled: Cell::new(false),
            counted: Cell::new((0, 0)),
        }
    }

    pub fn establish(&self, now: Instant) {
        self.established.set(true);
        self.last_active.set(now);
    }

    /// Adds what has passed since the last time to the counters.
    fn count(&self) {
        let now = (self.traffic.received.get(), self.traffic.sent.get());
        let (received, sent) = self.counted.replace(now);
        let (received, sent) = (now.0 - received, now.1 - sent);
        if received > 0 {
            self.service.shared.metrics.received_bytes.inc_by(received);
            self.metrics.sent_bytes.inc_by(received);
        }
        if sent > 0 {
            self.service.shared.metrics.sent_bytes.inc_by(sent);
            self.metrics.received_bytes.inc_by(sent);
        }
    }

    /// The reason for which it must end now, if any. `slack` is how coarse the activity is noticed.
    fn overdue(&self, now: Instant, slack: Duration) -> Option<EndReason> {
        if self.traffic.active.replace(false) {
            self.last_active.set(now);
        }
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(EndReason::MaxAge);
        }
        let idle = self.service.settings.idle_timeout?;
        (now.duration_since(self.last_active.get()) >= idle + slack).then_some(EndReason::Idle)
    }
}

/// All live connections of one worker.
#[derive(Debug, Default)]
pub struct Table(RefCell<Slab<Rc<Connection>>>);

impl Table {
    /// Adds a connection until the returned place is dropped.
    pub fn enter(self: &Rc<Self>, connection: Rc<Connection>) -> Place {
        let key = self.0.borrow_mut().insert(connection);
        Place { table: Rc::clone(self), key }
    }

    /// Counts bytes, settles connections that are no short ones, and ends connections that are idle or too old.
    pub fn sweep(&self, now: Instant, slack: Duration) {
        let table = self.0.borrow();
        for (_, connection) in table.iter().filter(|(_, connection)| connection.established.get()) {
            connection.count();
            if !connection.settled.replace(true) {
                connection.traffic.settle();
            }
            if let Some(reason) = connection.overdue(now, slack) {
                connection.traffic.end(reason);
            }
        }
    }

    /// The connections to one server, those that are being made included.
    pub fn to_server(&self, pool: PoolId, server: ServerId) -> Vec<Weak<Connection>> {
        let matches =
            |connection: &&Rc<Connection>| connection.service.pool.id == pool && connection.server == server;
        self.0.borrow().iter().map(|(_, connection)| connection).filter(matches).map(Rc::downgrade).collect()
    }

    /// Ends every connection.
    pub fn end_all(&self, reason: EndReason) {
        for (_, connection) in &*self.0.borrow() {
            connection.traffic.end(reason);
        }
    }
}

/// A connection's place in the table; dropping it takes the connection out.
#[derive(Debug)]
pub struct Place {
    table: Rc<Table>,
    key: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        let connection = self.table.0.borrow_mut().remove(self.key);
        connection.count();
    }
}
