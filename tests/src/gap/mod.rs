//! A client that opens a new connection every millisecond and tells how long it was left without an answer.
//!
//! An attempt connects, sends a request, reads the echo and resets the connection. It depends on no other: one that
//! hangs keeps none from beginning. It fails when the connection is refused, reset or wrong, is not there after
//! [`CONNECT`] (before the kernel repeats a SYN, after 1 s, so that a lost SYN does not hide that others get
//! through), or has no answer after [`ANSWER`].
//!
//! An attempt's *wait* is the time from its begin to its answer; if it failed, to the first answer to any that began
//! after it. The *gap* is the longest wait. So it counts the time in which nobody who begins is served, measured from
//! the first who is not, and also the connection that stands while a proxy tries a dead server for it. One that fails
//! while others are served, as those do that were under way when their host died, is a failure and no gap.

mod record;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use self::record::Gap;
use self::record::Record;
use crate::place::Place;
use crate::wait;

/// Between the begins of two attempts.
pub const PERIOD: Duration = Duration::from_millis(1);
/// Until an attempt must be connected.
pub const CONNECT: Duration = Duration::from_millis(250);
/// Until an attempt must be answered, from its begin.
pub const ANSWER: Duration = Duration::from_secs(3);
/// For so long all must go well to be called steady.
pub const STEADY: Duration = Duration::from_millis(250);
/// At the stop, the last attempts get so much more time.
const LAST: Duration = Duration::from_millis(100);

/// The running client, on a thread of its own; stopped when dropped.
#[derive(Debug)]
pub struct GapClient {
    state: Arc<State>,
    thread: Option<JoinHandle<Result<()>>>,
}

#[derive(Debug)]
struct State {
    start: Instant,
    stop: AtomicBool,
    record: Mutex<Record>,
}

impl State {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GapClient {
    /// Starts to connect from `place`.
    ///
    /// # Errors
    /// No thread is left.
    pub fn start(place: &Place, address: SocketAddr) -> Result<Self> {
        let state =
            Arc::new(State { start: Instant::now(), stop: AtomicBool::new(false), record: Mutex::default() });
        let (place, shared) = (place.clone(), state.clone());
        let run = move || {
            place.enter()?;
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(attempts(address, shared));
            Ok(())
        };
        let thread = thread::Builder::new().name("gap client".to_owned()).spawn(run)?;
        Ok(Self { state, thread: Some(thread) })
    }

    /// Attempts that were answered so far.
    pub fn answered(&self) -> usize {
        self.state.record().answered()
    }

    /// Whether all that began in the last [`STEADY`] went well, and nothing older is under way.
    pub fn is_steady(&self) -> bool {
        self.state.record().is_steady(self.state.start.elapsed())
    }

    /// Waits until [`GapClient::is_steady`].
    ///
    /// # Errors
    /// The deadline has passed; with the last failure.
    pub fn wait_steady(&self, deadline: Duration) -> Result<()> {
        let steady = wait::until("steady service", deadline, || self.is_steady().then_some(()));
        steady.with_context(|| format!("the last failure: {:?}", self.state.record().last_failure()))
    }

    /// The gap of the attempts that began at `from` or later, as it looks now.
    pub fn gap(&self, from: Instant) -> Gap {
        let from = from.saturating_duration_since(self.state.start);
        self.state.record().gap(from, self.state.start.elapsed())
    }

    /// Begins no more, and returns the gap of the attempts that began at `from` or later. What still hangs then counts
    /// as failed: stop when it is steady again.
    ///
    /// # Errors
    /// The client's place cannot be entered.
    pub fn stop(mut self, from: Instant) -> Result<Gap> {
        self.join()?;
        Ok(self.gap(from))
    }

    fn join(&mut self) -> Result<()> {
        self.state.stop.store(true, Ordering::Relaxed);
        wait::thread("the gap client", &mut self.thread)
    }
}

impl Drop for GapClient {
    fn drop(&mut self) {
        // Whoever wants to know calls stop().
        let _ = self.join();
    }
}

async fn attempts(address: SocketAddr, state: Arc<State>) {
    let mut due = state.start;
    let mut under_way = JoinSet::new();
    while !state.stop.load(Ordering::Relaxed) {
        tokio::time::sleep_until(due.into()).await;
        let now = Instant::now();
        let number = state.record().begin(now - state.start, now - due);
        let shared = state.clone();
        under_way.spawn(async move {
            let result = timeout(ANSWER, attempt(address, number as u64)).await;
            let result = result.context("no answer").flatten();
            shared.record().end(number, shared.start.elapsed(), result);
        });
        // The timer is good for a millisecond; what a stall has cost is not made up for.
        due = if now - due > 10 * PERIOD { now } else { due } + PERIOD;
        while under_way.try_join_next().is_some() {}
    }
    // Those that hang stay unanswered.
    let _ = timeout(LAST, async { while under_way.join_next().await.is_some() {} }).await;
}

async fn attempt(address: SocketAddr, number: u64) -> Result<()> {
    let stream = timeout(CONNECT, TcpStream::connect(address)).await;
    let mut stream = stream.context("no connection")?.context("cannot connect")?;
    stream.set_nodelay(true)?;
    // So that thousands of closed connections do not use up the ports (TIME_WAIT).
    stream.set_zero_linger()?;
    let request = number.to_be_bytes();
    stream.write_all(&request).await.context("cannot send")?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await.context("cannot read the answer")?;
    ensure!(answer == request, "the answer is {answer:?} in place of {request:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, Behaviour};

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn a_server_that_is_gone_for_a_while_leaves_a_gap() {
        let mut backend = Backend::start(Behaviour::Echo).unwrap();
        let client = GapClient::start(&Place::Here, backend.address()).unwrap();
        client.wait_steady(SOON).unwrap();
        let broken = Instant::now();
        backend.kill();
        let away = Instant::now();
        wait::until("an open gap", SOON, || {
            let gap = client.gap(away);
            (!gap.over && gap.longest > Duration::from_millis(100)).then_some(())
        })
        .unwrap();
        let returns = Instant::now();
        backend.restart().unwrap();
        let back = Instant::now();
        client.wait_steady(SOON).unwrap();
        let gap = client.stop(broken).unwrap();
        assert!(gap.over && gap.began + gap.longest >= returns - broken, "{gap:?}");
        assert!(gap.began < Duration::from_secs(1) && gap.failures > 50, "{gap:?}");
        assert!(gap.longest < back - broken + SOON, "{gap:?}");
        assert!(gap.first_failure.is_some(), "{gap:?}");
    }

    #[test]
    fn a_server_that_hangs_makes_those_wait_who_are_connected() {
        let backend = Backend::start(Behaviour::Echo).unwrap();
        let client = GapClient::start(&Place::Here, backend.address()).unwrap();
        client.wait_steady(SOON).unwrap();
        backend.hang().unwrap();
        let hung = Instant::now();
        wait::until("an open gap", SOON, || {
            let gap = client.gap(hung);
            (!gap.over && gap.longest > Duration::from_millis(200)).then_some(())
        })
        .unwrap();
        assert!(!client.is_steady());
        backend.resume();
        client.wait_steady(SOON).unwrap();
        let gap = client.stop(hung).unwrap();
        assert!(gap.over && gap.longest >= Duration::from_millis(200), "{gap:?}");
        assert_eq!(gap.failures, 0, "{gap:?}");
    }
}
