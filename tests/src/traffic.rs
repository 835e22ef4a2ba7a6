//! Many checked connections in the background while something breaks.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::runtime::Builder;

use crate::place::Place;
use crate::verify::Dialogue;
use crate::wait;

/// Until a client whose connection failed opens the next.
const AGAIN: Duration = Duration::from_millis(20);

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many at one time.
    pub clients: u32,
    /// Exchanges of one connection before it ends and the client opens the next; `None` = until the stop.
    pub exchanges: Option<u32>,
    /// Bytes of one exchange, each way.
    pub bytes: usize,
    /// Whether the server says its name first.
    pub named: bool,
}

impl Shape {
    /// Short connections of one exchange of 200 bytes.
    pub fn short(clients: u32) -> Self {
        Self { clients, exchanges: Some(1), bytes: 200, named: false }
    }

    /// Connections that live until the stop, with exchanges of 1000 bytes.
    pub fn long(clients: u32) -> Self {
        Self { clients, exchanges: None, bytes: 1000, named: false }
    }
}

/// Running clients, on a thread of their own; stopped when dropped.
#[derive(Debug)]
pub struct Traffic {
    state: Arc<State>,
    thread: Option<JoinHandle<Result<()>>>,
}

#[derive(Debug)]
struct State {
    start: Instant,
    stop: AtomicBool,
    finished: AtomicU64,
    exchanges: AtomicU64,
    failures: Mutex<Vec<String>>,
}

impl State {
    fn record(&self, failure: String) {
        let at = self.start.elapsed().as_secs_f32();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push(format!("{at:.3} s: {failure}"));
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Connections that went well from connect to the end.
    pub finished: u64,
    /// Exchanges that came back right.
    pub exchanges: u64,
    /// Each failed connection: when (seconds since the start) and why.
    pub failures: Vec<String>,
}

impl Traffic {
    /// Starts the clients here.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start(address: SocketAddr, shape: Shape) -> Result<Self> {
        Self::start_in(&Place::Here, address, shape)
    }

    /// Starts the clients elsewhere.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start_in(place: &Place, address: SocketAddr, shape: Shape) -> Result<Self> {
        let state = Arc::new(State {
            start: Instant::now(),
            stop: AtomicBool::new(false),
            finished: AtomicU64::new(0),
            exchanges: AtomicU64::new(0),
            failures: Mutex::default(),
        });
        let (place, shared) = (place.clone(), state.clone());
        let run = move || {
            place.enter()?;
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(clients(address, shape, shared));
            Ok(())
        };
        let thread = thread::Builder::new().name("traffic".to_owned()).spawn(run)?;
        Ok(Self { state, thread: Some(thread) })
    }

    /// Exchanges that came back right so far.
    pub fn exchanges(&self) -> u64 {
        self.state.exchanges.load(Ordering::Relaxed)
    }

    /// Connections that went well from connect to the end so far.
    pub fn finished(&self) -> u64 {
        self.state.finished.load(Ordering::Relaxed)
    }

    /// Failed connections so far.
    pub fn failures(&self) -> Vec<String> {
        self.state.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets every client end its exchange and its connection, and returns what came of it.
    ///
    /// # Errors
    /// The clients' place cannot be entered.
    pub fn stop(mut self) -> Result<Outcome> {
        self.join()?;
        Ok(Outcome { finished: self.finished(), exchanges: self.exchanges(), failures: self.failures() })
    }

    fn join(&mut self) -> Result<()> {
        self.state.stop.store(true, Ordering::Relaxed);
        wait::thread("the clients", &mut self.thread)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        // Whoever wants to know calls stop().
        let _ = self.join();
    }
}

async fn clients(address: SocketAddr, shape: Shape, state: Arc<State>) {
    let clients =
        (0..shape.clients).map(|number| tokio::spawn(client(address, shape, number, state.clone())));
    for client in clients.collect::<Vec<_>>() {
        // It panics for nothing that it does itself.
        let _ = client.await;
    }
}

async fn client(address: SocketAddr, shape: Shape, number: u32, state: Arc<State>) {
    let mut seed = u64::from(number) << 32;
    while !state.stop.load(Ordering::Relaxed) {
        seed += 1;
        match connection(address, shape, seed, &state).await {
            Ok(_) => drop(state.finished.fetch_add(1, Ordering::Relaxed)),
            Err(error) => {
                state.record(format!("client {number}: {error:#}"));
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn connection(address: SocketAddr, shape: Shape, seed: u64, state: &State) -> Result<u64> {
    let mut dialogue = Dialogue::open(address, seed).await?;
    if shape.named {
        dialogue.name().await?;
    }
    let mut left = shape.exchanges;
    while left != Some(0) && !(left.is_none() && state.stop.load(Ordering::Relaxed)) {
        dialogue.exchange(shape.bytes).await?;
        state.exchanges.fetch_add(1, Ordering::Relaxed);
        left = left.map(|left| left - 1);
    }
    dialogue.finish().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, Behaviour};

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn counts_what_went_well() {
        let backend = Backend::start(Behaviour::Echo).unwrap();
        let short = Traffic::start(backend.address(), Shape::short(5)).unwrap();
        let long = Traffic::start(backend.address(), Shape::long(5)).unwrap();
        wait::until("some of both", SOON, || (short.finished() > 50 && long.exchanges() > 50).then_some(()))
            .unwrap();
        let (short, long) = (short.stop().unwrap(), long.stop().unwrap());
        assert_eq!(short.failures, [""; 0]);
        assert_eq!(long.failures, [""; 0]);
        assert_eq!(long.finished, 5);
        assert_eq!(backend.accepted(), short.finished + long.finished);
    }

    #[test]
    fn records_each_failure() {
        let mut backend = Backend::start(Behaviour::Echo).unwrap();
        let traffic = Traffic::start(backend.address(), Shape::long(3)).unwrap();
        wait::until("three", SOON, || (backend.live() == 3).then_some(())).unwrap();
        backend.kill();
        wait::until("three failures", SOON, || (traffic.failures().len() >= 3).then_some(())).unwrap();
        drop(traffic);
    }
}
