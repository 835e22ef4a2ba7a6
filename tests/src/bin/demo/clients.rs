//! Clients that ask again and again and remember who answered.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use testkit::verify::Dialogue;
use testkit::wait;

/// How many at one time.
pub const CLIENTS: u32 = 8;
/// Between two requests of one client.
const PAUSE: Duration = Duration::from_millis(4);
/// Bytes of a request and of its answer; each is checked.
const BYTES: usize = 200;
const SOON: Duration = Duration::from_secs(10);

/// One request, over a connection of its own.
#[derive(Clone, Debug)]
pub struct Request {
    pub began: Instant,
    pub ended: Instant,
    /// The server that answered, or what the client saw instead.
    pub answer: Result<String, String>,
}

/// Clients on a thread of their own.
#[derive(Debug)]
pub struct Clients {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<Long>>>,
}

/// What the one connection saw that stays open all the time.
#[derive(Debug)]
pub struct Long {
    pub server: String,
    pub exchanges: u64,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Whether the long connection may begin.
    long: AtomicBool,
    requests: Mutex<Vec<Request>>,
}

impl Clients {
    pub fn start(address: SocketAddr) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let run = {
            let shared = Arc::clone(&shared);
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(async {
                    for number in 0..CLIENTS {
                        tokio::spawn(client(address, number, Arc::clone(&shared)));
                    }
                    long(address, &shared).await
                })
            }
        };
        let thread = std::thread::Builder::new().name("clients".to_owned()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Opens one connection that stays until the end.
    pub fn open_long(&self) {
        self.shared.long.store(true, Ordering::Relaxed);
    }

    /// All requests that have ended and began after `since`.
    pub fn since(&self, since: Instant) -> Vec<Request> {
        let requests = self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().filter(|request| request.began >= since).cloned().collect()
    }

    /// Waits for so many answers to requests that began after `since`, and counts them by server.
    pub fn answers(&self, since: Instant, count: usize) -> Result<Answers> {
        wait::until("answers", SOON, || {
            let answers = Answers::of(&self.since(since));
            (answers.total() >= count).then_some(answers)
        })
    }

    /// Waits for the first answer of `server` to a request that began after `since`.
    pub fn first_answer_of(&self, server: &str, since: Instant) -> Result<Instant> {
        wait::until(&format!("an answer of {server}"), SOON, || {
            let by = |request: &Request| request.answer.as_ref().is_ok_and(|name| name == server);
            self.since(since).iter().filter(|request| by(request)).map(|request| request.ended).min()
        })
    }

    /// Ends all connections properly.
    pub fn stop(mut self) -> Result<Long> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().context("the clients run")?;
        thread.join().map_err(|_| anyhow!("the clients panicked"))?
    }
}

/// Answers by server.
#[derive(Clone, Debug, Default)]
pub struct Answers(Vec<(String, usize)>);

impl Answers {
    fn of(requests: &[Request]) -> Self {
        let mut answers = Self::default();
        for name in requests.iter().filter_map(|request| request.answer.as_ref().ok()) {
            match answers.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, count)) => *count += 1,
                None => answers.0.push((name.clone(), 1)),
            }
        }
        answers
    }

    pub fn total(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Of all answers, in percent.
    pub fn percent(&self, server: &str) -> usize {
        let count = self.0.iter().find(|(name, _)| name == server).map_or(0, |(_, count)| *count);
        count * 100 / self.total().max(1)
    }
}

async fn client(address: SocketAddr, number: u32, shared: Arc<Shared>) {
    let mut seed = u64::from(number) << 32;
    while !shared.stop.load(Ordering::Relaxed) {
        seed += 1;
        let began = Instant::now();
        let answer = ask(address, seed).await.map_err(|error| format!("{error:#}"));
        let request = Request { began, ended: Instant::now(), answer };
        shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(address: SocketAddr, seed: u64) -> Result<String> {
    let mut dialogue = Dialogue::open(address, seed).await?;
    let name = dialogue.name().await?;
    dialogue.exchange(BYTES).await?;
    dialogue.finish().await?;
    Ok(name)
}

/// Opens when it may and stays until the stop.
async fn long(address: SocketAddr, shared: &Shared) -> Result<Long> {
    while !shared.long.load(Ordering::Relaxed) {
        anyhow::ensure!(!shared.stop.load(Ordering::Relaxed), "the long connection was never wanted");
        tokio::time::sleep(PAUSE).await;
    }
    let mut dialogue = Dialogue::open(address, u64::MAX).await.context("the long connection")?;
    let server = dialogue.name().await.context("the long connection")?;
    let mut exchanges = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        dialogue.exchange(BYTES).await.context("the long connection")?;
        exchanges += 1;
        tokio::time::sleep(PAUSE).await;
    }
    dialogue.finish().await.context("the long connection")?;
    Ok(Long { server, exchanges })
}
