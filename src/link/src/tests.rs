//! Both ends, over real sockets.

mod events;
mod line;
mod pool;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::settings::Address;
use async_trait::async_trait;
use domain::{MessageText, Submission, UaopId};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;

use crate::{
    Batch, Identity, Intake, Line, LineError, LineSettings, LineState, Numbered, Offer, Role, Standing,
    Teller, Verdict, serve,
};

pub(crate) fn who(role: Role, node: &str) -> Identity {
    Identity { role, node: node.to_owned(), site: "dc1".to_owned() }
}

pub(crate) fn submission(id: &str) -> Submission {
    Submission {
        uaop_id: id.parse().unwrap(),
        empi_id: "bank".parse().unwrap(),
        class: "notice".parse().unwrap(),
        account: None,
        to: "8613800138000".parse().unwrap(),
        extension: String::new(),
        text: MessageText("hello".to_owned()),
        report: true,
        priority: 0,
        not_after: None,
    }
}

pub(crate) fn offer(id: &str) -> Offer {
    Offer { submission: submission(id), again: false }
}

/// Takes everything, as long as `gate` lets it.
pub(crate) struct Desk {
    pub gate: Semaphore,
    /// What was offered, and whether `again`.
    pub seen: Mutex<Vec<(String, bool)>>,
    pub taken: Mutex<BTreeMap<String, u32>>,
    pub standing: watch::Sender<Standing>,
    /// What it says instead of taking.
    pub verdict: Mutex<Option<Verdict>>,
}

impl Desk {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            seen: Mutex::default(),
            taken: Mutex::default(),
            standing: watch::Sender::new(Standing { ready: true, reason: String::new() }),
            verdict: Mutex::default(),
        })
    }

    pub fn closed() -> Arc<Self> {
        let desk = Self::new();
        desk.gate.forget_permits(Semaphore::MAX_PERMITS);
        desk
    }

    pub fn seen(&self) -> Vec<(String, bool)> {
        self.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

#[async_trait]
impl Intake for Desk {
    async fn take(&self, _from: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        let ids = offers.iter().map(|offer| (offer.submission.uaop_id.to_string(), offer.again));
        self.seen.lock().unwrap().extend(ids);
        let permits = u32::try_from(offers.len()).unwrap();
        self.gate.acquire_many(permits).await.unwrap().forget();
        if let Some(verdict) = self.verdict.lock().unwrap().clone() {
            return vec![verdict; offers.len()];
        }
        let mut taken = self.taken.lock().unwrap();
        let mut take = |offer: Offer| {
            let times = taken.entry(offer.submission.uaop_id.to_string()).or_default();
            *times += 1;
            Verdict::Taken { duplicate: *times > 1 }
        };
        offers.into_iter().map(&mut take).collect()
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        let taken = self.taken.lock().unwrap();
        Ok(ids.iter().map(|id| taken.contains_key(id.as_str())).collect())
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }
}

/// A server on a runtime of its own, so that it can be killed as a process is: all its sockets are gone at once.
pub(crate) struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    kill: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
}

impl Server {
    pub async fn start(me: Identity, desk: Arc<Desk>, teller: Option<Arc<dyn Teller>>) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), me, desk, teller).await
    }

    pub async fn at(
        address: SocketAddr,
        me: Identity,
        desk: Arc<Desk>,
        teller: Option<Arc<dyn Teller>>,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap().into_std().unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (kill, killed) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let served = serve(listener, me, desk, teller, async {
                    let _ = stopped.await;
                });
                tokio::select! {
                    result = served => result,
                    Ok(()) = killed => Ok(()),
                }
            })
        });
        Self { address, stop: Some(stop), kill: Some(kill), thread: Some(thread) }
    }

    /// As `kill -9`.
    pub async fn kill(&mut self) {
        self.kill.take().unwrap().send(()).unwrap();
        self.ended().await.unwrap();
    }

    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    pub async fn ended(&mut self) -> anyhow::Result<()> {
        let thread = self.thread.take().unwrap();
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap()
    }
}

pub(crate) fn line_settings(server: SocketAddr) -> LineSettings {
    LineSettings {
        server: Address::Socket(server),
        connect: Duration::from_secs(5),
        silence: Duration::from_secs(10),
        reconnect: (Duration::from_millis(10), Duration::from_millis(50)),
        window: 1000,
    }
}

pub(crate) async fn up(line: &Line) -> Identity {
    let mut state = line.state();
    match &*soon(state.wait_for(|state| matches!(state, LineState::Up { .. }))).await.unwrap() {
        LineState::Up { peer, .. } => peer.clone(),
        LineState::Down(_) => unreachable!(),
    }
}

/// Why it is down, once that has to do with `word`.
pub(crate) async fn down(line: &Line, word: &str) -> String {
    let mut state = line.state();
    let wanted = |state: &LineState| matches!(state, LineState::Down(reason) if reason.contains(word));
    match tokio::time::timeout(Duration::from_secs(20), state.wait_for(wanted)).await {
        Ok(state) => match &*state.unwrap() {
            LineState::Down(reason) => reason.clone(),
            LineState::Up { .. } => unreachable!(),
        },
        Err(_) => panic!("{:?}", line.state().borrow()),
    }
}

/// Ends a test that hangs.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

pub(crate) fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}
