use std::collections::VecDeque;
use std::sync::Mutex;

use prometheus::Registry;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::config::Secret;
use crate::door::claim::{self, Claim};
use crate::signature::{Signed, Signer};
use crate::testing::{self, TestClock, mo};

/// Answers as it is told to, and tells when it was called.
struct Script {
    clock: Clock,
    answers: Mutex<VecDeque<Result<(), String>>>,
    called: mpsc::UnboundedSender<(u64, Vec<u8>)>,
}

#[async_trait]
impl Messenger for Script {
    async fn deliver(&self, body: Vec<u8>) -> Result<(), String> {
        self.called.send((self.clock.now().0, body)).unwrap();
        self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Err("on purpose".to_owned()))
    }
}

struct Scene {
    store: Arc<dyn EmpiStore>,
    kept: watch::Sender<i64>,
    called: mpsc::UnboundedReceiver<(u64, Vec<u8>)>,
    ending: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    families: Arc<Families>,
    _folder: TempDir,
}

fn settings(url: &str) -> Callback {
    Callback {
        url: url.parse().unwrap(),
        at_once: 2,
        timeout: Duration::from_secs(5),
        retry: (Duration::from_secs(1), Duration::from_secs(8)),
        give_up: Duration::from_secs(20),
    }
}

async fn scene(answers: Vec<Result<(), String>>, items: i64) -> Scene {
    let (store, folder) = testing::store().await;
    let clock: Clock = Arc::new(TestClock::new());
    let bank: Bank = "core".parse().unwrap();
    let came = (0..items).map(|n| (n, mo(&format!("m-{n}")))).collect();
    store.keep(came, std::slice::from_ref(&bank), clock.now()).await.unwrap();
    let families = Arc::new(Families::new(&Registry::new()).unwrap());
    let alarms = Alarms::new("a".to_owned(), "dc1".to_owned(), Arc::clone(&clock), Arc::clone(&families));
    let (sender, called) = mpsc::unbounded_channel();
    let messenger = Script { clock: Arc::clone(&clock), answers: Mutex::new(answers.into()), called: sender };
    let (kept, ending) = (watch::Sender::new(-1), watch::Sender::new(false));
    let caller = Caller {
        bank,
        settings: settings("http://192.0.2.1/"),
        messenger: Arc::new(messenger),
        store: Arc::clone(&store),
        clock,
        kept: kept.subscribe(),
        families: Arc::clone(&families),
        alarms: Arc::new(alarms),
    };
    let task = tokio::spawn(caller.run(ending.subscribe()));
    Scene { store, kept, called, ending, task, families, _folder: folder }
}

impl Scene {
    /// In seconds since the start.
    async fn next(&mut self) -> u64 {
        let (at, _) = self.called.recv().await.unwrap();
        (at - TestClock::START) / 1000
    }

    async fn until(&self, outcome: &str, count: u64) {
        while self.families.calls.with_label_values(&["core", outcome]).get() < count {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn until_none_is_open(&self) {
        while self.store.counts().await.unwrap().calls > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_call_in_vain_is_made_again_after_pauses_that_grow_and_given_up_at_last() {
    let mut scene = scene(Vec::new(), 1).await;
    // from here on no timer but the caller's own runs: time goes on only when it waits for that
    tokio::time::pause();
    let mut at = Vec::new();
    for _ in 0..6 {
        at.push(scene.next().await);
    }
    assert_eq!(at, [0, 1, 3, 7, 15, 23]);
    tokio::time::resume();
    scene.until("given_up", 1).await;
    scene.until_none_is_open().await;
    // the bank can still fetch it
    assert_eq!(scene.store.items(&"core".parse().unwrap(), -1, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_bank_has_taken_is_not_told_again_and_something_new_is_told_at_once() {
    let mut scene = scene(vec![Ok(()), Ok(()), Ok(()), Ok(())], 3).await;
    for _ in 0..3 {
        scene.next().await;
    }
    scene.until("done", 3).await;
    let bank: Bank = "core".parse().unwrap();
    scene.store.keep(vec![(7, mo("m-7"))], &[bank], Millis(TestClock::START)).await.unwrap();
    scene.kept.send_replace(7);
    let (_, body) = scene.called.recv().await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["kind"], &body["cursor"], &body["mo_id"]), (&"mo".into(), &7.into(), &"m-7".into()));
    scene.until("done", 4).await;
    scene.until_none_is_open().await;
    scene.ending.send_replace(true);
    scene.task.await.unwrap();
    assert!(scene.called.try_recv().is_err());
}

#[tokio::test]
async fn a_call_is_signed_and_anything_but_2xx_is_no_success() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = [
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ];
    let bank = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"{}") {
                assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            requests.push(String::from_utf8(request).unwrap());
        }
        requests
    });
    let secret = Secret("0123456789abcdef".to_owned());
    let messenger = HttpMessenger {
        client: client().unwrap(),
        url: format!("http://{address}/smsline?bank=1").parse().unwrap(),
        timeout: Duration::from_secs(20),
        key: "core-1".to_owned(),
        signer: Signer::new(&secret).unwrap(),
        clock: Arc::new(TestClock::new()),
    };
    assert_eq!(messenger.deliver(b"{}".to_vec()).await, Ok(()));
    assert_eq!(messenger.deliver(b"{}".to_vec()).await, Err("HTTP status 302".to_owned()));
    assert_eq!(messenger.deliver(b"{}".to_vec()).await, Err("HTTP status 500".to_owned()));
    let requests = bank.await.unwrap();
    let header = requests[0].lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap();
    let header = axum::http::HeaderValue::from_str(header).unwrap();
    let Ok(Claim::Signed { key, time, nonce, signature, .. }) = claim::read(Some(&header)) else { panic!() };
    let target = "/smsline?bank=1";
    assert!(requests[0].starts_with("POST /smsline?bank=1 HTTP/1.1\r\n"), "{}", requests[0]);
    let signed = Signed { method: "POST", target, time, nonce, body: b"{}" };
    assert!(key == "core-1" && Signer::new(&secret).unwrap().verify(&signed, signature));
    // nobody listens any more; the address is not told
    let error = messenger.deliver(b"{}".to_vec()).await.unwrap_err();
    assert!(!error.contains("smsline?bank"), "{error}");
}
