//! Servers inside this process that echo, hang, flood or reset on demand, and count.

mod serve;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::sync::watch;

use crate::place::Place;
use crate::ports::{self, Port};
use crate::wait;

/// The server obeys an order within this time, or something is wrong with the test host.
const OBEY: Duration = Duration::from_secs(10);
/// Connections that are remembered one by one.
const REMEMBERED: usize = 20_000;

/// What it does with a connection. All end when the client has ended its half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Sends back what comes.
    Echo,
    /// Says its name and a newline first; then echoes.
    Name(String),
    /// Accepts and never reads nor writes.
    Silent,
    /// Reads all, sends nothing.
    Sink,
    /// Sends [`Pattern`](crate::verify::Pattern) of [`SOURCE_SEED`] as fast as it is taken; reads nothing.
    Source,
    /// Resets each connection at once.
    Reset,
}

/// Seed of the bytes that [`Behaviour::Source`] sends.
pub const SOURCE_SEED: u64 = 0x5eed;

/// What is known of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Address of the client as the server sees it.
    pub peer: SocketAddr,
    /// The first bytes that came, up to 256.
    pub first: Vec<u8>,
}

/// A running server with a thread and a runtime of its own; all connections are reset when it is dropped.
#[derive(Debug)]
pub struct Backend {
    behaviour: Behaviour,
    place: Place,
    address: SocketAddr,
    counts: Arc<Counts>,
    orders: watch::Sender<Order>,
    thread: Option<JoinHandle<()>>,
    _port: Option<Port>,
}

#[derive(Debug, Default)]
struct Counts {
    listening: AtomicBool,
    hanging: AtomicBool,
    accepted: AtomicU64,
    live: AtomicU64,
    received: AtomicU64,
    seen: Mutex<Vec<Seen>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Serve,
    /// Like a process under SIGSTOP: the kernel goes on accepting.
    Hang,
    /// Take nothing new, finish what is there.
    Stop,
    /// Take nothing new, reset what is there.
    Kill,
}

impl Backend {
    /// Starts on a free loopback port, which stays reserved for it while it is stopped.
    ///
    /// # Errors
    /// No port, thread or file descriptor is left.
    pub fn start(behaviour: Behaviour) -> Result<Self> {
        let port = ports::reserve()?;
        Self::new(&Place::Here, port.address(), behaviour, Some(port))
    }

    /// Starts on this address of a place.
    ///
    /// # Errors
    /// The address cannot be bound there.
    pub fn start_at(place: &Place, address: SocketAddr, behaviour: Behaviour) -> Result<Self> {
        Self::new(place, address, behaviour, None)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections accepted since the first start.
    pub fn accepted(&self) -> u64 {
        self.counts.accepted.load(Ordering::Relaxed)
    }

    /// Connections open now.
    pub fn live(&self) -> u64 {
        self.counts.live.load(Ordering::Relaxed)
    }

    /// Bytes that came since the first start.
    pub fn received(&self) -> u64 {
        self.counts.received.load(Ordering::Relaxed)
    }

    /// The first 20 000 connections, in the order of their acceptance.
    pub fn seen(&self) -> Vec<Seen> {
        self.counts.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hangs, like a process under SIGSTOP: connections still succeed (the kernel accepts them), and nothing that is
    /// sent after this returns is answered.
    ///
    /// # Errors
    /// It does not obey.
    pub fn hang(&self) -> Result<()> {
        self.orders.send_replace(Order::Hang);
        let hanging = || self.counts.hanging.load(Ordering::Acquire).then_some(());
        wait::until("a backend to hang", OBEY, hanging)
    }

    /// Ends [`Backend::hang`].
    pub fn resume(&self) {
        self.orders.send_replace(Order::Serve);
    }

    /// Closes the listening socket (new connections are refused when this returns) and lets live ones finish.
    ///
    /// # Errors
    /// It does not obey.
    pub fn stop(&self) -> Result<()> {
        self.orders.send_replace(Order::Stop);
        let closed = || (!self.counts.listening.load(Ordering::Acquire)).then_some(());
        wait::until("a backend to close its listener", OBEY, closed)
    }

    /// Closes the listening socket and resets all connections, as the end of a process does.
    pub fn kill(&mut self) {
        self.orders.send_replace(Order::Kill);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has closed its sockets too.
            let _ = thread.join();
        }
    }

    /// Serves again at the same address after [`Backend::stop`] or [`Backend::kill`]; what a stopped one still
    /// had is reset. Counts go on.
    ///
    /// # Errors
    /// The address cannot be bound any more.
    pub fn restart(&mut self) -> Result<()> {
        self.kill();
        self.launch()
    }

    fn new(place: &Place, address: SocketAddr, behaviour: Behaviour, port: Option<Port>) -> Result<Self> {
        let mut backend = Self {
            behaviour,
            place: place.clone(),
            address,
            counts: Arc::default(),
            orders: watch::Sender::new(Order::Serve),
            thread: None,
            _port: port,
        };
        backend.launch()?;
        Ok(backend)
    }

    fn launch(&mut self) -> Result<()> {
        self.orders = watch::Sender::new(Order::Serve);
        let (place, address, behaviour) = (self.place.clone(), self.address, self.behaviour.clone());
        let (counts, orders) = (self.counts.clone(), self.orders.subscribe());
        let (started, start) = mpsc::sync_channel(1);
        let run = move || match serve::listen(&place, address) {
            Ok((runtime, listener)) => {
                counts.listening.store(true, Ordering::Release);
                // The starter waits for it; it cannot be gone.
                let _ = started.send(listener.local_addr().map_err(|error| anyhow!(error)));
                runtime.block_on(serve::run(listener, behaviour, counts, orders));
            }
            Err(error) => drop(started.send(Err(error))),
        };
        self.thread = Some(thread::Builder::new().name("backend".to_owned()).spawn(run)?);
        let address = start.recv().context("a backend died at its start")?;
        self.address = address.with_context(|| format!("no backend at {}", self.address))?;
        Ok(())
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests;
