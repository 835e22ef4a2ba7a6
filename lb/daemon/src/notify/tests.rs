use std::fs;
use std::path::Path;
use std::time::Duration;

use lb_core::config::{self, Notify};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;
use crate::control::Entry;
use crate::probe::testing::Peer;
use crate::vrrp::Kind;

const LONG: Duration = Duration::from_secs(20);

fn change(router: &str, state: Word, reason: &str) -> Change {
    let (router, reason) = (router.into(), reason.to_owned());
    Change { router, state, priority: 200, reason, took_over: false, at: Instant::now() }
}

/// Virtual routers of these names, all with the same recipients.
fn routers(names: &[&str], notify: Option<&Notify>) -> Vec<VirtualRouter> {
    let routers: String = (1..)
        .zip(names)
        .map(|(n, name)| {
            format!("  - {{ name: {name}, interface: eth0, vrid: {n}, addresses: [\"192.0.2.{n}/24\"] }}\n")
        })
        .collect();
    let text = format!(
        "listeners: [ {{ name: l, bind: \"127.0.0.1:1\", pool: p }} ]\n\
         pools: [ {{ name: p, servers: [ {{ name: a, address: \"192.0.2.200:1\" }} ] }} ]\n\
         vrrp:\n{routers}"
    );
    let mut routers = config::compile(&text, None).unwrap().virtual_routers;
    assert_eq!(routers.len(), names.len());
    for router in &mut routers {
        router.notify = notify.cloned();
    }
    routers
}

fn command(script: &str) -> Notify {
    let command = ["/bin/sh", "-c", script, "sh", "mine"].map(str::to_owned).to_vec();
    Notify { command: Some(command), webhook: None, timeout: LONG }
}

fn webhook(url: String) -> Notify {
    Notify { command: None, webhook: Some(url), timeout: LONG }
}

mod queue {
    use super::*;

    fn told(queue: &mut Queue) -> Vec<String> {
        std::iter::from_fn(|| queue.next())
            .map(|(change, _)| format!("{} {} {}", change.router, change.state, change.reason))
            .collect()
    }

    #[test]
    fn the_latest_state_wins_and_keeps_the_place() {
        let mut queue = Queue::default();
        queue.configure(&routers(&["a", "b"], Some(&command(""))));
        for (router, state, reason) in [
            ("a", Word::Master, "1"),
            ("b", Word::Fault, "2"),
            ("a", Word::Backup, "3"),
            ("b", Word::Backup, "4"),
        ] {
            queue.push(change(router, state, reason));
        }
        assert_eq!(told(&mut queue), ["a BACKUP 3", "b BACKUP 4"]);
        assert_eq!(told(&mut queue), [""; 0]);
    }

    #[test]
    fn settings_are_those_of_the_moment_and_some_want_nothing() {
        let mut queue = Queue::default();
        queue.push(change("a", Word::Master, "nobody asked"));
        assert_eq!(told(&mut queue), [""; 0]);

        queue.configure(&routers(&["a"], Some(&command("old"))));
        queue.push(change("a", Word::Master, "1"));
        queue.configure(&routers(&["a"], Some(&command("new"))));
        assert_eq!(queue.next().unwrap().1, command("new"));

        queue.push(change("a", Word::Backup, "2"));
        queue.configure(&routers(&["a"], None));
        assert_eq!(told(&mut queue), [""; 0]);
    }

    #[test]
    fn a_router_that_left_the_file_is_told_of_until_its_stop() {
        let mut queue = Queue::default();
        queue.configure(&routers(&["a", "b"], Some(&command("old"))));
        queue.configure(&routers(&["b"], Some(&command("new"))));
        queue.push(change("a", Word::Stop, "gone"));
        let (stop, notify) = queue.next().unwrap();
        assert_eq!((stop.state, notify), (Word::Stop, command("old")));
        queue.push(change("a", Word::Stop, "again"));
        queue.push(change("b", Word::Stop, "stays"));
        assert_eq!(told(&mut queue), ["b STOP stays"]);
        queue.push(change("b", Word::Backup, "goes on"));
        assert_eq!(told(&mut queue), ["b BACKUP goes on"]);
    }
}

