//! The whole process in one: API, store, bus and link are real, the UAOP takes what it is told to.

use std::net::SocketAddr;
use std::sync::Mutex;

use async_trait::async_trait;
use domain::UaopId;
use link::{Intake, Offer, Verdict};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;
use crate::config;
use crate::testing::report;

const LIMIT: Duration = Duration::from_secs(60);
const TOKEN: &str = "a-token-of-sixteen";

/// Takes messages, but for those that it refuses.
struct Uaop {
    taken: Mutex<Vec<(UaopId, bool)>>,
    standing: watch::Sender<link::Standing>,
}

#[async_trait]
impl Intake for Uaop {
    async fn take(&self, _: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        let mut taken = self.taken.lock().unwrap();
        offers
            .into_iter()
            .map(|offer| {
                if offer.submission.class.as_str() == "marketing" {
                    return Verdict::Refused { reason: "no route".to_owned() };
                }
                let id = offer.submission.uaop_id;
                let duplicate = taken.iter().any(|(known, _)| *known == id);
                taken.push((id, offer.again));
                Verdict::Taken { duplicate }
            })
            .collect()
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        Ok(vec![false; ids.len()])
    }

    fn standing(&self) -> watch::Receiver<link::Standing> {
        self.standing.subscribe()
    }
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

struct Scene {
    folder: tempfile::TempDir,
    api: SocketAddr,
    uaop: SocketAddr,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), api: free(), uaop: free() }
    }

    fn config(&self) -> Config {
        let Self { folder, api, uaop } = self;
        let folder = folder.path().display();
        let text = format!(
            "
empi: bank-1
node: a
site: dc1
http: {{ listen: '{api}', drain: 0s }}
metrics: off
store: {{ sqlite: '{folder}/store' }}
bus: {{ embedded: '{folder}/bus' }}
uaops: {{ servers: [ {{ name: u, address: '{uaop}' }} ], check: {{ interval: 50ms, rise: 1 }} }}
banks: {{ name: core, keys: {{ token: '{TOKEN}' }} }}
"
        );
        config::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}"))
    }

    fn start(&self) -> (tokio::task::JoinHandle<anyhow::Result<()>>, oneshot::Sender<()>) {
        let (stop, stopped) = oneshot::channel();
        let config = self.config();
        (tokio::spawn(run(config, async { drop(stopped.await) })), stop)
    }

    /// Until somebody listens there.
    async fn ask(&self, method: &str, target: &str, body: &str) -> Value {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: empi\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = loop {
            match TcpStream::connect(self.api).await {
                Ok(stream) => break stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    async fn submit(&self, reference: &str, class: &str) -> Value {
        let message = json!({ "reference": reference, "to": "13800138000", "text": "hello", "class": class });
        let answer = self.ask("POST", "/v1/messages", &json!({ "messages": [message] }).to_string()).await;
        answer["results"][0].clone()
    }

    async fn state(&self, id: &str, wanted: &str) {
        loop {
            let found = self.ask("GET", &format!("/v1/messages/{id}"), "").await;
            if found["state"] == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn id(result: &Value) -> &str {
    result["recipients"][0]["uaop_id"].as_str().unwrap()
}

async fn a_day(scene: &Scene) {
    // nobody takes messages yet: they are accepted all the same
    let (running, stop) = scene.start();
    let first = scene.submit("r-1", "notice").await;
    assert_eq!(first["status"], "accepted");
    scene.state(id(&first), "waiting").await;

    let standing = link::Standing { ready: true, reason: String::new() };
    let uaop = Arc::new(Uaop { taken: Mutex::default(), standing: watch::Sender::new(standing) });
    let listener = TcpListener::bind(scene.uaop).await.unwrap();
    let me = Identity { role: Role::Uaop, node: "u".to_owned(), site: "dc1".to_owned() };
    let (end, ended) = oneshot::channel::<()>();
    let serving = link::serve(listener, me, uaop.clone(), None, async { drop(ended.await) });
    let serving = tokio::spawn(serving);
    scene.state(id(&first), "handed").await;
    let refused = scene.submit("r-2", "marketing").await;
    scene.state(id(&refused), "refused").await;

    let reports = scene.ask("GET", "/v1/reports", "").await;
    assert_eq!(
        (&reports["items"][0]["reference"], &reports["items"][0]["reason"]),
        (&json!("r-2"), &json!("no route"))
    );
    let bus = bus::open(&scene.config().bus, "center").await.unwrap();
    let topic = bus::for_bank(&"bank-1".parse().unwrap());
    let value = serde_json::to_vec(&report(id(&first), 1)).unwrap();
    let record = bus::Record { key: id(&first).to_owned(), value };
    let poll = format!("/v1/reports?wait=50&after={}", reports["next"]);
    let (poll, published) = tokio::join!(scene.ask("GET", &poll, ""), bus.publish(&topic, vec![record]));
    published.unwrap();
    assert_eq!(poll["items"][0]["reference"], "r-1");
    scene.state(id(&first), "delivered").await;

    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    // another life knows what the first one accepted
    let (running, stop) = scene.start();
    let again = scene.submit("r-1", "notice").await;
    assert_eq!((&again["status"], id(&again)), (&json!("duplicate"), id(&first)));
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(
        uaop.taken.lock().unwrap().iter().filter(|(taken, _)| taken.as_str() == id(&first)).count(),
        1
    );
    drop(end);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_message_goes_its_way_and_its_report_comes_back() {
    tokio::time::timeout(LIMIT, a_day(&Scene::new())).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_in_use_is_told_at_the_start() {
    let scene = Scene::new();
    let _taken = TcpListener::bind(scene.api).await.unwrap();
    let error = run(scene.config(), std::future::pending()).await.unwrap_err();
    assert!(format!("{error:#}").contains(&format!("http.listen {}", scene.api)), "{error:#}");
}
