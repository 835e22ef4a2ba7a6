//! An API on a socket, and a bank that speaks to it.

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::ForBank;
use prometheus::Registry;
use runtime::clock::WallClock;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;
use crate::accept::Waiting;
use crate::accept::read::Rules;
use crate::config::Secret;
use crate::door::Client;
use crate::signature::{Signed, Signer};
use crate::testing::{self, FAR, SECRET, config};

pub const MOST_WAITING: u64 = 10_000;

pub struct Scene {
    pub address: SocketAddr,
    pub store: Arc<dyn EmpiStore>,
    pub families: Arc<Families>,
    pub waiting: Arc<Waiting>,
    pub standing: Arc<Standing>,
    pub clock: Arc<TestClock>,
    pub pool: watch::Sender<bool>,
    pub stopping: watch::Sender<bool>,
    kept: watch::Sender<i64>,
    clients: Vec<Arc<Client>>,
    signer: Signer,
    nonce: AtomicU64,
    _closing: watch::Sender<bool>,
    _folder: TempDir,
}

pub type Sent = (String, Vec<u8>);

impl Scene {
    pub async fn start() -> Self {
        Self::with("").await
    }

    pub async fn behind_proxy() -> Self {
        Self::with("127.0.0.0/8").await
    }

    async fn with(proxies: &str) -> Self {
        let config = config(proxies);
        let (store, folder) = testing::store().await;
        let registry = Registry::new();
        let families = Arc::new(Families::new(&registry).unwrap());
        let waiting = Arc::new(Waiting::new(MOST_WAITING));
        let clock = Arc::new(TestClock::new());
        let (pool, stopping) = (watch::Sender::new(true), watch::Sender::new(false));
        let (kept, closing) = (watch::Sender::new(-1), watch::Sender::new(false));
        let standing = Arc::new(Standing::new(
            registry,
            Arc::clone(&families),
            Arc::clone(&waiting),
            WallClock::default(),
            pool.subscribe(),
            stopping.subscribe(),
        ));
        let door = Door::new(&config, clock.clone()).unwrap();
        let clients = door.clients().to_vec();
        let desk = Desk {
            empi: config.empi.clone(),
            rules: Rules { classes: config.classes.clone(), most_parts: config.most_parts },
            store: Arc::clone(&store),
            waiting: Arc::clone(&waiting),
            more: Arc::<Notify>::default(),
            clock: clock.clone(),
            families: Arc::clone(&families),
            access: true,
        };
        let api = Api {
            door,
            desk,
            store: Arc::clone(&store),
            standing: Arc::clone(&standing),
            families: Arc::clone(&families),
            kept: kept.subscribe(),
            stopping: stopping.subscribe(),
            recheck: None,
            limits: Limits { largest: config.http.largest, body: config.http.body },
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(Arc::new(api));
        let served = Arc::clone(&families);
        tokio::spawn(crate::serve::serve(listener, router, config.http, served, closing.subscribe()));
        Self {
            address,
            store,
            families,
            waiting,
            standing,
            clock,
            pool,
            stopping,
            kept,
            clients,
            signer: Signer::new(&Secret(SECRET.to_owned())).unwrap(),
            nonce: AtomicU64::new(10_000_000),
            _closing: closing,
            _folder: folder,
        }
    }

    pub fn door_client(&self, bank: &str) -> &Client {
        self.clients.iter().find(|client| client.bank.as_str() == bank).unwrap()
    }

    /// As it is done for what comes from the bus.
    pub async fn keep(&self, came: Vec<(i64, ForBank)>) {
        let last = came.last().unwrap().0;
        self.store.keep(came, &[], crate::clock::Time::now(self.clock.as_ref())).await.unwrap();
        self.kept.send_replace(last);
    }

    pub fn head(&self, method: &str, target: &str, length: usize, more: &str) -> String {
        format!(
            "{method} {target} HTTP/1.1\r\nHost: empi\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n{more}\r\n"
        )
    }

    pub fn request_at(&self, time: u64, nonce: &str, method: &str, target: &str, body: &[u8]) -> Sent {
        let time = time.to_string();
        let signed = Signed { method, target, time: &time, nonce, body };
        let more = format!("Authorization: {}\r\n", self.signer.header("core-1", &signed));
        (self.head(method, target, body.len(), &more), body.to_vec())
    }

    pub fn signed(&self, method: &str, target: &str, body: Vec<u8>) -> Sent {
        let nonce = self.nonce.fetch_add(1, Ordering::SeqCst).to_string();
        self.request_at(TestClock::START, &nonce, method, target, &body)
    }

    /// Signed rightly, with a key that nobody knows.
    pub fn stranger(&self) -> Sent {
        let (head, body) = self.signed("GET", "/v1/reports", Vec::new());
        (head.replace("core-1", "core-9"), body)
    }

    pub fn bearer(&self, token: &str) -> Sent {
        (self.head("GET", "/v1/reports", 0, &format!("Authorization: Bearer {token}\r\n")), Vec::new())
    }

    pub fn elsewhere(&self) -> Sent {
        self.bearer(FAR)
    }

    pub fn bearer_post(&self, token: &str, body: &Value) -> Sent {
        let body = body.to_string().into_bytes();
        let more = format!("Authorization: Bearer {token}\r\n");
        (self.head("POST", "/v1/messages", body.len(), &more), body)
    }

    pub async fn answer(&self, (head, body): Sent) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // one that is refused by its head may not be read
        let _ = stream.write_all(&body).await;
        read_answer(&mut stream).await
    }

    pub async fn post(&self, body: &Value) -> (u16, Value) {
        self.answer(self.signed("POST", "/v1/messages", body.to_string().into_bytes())).await
    }

    pub async fn get(&self, target: &str) -> (u16, Value) {
        self.answer(self.signed("GET", target, Vec::new())).await
    }

    /// Everything that is answered until the connection is closed.
    pub async fn plain(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // a connection that is refused may be reset
        let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

pub async fn read_answer(stream: &mut TcpStream) -> (u16, Value) {
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse().unwrap() {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, serde_json::from_str(body).unwrap());
            }
        }
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_buf(&mut answer)).await;
        assert_ne!(read.unwrap().unwrap(), 0, "closed after {} bytes", answer.len());
    }
}