struct Desk {
    notifier: Notifier,
    timeline: Arc<Timeline>,
    metrics: Arc<Metrics>,
}

impl Desk {
    fn start(names: &[&str], notify: &Notify) -> Self {
        let timeline = Arc::new(Timeline::new(Instant::now(), 100));
        let metrics = Arc::new(Metrics::new().unwrap());
        let (t, m) = (Arc::clone(&timeline), Arc::clone(&metrics));
        let notifier = Notifier::start(t, m, Some("lb-a".to_owned()));
        notifier.configure(&routers(names, Some(notify)));
        Self { notifier, timeline, metrics }
    }

    /// Tells, and waits until that is done; returns what came of it, from the timeline.
    async fn tell(&self, changes: impl IntoIterator<Item = Change>) -> Vec<Entry> {
        let known = self.timeline.entries(None, None).len();
        changes.into_iter().for_each(|change| self.notifier.tell(change));
        timeout(LONG, self.notifier.idle()).await.unwrap();
        let entries = self.timeline.entries(None, None);
        assert!(entries.iter().all(|entry| entry.kind == Kind::Notification), "{entries:?}");
        entries[known..].to_vec()
    }

    fn count(&self, via: &str, result: &str) -> u64 {
        self.metrics.vrrp.notifications.with_label_values(&["a", via, result]).get()
    }
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_program_gets_what_keepalived_gives_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("told");
    let script = format!("echo \"$* $LB_ROUTER $LB_STATE $LB_PRIORITY $LB_REASON\" >>{}", file.display());
    let desk = Desk::start(&["a"], &command(&script));
    for state in [State::Initialize, State::Backup, State::Active, State::Fault] {
        let entries = desk.tell([change("a", state.into(), "why not")]).await;
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!(entry.subject, "a");
        assert!(entry.text.starts_with(&format!("command: told of {}", Word::from(state))), "{}", entry.text);
    }
    let expected = ["STOP", "BACKUP", "MASTER", "FAULT"]
        .map(|state| format!("mine INSTANCE a {state} 200 a {state} 200 why not"));
    assert_eq!(lines(&file), expected);
    assert_eq!(desk.count("command", "ok"), 4);
}

#[tokio::test]
async fn one_at_a_time_and_what_came_meanwhile_is_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let (file, gate) = (dir.path().join("told"), dir.path().join("gate"));
    let script = format!(
        "echo begin $4 >>{file}; until test -e {gate}; do sleep 0.01; done; echo end $4 >>{file}",
        file = file.display(),
        gate = gate.display()
    );
    let desk = Desk::start(&["a"], &command(&script));
    desk.notifier.tell(change("a", Word::Backup, "1"));
    while lines(&file).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desk.notifier.tell(change("a", Word::Master, "2"));
    desk.notifier.tell(change("a", Word::Fault, "3"));
    assert_eq!(lines(&file), ["begin BACKUP"]);
    fs::write(&gate, "").unwrap();
    desk.tell([]).await;
    assert_eq!(lines(&file), ["begin BACKUP", "end BACKUP", "begin FAULT", "end FAULT"]);
}

#[tokio::test]
async fn a_program_that_fails_hangs_or_is_not_there_holds_nobody_up() {
    let desk = Desk::start(&["a"], &command("echo no permission; exit 3"));
    let entries = desk.tell([change("a", Word::Master, "1")]).await;
    assert_eq!(entries[0].text, "command: NOT told of MASTER: exit code 3: no permission");

    let hangs = Notify { timeout: Duration::from_millis(100), ..command("sleep 1000") };
    desk.notifier.configure(&routers(&["a"], Some(&hangs)));
    let entries = desk.tell([change("a", Word::Master, "2")]).await;
    assert_eq!(entries[0].text, "command: NOT told of MASTER: not done within 100ms");

    let gone = Notify { command: Some(vec!["/nonexistent/notify".to_owned()]), ..command("") };
    desk.notifier.configure(&routers(&["a"], Some(&gone)));
    let entries = desk.tell([change("a", Word::Master, "3")]).await;
    assert!(entries[0].text.contains("NOT told of MASTER: /nonexistent/notify: No such file"), "{entries:?}");
    assert_eq!((desk.count("command", "failed"), desk.count("command", "timeout")), (2, 1));
}

