//! Finds a server for a connection: candidate after candidate, inside one budget of time.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::{Connect, Egress, MaxAge, ProxyVersion};
use lb_core::pool::{NoServer, Pick, Request, ServerId};
use lb_core::proxy_protocol::{self, Header};
use tokio::net::TcpStream;

use super::record::Record;
use super::table::{Connection, Place};
use super::{Worker, fraction};
use crate::end::EndReason;
use crate::service::SharedPool;
use crate::socket::{self, Source};

/// A connection to a server.
pub struct Established {
    pub stream: TcpStream,
    /// What the server must get first: our PROXY header.
    pub header: Vec<u8>,
    pub slot: Slot,
}

/// What the pool's settings say about reaching servers, as of one pick.
struct Route {
    pick: Pick,
    connect: Connect,
    egress: Egress,
    proxy_protocol: Option<ProxyVersion>,
    early_reset: Duration,
}

/// Connects to the first candidate that answers. `destination` is what a PROXY header named as the client's.
pub async fn establish(
    worker: &Rc<Worker>,
    record: &mut Record,
    client: &TcpStream,
    destination: Option<SocketAddr>,
) -> Result<Established, EndReason> {
    let began = Instant::now();
    let mut tried: Vec<ServerId> = Vec::new();
    loop {
        let route = next_route(record, &tried, began).await?;
        record.dialled.get_or_insert_with(Instant::now);
        record.tried.push(Arc::clone(&route.pick.name));
        tried.push(route.pick.server);
        let budget = route.connect.budget.saturating_sub(began.elapsed());
        let limit = route.connect.timeout.min(budget);
        let slot = Slot::new(worker, record, &route);
        let attempted = Instant::now();
        let source = Source::new(route.egress, record.client.ip());
        let connecting = socket::connect(route.pick.address, source);
        let outcome = tokio::time::timeout(limit, connecting).await;
        let error = match outcome {
            Ok(Ok(stream)) => {
                slot.connection.metrics.connect_duration.observe(attempted.elapsed().as_secs_f64());
                record.connected = Some(Instant::now());
                record.tier = Some(route.pick.tier);
                let header = match route.proxy_protocol {
                    Some(version) => header_for(version, record, client, destination),
                    None => Vec::new(),
                };
                return Ok(Established { stream, header, slot: slot.connected(worker) });
            }
            Ok(Err(error)) => error,
            Err(_) => io::Error::from(io::ErrorKind::TimedOut),
        };
        if socket::is_our_fault(&error) {
            local_fault(record, &route.pick, &error);
            return Err(EndReason::LocalFault);
        }
        slot.failed(worker, &route.pick, &error);
        if began.elapsed() >= route.connect.budget {
            return Err(unserved(&record.service.pool, EndReason::ConnectFailed));
        }
    }
}

/// The next candidate; waits for a slot if the pool allows it.
async fn next_route(record: &Record, tried: &[ServerId], began: Instant) -> Result<Route, EndReason> {
    let pool = &record.service.pool;
    let request = Request { source: record.client.ip(), tried };
    loop {
        let slot_freed = pool.slot_freed.notified();
        let (picked, queue_timeout) = pool.with(|machine| {
            let picked = machine.pick(&request, Instant::now());
            let settings = machine.settings();
            let queue_timeout = settings.queue_timeout;
            let routed = picked.map(|pick| Route {
                pick,
                connect: settings.connect,
                egress: settings.egress,
                proxy_protocol: settings.proxy_protocol,
                early_reset: settings.passive.map_or(Duration::ZERO, |passive| passive.early_reset),
            });
            (routed, queue_timeout)
        });
        match picked {
            Ok(route) => return Ok(route),
            Err(NoServer::Full) if tried.is_empty() && began.elapsed() < queue_timeout => {
                // a time-out shows in the next round
                let _ = tokio::time::timeout(queue_timeout - began.elapsed(), slot_freed).await;
            }
            Err(reason) => return Err(unserved(pool, reason.into())),
        }
    }
}

