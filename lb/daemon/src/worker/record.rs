//! The access record: one line for each connection, at its end.

use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Worker;
use crate::end::EndReason;
use crate::service::Service;

/// What is written about a connection.
#[derive(Debug)]
pub struct Record {
    pub service: Arc<Service>,
    pub accepted: Instant,
    /// The other end of the accepted socket.
    pub peer: SocketAddr,
    /// The client: `peer`, or what a PROXY header said.
    pub client: SocketAddr,
    /// Servers tried, in order, the last one served if `connected` is set.
    pub tried: Vec<Arc<str>>,
    /// When the first connect to a server began.
    pub dialled: Option<Instant>,
    pub connected: Option<Instant>,
    /// Tier of the server that served.
    pub tier: Option<u8>,
    pub received: u64,
    pub sent: u64,
}

impl Record {
    pub fn new(service: Arc<Service>, peer: SocketAddr, accepted: Instant) -> Self {
        Self {
            service,
            accepted,
            peer,
            client: peer,
            tried: Vec::new(),
            dialled: None,
            connected: None,
            tier: None,
            received: 0,
            sent: 0,
        }
    }

    /// Counts and writes the end of the connection.
    pub fn finish(self, worker: &Worker, reason: EndReason) {
        let total = self.accepted.elapsed();
        let shared = &self.service.shared;
        let listener = &self.service.settings.name;
        shared.metrics.ended[reason as usize].inc();
        shared.metrics.duration.observe(total.as_secs_f64());
        if !worker.access.get() {
            return;
        }
        let queue = self.dialled.map_or(total, |dialled| dialled - self.accepted);
        let connect = self.dialled.zip(self.connected).map(|(dialled, connected)| connected - dialled);
        let server = if self.connected.is_some() { self.tried.last() } else { None };
        tracing::info!(
            target: "access",
            listener,
            client = %self.client,
            peer = (self.peer != self.client).then(|| tracing::field::display(self.peer)),
            pool = self.service.pool.name,
            server = server.map(|name| &**name),
            tier = self.tier,
            tried = joined(&self.tried),
            queue_ms = milliseconds(queue),
            connect_ms = connect.map(milliseconds),
            total_ms = milliseconds(total),
            received_bytes = self.received,
            sent_bytes = self.sent,
            reason = reason.code(),
        );
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn joined(names: &[Arc<str>]) -> String {
    let mut text = String::new();
    for name in names {
        let comma = if text.is_empty() { "" } else { "," };
        // writing to a string cannot fail
        let _ = write!(text, "{comma}{name}");
    }
    text
}