/// Answers each request with that status; yields its head and its body.
async fn receiver(status: &'static str) -> Peer<(String, Value)> {
    Peer::serving(move |mut stream: TcpStream| async move {
        let mut request = Vec::new();
        let (head, body) = loop {
            stream.read_buf(&mut request).await.unwrap();
            let text = String::from_utf8(request.clone()).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_str(body) {
                break (head.to_owned(), body);
            }
        };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        (head, body)
    })
    .await
}

#[tokio::test]
async fn a_webhook_is_posted_and_trouble_is_resolved_later() {
    let peer = receiver("200 OK").await;
    let desk = Desk::start(&["a"], &webhook(format!("http://{}/hook?x=1", peer.address)));
    let entries = desk.tell([change("a", Word::Fault, "eth0 is down")]).await;
    assert!(entries[0].text.starts_with("webhook: told of FAULT"), "{entries:?}");
    let (head, fault) = peer.next().await;
    assert!(head.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: {}\r\n", peer.address)), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!((&fault["version"], &fault["status"]), (&"4".into(), &"firing".into()));
    assert_eq!(fault["alerts"][0]["labels"]["node"], "lb-a");

    desk.tell([change("a", Word::Backup, "no fault is left")]).await;
    let (_, backup) = peer.next().await;
    assert_eq!(backup["status"], "resolved");
    assert_eq!(backup["alerts"][0]["fingerprint"], fault["alerts"][0]["fingerprint"]);
    desk.tell([change("a", Word::Master, "nobody is Active")]).await;
    assert_eq!(peer.next().await.1["alerts"][0]["labels"]["state"], "MASTER", "that trouble is over");
    assert_eq!(desk.count("webhook", "ok"), 3);
}

#[tokio::test]
async fn a_webhook_that_does_not_take_it_is_noted() {
    let peer = receiver("503 Service Unavailable").await;
    let desk = Desk::start(&["a"], &webhook(format!("http://{}/", peer.address)));
    let entries = desk.tell([change("a", Word::Backup, "1")]).await;
    assert_eq!(entries[0].text, "webhook: NOT told of BACKUP: unexpected answer: HTTP status 503");

    let silent = Peer::silent().await;
    let impatient =
        Notify { timeout: Duration::from_millis(100), ..webhook(format!("http://{}/", silent.address)) };
    desk.notifier.configure(&routers(&["a"], Some(&impatient)));
    let entries = desk.tell([change("a", Word::Backup, "2")]).await;
    assert_eq!(entries[0].text, "webhook: NOT told of BACKUP: not done within 100ms");
    assert_eq!((desk.count("webhook", "failed"), desk.count("webhook", "timeout")), (1, 1));
}

#[tokio::test]
async fn both_ways_at_once_and_one_that_fails_does_not_stop_the_other() {
    let peer = receiver("200 OK").await;
    let both =
        Notify { webhook: Some(format!("http://localhost:{}", peer.address.port())), ..command("exit 1") };
    let desk = Desk::start(&["a"], &both);
    let entries = desk.tell([change("a", Word::Stop, "shutdown")]).await;
    let mut texts: Vec<&str> = entries.iter().map(|entry| entry.text.split(" in ").next().unwrap()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["command: NOT told of STOP: exit code 1", "webhook: told of STOP"]);
    assert!(peer.next().await.0.starts_with("POST / HTTP/1.1"));
}
