//! Finds a server for a connection: candidate after candidate, inside one budget of time.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::{MaxAge, ProxyVersion};
use lb_core::pool::{NoServer, Pick, Request, ServerId};
use lb_core::proxy_protocol::{self, Header};
use tokio::net::TcpStream;

use super::record::Record;
use super::table::{Connection, Place};
use super::{Worker, fraction};
use crate::end::EndReason;
use crate::service::{Route, SharedPool};
use crate::socket::{self, Blame, Source};

/// A connection to a server.
pub struct Established {
    pub stream: TcpStream,
    /// What the server must get first: our PROXY header.
    pub header: Vec<u8>,
    pub slot: Slot,
}

/// Connects to the first candidate that answers. `destination` is what a PROXY header named as the client's.
pub async fn establish(
    worker: &Rc<Worker>,
    record: &mut Record,
    client: &TcpStream,
    destination: Option<SocketAddr>,
) -> Result<Established, EndReason> {
    let mut tried: Vec<ServerId> = Vec::new();
    let mut deadline = None;
    let mut blamed = false;
    loop {
        let route = match next_route(record, &tried).await {
            Ok(route) => route,
            Err(_) if !tried.is_empty() && !blamed => return Err(EndReason::LocalFault),
            Err(reason) => return Err(unserved(&record.service.pool, reason.into())),
        };
        let now = Instant::now();
        record.dialled.get_or_insert(now);
        record.tried.push(Arc::clone(&route.pick.name));
        tried.push(route.pick.server);
        let left = deadline.get_or_insert(now + route.connect.budget).saturating_duration_since(now);
        let slot = Slot::new(worker, record, &route, now);
        let source = Source::new(route.egress, record.client.ip());
        let limit = left.min(route.connect.timeout);
        let outcome = tokio::time::timeout(limit, socket::connect(route.pick.address, source)).await;
        let connected = Instant::now();
        let error = match outcome {
            // its server went down while it was being made
            Ok(Ok(_)) if slot.connection.traffic.ending().is_some() => continue,
            Ok(Ok(stream)) => {
                route.metrics.connect_duration.observe((connected - now).as_secs_f64());
                (record.connected, record.tier) = (Some(connected), Some(route.pick.tier));
                let header = match route.proxy_protocol {
                    Some(version) => header_for(version, record, client, destination),
                    None => Vec::new(),
                };
                return Ok(Established { stream, header, slot: slot.connected(worker, connected) });
            }
            Ok(Err(error)) => error,
            // what was left of the budget was no fair chance
            Err(_) if limit < route.connect.timeout => {
                return Err(unserved(&record.service.pool, EndReason::ConnectFailed));
            }
            Err(_) => io::Error::from(io::ErrorKind::TimedOut),
        };
        match Blame::of(&error) {
            Blame::Server => {
                blamed = true;
                slot.failed(worker, &route.pick, &error);
            }
            Blame::Way => local_fault(record, &route.pick, &error),
            Blame::Host => {
                local_fault(record, &route.pick, &error);
                return Err(EndReason::LocalFault);
            }
        }
    }
}

/// The next candidate; waits for a slot if the pool allows it.
async fn next_route(record: &Record, tried: &[ServerId]) -> Result<Route, NoServer> {
    let pool = &record.service.pool;
    let request = Request { source: record.client.ip(), tried };
    let route = || pool.route(&request, Instant::now());
    match route() {
        Ok(route) => Ok(route),
        Err((NoServer::Full, limit)) if tried.is_empty() && !limit.is_zero() => {
            let found = pool.slots.wait(limit, || match route() {
                Ok(route) => Some(Ok(route)),
                Err((NoServer::Full, _)) => None,
                Err((reason, _)) => Some(Err(reason)),
            });
            found.await.unwrap_or(Err(NoServer::Full))
        }
        Err((reason, _)) => Err(reason),
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
    fn new(worker: &Worker, record: &Record, route: &Route, now: Instant) -> Self {
        let service = Arc::clone(&record.service);
        let pool = Arc::clone(&service.pool);
        let server = route.pick.server;
        let deadline = service.settings.max_age.map(|limit| now + shortened(limit));
        let metrics = Arc::clone(&route.metrics);
        let connection = Rc::new(Connection::new(service, server, metrics, deadline, now));
        let place = worker.table.enter(Rc::clone(&connection));
        let early_reset = route.early_reset;
        Self { connection, pool, server, early_reset, connected: None, over: false, _place: place }
    }

    fn connected(mut self, worker: &Worker, now: Instant) -> Self {
        worker.report(&self.pool, self.pool.with(|machine| machine.connected(self.server)));
        self.connection.metrics.connections.inc();
        self.connection.establish(now);
        self.connected = Some(now);
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
        self.pool.slots.ring();
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
        self.pool.slots.ring();
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
        self.pool.slots.ring();
    }
}

fn shortened(limit: MaxAge) -> Duration {
    limit.age.mul_f64(1.0 - f64::from(limit.jitter_percent) / 100.0 * fraction())
}
