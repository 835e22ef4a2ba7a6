//! One connection from accept to end.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tokio::net::TcpStream;

use super::Worker;
use super::establish::{Established, establish};
use super::header::{self, Opening};
use super::record::Record;
use super::relay::Relay;
use crate::end::EndReason;
use crate::service::{Service, SharedListener};
use crate::{socket, sys};

/// Serves one connection; returns when it is over and its record is written.
pub async fn run(worker: Rc<Worker>, service: Arc<Service>, client: TcpStream, peer: SocketAddr) {
    let mut record = Box::new(Record::new(service, peer, Instant::now()));
    record.service.shared.metrics.accepted.inc();
    // boxed: what setting up needs is given back before the long part begins
    match Box::pin(open(&worker, &mut record, client)).await {
        Ok(Ready { client, server, early, admission }) => {
            let reason = relay(&worker, &mut record, client, server, &early).await;
            record.finish(&worker, reason);
            // whoever waits for the last connection to end waits for its record too
            drop(admission);
        }
        Err(reason) => record.finish(&worker, reason),
    }
}

/// Both ends of a connection that can be relayed.
struct Ready {
    client: TcpStream,
    server: Established,
    early: Vec<u8>,
    admission: Admission,
}

async fn open(worker: &Rc<Worker>, record: &mut Record, mut client: TcpStream) -> Result<Ready, EndReason> {
    let result = open_server(worker, record, &mut client).await;
    match result {
        Ok((server, early, admission)) => Ok(Ready { client, server, early, admission }),
        Err(reason) => {
            socket::reset(client);
            Err(reason)
        }
    }
}

async fn open_server(
    worker: &Rc<Worker>,
    record: &mut Record,
    client: &mut TcpStream,
) -> Result<(Established, Vec<u8>, Admission), EndReason> {
    let service = Arc::clone(&record.service);
    let place = Occupied::take(&service)?;
    let opening = match &service.settings.proxy_protocol {
        Some(accept) if accept.trusts(record.peer.ip()) => header::read(client, accept.timeout).await?,
        Some(_) | None => Opening::default(),
    };
    if let Some((source, _)) = opening.proxied {
        record.client = source;
    }
    let admission = Admission::new(place, &service, record.client.ip())?;
    let destination = opening.proxied.map(|(_, destination)| destination);
    let server = establish(worker, record, client, destination).await?;
    Ok((server, opening.early, admission))
}

async fn relay(
    worker: &Worker,
    record: &mut Record,
    mut client: TcpStream,
    server: Established,
    early: &[u8],
) -> EndReason {
    let Established { mut stream, header, slot } = server;
    let traffic = &slot.connection.traffic;
    let settings = &record.service.settings;
    let keep_alive = |server: &TcpStream| socket::watch_liveness(server, settings);
    let mut relay = Relay::new(&mut client, &mut stream, header, early, traffic, &worker.scratch, keep_alive);
    let reason = (&mut relay).await;
    let holds_bytes = relay.holds_bytes();
    let told_to = traffic.ending().is_some();
    (record.received, record.sent) = (traffic.received.get(), traffic.sent.get());
    // whoever is told to end may be in the middle of a stream
    if reason.is_cut() || holds_bytes || (told_to && (has_unread(&client) || has_unread(&stream))) {
        cut(client);
        cut(stream);
    }
    slot.finish(worker, reason, record.sent);
    reason
}

fn has_unread(stream: &TcpStream) -> bool {
    sys::unread_bytes(stream).is_ok_and(|bytes| bytes > 0)
}

/// RST, unless bytes that we have passed on are still on their way: those must arrive, and FIN follows them.
fn cut(stream: TcpStream) {
    if sys::unacknowledged_bytes(&stream).is_ok_and(|bytes| bytes == 0) {
        socket::reset(stream);
    }
}

/// One of the listener's places, until it is dropped.
struct Occupied(Arc<SharedListener>);

impl Occupied {
    fn take(service: &Service) -> Result<Self, EndReason> {
        if service.shared.enter(service.settings.max_connections) {
            Ok(Self(Arc::clone(&service.shared)))
        } else {
            Err(refused(service, EndReason::ListenerFull))
        }
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A client that was let in, until it is dropped.
struct Admission {
    place: Occupied,
    source: IpAddr,
    /// Whether the source is counted.
    counted: bool,
}

impl Admission {
    fn new(place: Occupied, service: &Service, source: IpAddr) -> Result<Self, EndReason> {
        let settings = &service.settings;
        if !settings.access.permits(source) {
            return Err(refused(service, EndReason::Denied));
        }
        let (limit, rate) = (settings.max_connections_per_source, settings.rate_per_source);
        let counted = limit.is_some() || rate.is_some();
        if counted {
            let mut sources = place.0.sources.lock().unwrap_or_else(PoisonError::into_inner);
            sources
                .admit(source, Instant::now(), limit, rate)
                .map_err(|reason| refused(service, reason.into()))?;
        }
        Ok(Self { place, source, counted })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.counted {
            self.place.0.sources.lock().unwrap_or_else(PoisonError::into_inner).release(self.source);
        }
    }
}

fn refused(service: &Service, reason: EndReason) -> EndReason {
    let labels = &[service.settings.name.as_str(), reason.code()];
    service.shared.families.listener_refused.with_label_values(labels).inc();
    reason
}