fn unserved(pool: &SharedPool, reason: EndReason) -> EndReason {
    pool.families.pool_unusable.with_label_values(&[pool.name.as_str(), reason.code()]).inc();
    reason
}

fn header_for(
    version: ProxyVersion,
    record: &Record,
    client: &TcpStream,
    destination: Option<SocketAddr>,
) -> Vec<u8> {
    let destination = destination.or_else(|| client.local_addr().ok());
    let header = destination
        .map_or(Header::Local, |destination| Header::Proxied { source: record.client, destination });
    proxy_protocol::encode(version, &header)
}

fn local_fault(record: &Record, pick: &Pick, error: &io::Error) {
    let pool = &record.service.pool;
    let labels = &[pool.name.as_str(), &pick.name, "local"];
    pool.families.server_connect_failures.with_label_values(labels).inc();
    tracing::warn!(
        pool = pool.name, server = %pick.name, address = %pick.address, %error,
        "this host cannot make a connection; the server is not blamed"
    );
}

/// A reserved place on a server and in the worker's table. Dropped without having been connected, it is given back
/// without blame.
pub struct Slot {
    pub connection: Rc<Connection>,
    pool: Arc<SharedPool>,
    server: ServerId,
    early_reset: Duration,
    connected: Option<Instant>,
    over: bool,
    _place: Place,
}

impl Slot {
    fn new(worker: &Worker, record: &Record, route: &Route) -> Self {
        let service = Arc::clone(&record.service);
        let pool = Arc::clone(&service.pool);
        let server = route.pick.server;
        let metrics = pool.metrics(server, &route.pick.name);
        let now = Instant::now();
        let deadline = service.settings.max_age.map(|limit| now + shortened(limit));
        let connection = Rc::new(Connection::new(service, server, metrics, deadline, now));
        let place = worker.table.enter(Rc::clone(&connection));
        let early_reset = route.early_reset;
        Self { connection, pool, server, early_reset, connected: None, over: false, _place: place }
    }

    fn connected(mut self, worker: &Worker) -> Self {
        worker.report(&self.pool, self.pool.with(|machine| machine.connected(self.server)));
        self.connection.metrics.connections.inc();
        self.connected = Some(Instant::now());
        self
    }

    fn failed(mut self, worker: &Worker, pick: &Pick, error: &io::Error) {
        self.over = true;
        let reason = match error.kind() {
            io::ErrorKind::TimedOut => "timeout",
            io::ErrorKind::ConnectionRefused => "refused",
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "unreachable",
            io::ErrorKind::ConnectionReset => "reset",
            _ => "other",
        };
        let labels = &[self.pool.name.as_str(), &pick.name, reason];
        self.pool.families.server_connect_failures.with_label_values(labels).inc();
        tracing::debug!(pool = self.pool.name, server = %pick.name, address = %pick.address, %error, "connect failed");
        let events = self.pool.with(|machine| machine.connect_failed(self.server, Instant::now()));
        self.pool.slot_freed.notify_waiters();
        worker.report(&self.pool, events);
    }

    /// The connection has ended; `sent` is what the server had to say.
    pub fn finish(mut self, worker: &Worker, reason: EndReason, sent: u64) {
        self.over = true;
        let early = reason == EndReason::ServerReset
            && sent == 0
            && self.connected.is_some_and(|connected| connected.elapsed() < self.early_reset);
        if early {
            self.connection.metrics.early_resets.inc();
        }
        let events = self.pool.with(|machine| machine.closed(self.server, early, Instant::now()));
        self.pool.slot_freed.notify_waiters();
        worker.report(&self.pool, events);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        // events of a connection that ends with its worker concern nobody
        self.pool.with(|machine| match self.connected {
            Some(_) => drop(machine.closed(self.server, false, Instant::now())),
            None => machine.connect_abandoned(self.server),
        });
        self.pool.slot_freed.notify_waiters();
    }
}

fn shortened(limit: MaxAge) -> Duration {
    limit.age.mul_f64(1.0 - f64::from(limit.jitter_percent) / 100.0 * fraction())
}
