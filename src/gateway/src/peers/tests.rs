use std::net::SocketAddr;
use std::path::Path;

use domain::{Event, Happened, Millis, Submission};
use link::{Batch, Line, LineSettings, LineState, Numbered, Offer, Role, Verdict};
use store::spool::{Change, Spool};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;
use crate::config::Consumers;
use crate::engine::tests::{Given, engine, submission};

const LIMIT: Duration = Duration::from_secs(20);

/// A gateway's link on a spool; the account `cm` can submit.
struct Scene {
    address: SocketAddr,
    spool: Spool,
    more: Arc<tokio::sync::Notify>,
    events: Arc<Events>,
    board: Board,
    stop: watch::Sender<bool>,
    end: tokio::sync::oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
    _given: Given,
}

impl Scene {
    async fn new(folder: &Path) -> Self {
        let (engine, given, recovered) = engine(folder, &["cm"]);
        let (spool, more) = (engine.spool.clone(), Arc::default());
        let limits = Consumers { forget: Duration::from_secs(3600), most_events: 1000 };
        let families = Arc::clone(&engine.families);
        let events =
            Arc::new(Events::new(spool.clone(), Arc::clone(&more), recovered.consumers, limits, families));
        let board = Board::new("cm".parse().unwrap(), "cmpp-2.0");
        board.show(|level| level.ready = true);
        let (stop, stopping) = watch::channel(false);
        let peers = Peers::new(Arc::new(engine), Arc::clone(&events), vec![board.clone()], stopping);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = tokio::sync::oneshot::channel();
        let ended = async { ended.await.unwrap_or_default() };
        let serving = tokio::spawn(Arc::new(peers).serve(listener, identity(Role::Gateway, "gw"), ended));
        Self { address, spool, more, events, board, stop, end, serving, _given: given }
    }

    fn line(&self, uaop: &str, events: Option<mpsc::Sender<Batch>>) -> Line {
        let settings = LineSettings {
            server: settings::Address::Socket(self.address),
            connect: LIMIT,
            silence: LIMIT,
            reconnect: (Duration::from_millis(1), Duration::from_millis(5)),
            window: 100,
        };
        Line::open(settings, identity(Role::Uaop, uaop), Role::Gateway, events)
    }

    /// Makes so many events, and waits until they are there.
    async fn happen(&self, count: u32) {
        let changes = (0..count).map(|connection| Change::Event(event(connection))).collect();
        let (sender, written) = tokio::sync::oneshot::channel();
        self.spool.write(changes, move |result| drop(sender.send(result))).unwrap();
        written.await.unwrap().unwrap();
        self.more.notify_waiters();
    }

    /// Until this is acknowledged.
    async fn acknowledged(&self, uaop: &str, up_to: i64) {
        let until = async {
            while !self.events.consumers().iter().any(|c| c.consumer == uaop && c.acknowledged == up_to) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, until).await.unwrap();
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.end.send(()).unwrap();
        tokio::time::timeout(LIMIT, self.serving).await.unwrap().unwrap().unwrap();
        self.spool.stop();
    }
}

fn identity(role: Role, node: &str) -> Identity {
    Identity { role, node: node.to_owned(), site: "main".to_owned() }
}

fn event(connection: u32) -> Event {
    Event {
        gateway: "gw".parse().unwrap(),
        epoch: Millis(1),
        account: "cm".parse().unwrap(),
        at: Millis(1),
        happened: Happened::LinkUp { connection },
    }
}

fn offer(submission: Submission) -> Offer {
    Offer { submission, again: false }
}

/// Waits until the line says whether messages are taken.
async fn until_ready(line: &Line, wanted: bool) {
    let mut state = line.state();
    let is = |state: &LineState| matches!(state, LineState::Up { standing, .. } if standing.ready == wanted);
    tokio::time::timeout(LIMIT, state.wait_for(is)).await.unwrap().unwrap();
}

/// The numbers of what is told, until so many have come.
async fn hear(events: &mut mpsc::Receiver<Batch>, count: usize) -> Vec<Numbered> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let batch = tokio::time::timeout(LIMIT, events.recv()).await.unwrap().unwrap();
        heard.extend(batch.events);
    }
    heard
}

fn numbers(heard: &[Numbered]) -> Vec<i64> {
    heard.iter().map(|event| event.id).collect()
}

#[tokio::test]
async fn a_message_is_taken_once_and_known_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path()).await;
    let line = scene.line("uaop-1", None);
    until_ready(&line, true).await;
    let ids = || ["m1", "m2"].map(|id| id.parse().unwrap()).to_vec();
    assert_eq!(line.known(ids()).await, Ok(vec![false, false]));
    let nowhere = submission("m2", Some("nowhere"));
    let verdicts = line.submit(vec![offer(submission("m1", None)), offer(nowhere)]).await.unwrap();
    assert_eq!(verdicts[0], Verdict::Taken { duplicate: false });
    assert!(
        matches!(&verdicts[1], Verdict::Refused { reason } if reason.contains("nowhere")),
        "{verdicts:?}"
    );
    let again = Offer { submission: submission("m1", None), again: true };
    let mut other = submission("m1", None);
    other.text.0 = "another text".to_owned();
    let verdicts = line.submit(vec![again, offer(other)]).await.unwrap();
    assert_eq!(verdicts[0], Verdict::Taken { duplicate: true });
    assert!(matches!(&verdicts[1], Verdict::Refused { .. }), "{verdicts:?}");
    assert_eq!(line.known(ids()).await, Ok(vec![true, false]));
    scene.end().await;
}

#[tokio::test]
async fn what_cannot_be_taken_now_is_put_off() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path()).await;
    let line = scene.line("uaop-1", None);
    until_ready(&line, true).await;
    scene.stop.send_replace(true);
    until_ready(&line, false).await;
    let verdicts = line.submit(vec![offer(submission("m1", None))]).await.unwrap();
    assert_eq!(verdicts, [Verdict::Later { reason: "the gateway stops".to_owned() }]);
    assert_eq!(line.known(vec!["m1".parse().unwrap()]).await, Ok(vec![false]));
    scene.end().await;
}

#[tokio::test]
async fn a_gateway_without_a_connection_to_a_carrier_says_so_and_says_when_it_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path()).await;
    scene.board.show(|level| level.ready = false);
    let line = scene.line("uaop-1", None);
    until_ready(&line, false).await;
    scene.board.show(|level| level.ready = true);
    until_ready(&line, true).await;
    scene.end().await;
}

#[tokio::test]
async fn each_uaop_is_told_everything_as_it_is_stored_and_after_a_restart_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path()).await;
    scene.happen(2).await;
    let (sender, mut events) = mpsc::channel(8);
    let line = scene.line("uaop-1", Some(sender.clone()));
    let heard = hear(&mut events, 2).await;
    assert_eq!(numbers(&heard), [1, 2]);
    let read: Event = serde_json::from_slice(&heard[1].event).unwrap();
    assert_eq!(read, event(1));
    line.acknowledge(1);
    scene.acknowledged("uaop-1", 1).await;
    // one that is new has all that is kept, and everything that comes; it is waiting for it
    let (other, mut others) = mpsc::channel(8);
    let second = scene.line("uaop-2", Some(other));
    assert_eq!(numbers(&hear(&mut others, 1).await), [2]);
    scene.happen(1).await;
    assert_eq!(numbers(&hear(&mut others, 1).await), [3]);
    second.acknowledge(3);
    scene.acknowledged("uaop-2", 3).await;
    assert_eq!(numbers(&hear(&mut events, 1).await), [3]);
    drop((line, second));
    scene.end().await;

    let scene = Scene::new(folder.path()).await;
    // the other comes first, and does not acknowledge for this one
    let (other, _others) = mpsc::channel(8);
    let second = scene.line("uaop-2", Some(other));
    until_ready(&second, true).await;
    let line = scene.line("uaop-1", Some(sender));
    assert_eq!(numbers(&hear(&mut events, 2).await), [2, 3]);
    drop(line);
    scene.end().await;
}

#[tokio::test]
async fn what_happens_last_is_told_before_the_link_closes() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path()).await;
    let (sender, mut events) = mpsc::channel(8);
    let line = scene.line("uaop-1", Some(sender));
    until_ready(&line, true).await;
    scene.happen(5).await;
    let uaop = async {
        let heard = hear(&mut events, 5).await;
        line.acknowledge(5);
        numbers(&heard)
    };
    let spool = scene.spool.clone();
    let (heard, ()) = tokio::join!(uaop, scene.end());
    assert_eq!(heard, [1, 2, 3, 4, 5]);
    assert_eq!(spool.counts().events, 0);
}

#[tokio::test]
async fn an_acknowledgement_that_comes_late_takes_nothing_back() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path()).await;
    scene.happen(3).await;
    assert_eq!(scene.events.join("uaop-1").await.unwrap(), 0);
    for up_to in [3, 1] {
        scene.events.acknowledge_more("uaop-1", up_to).await.unwrap();
    }
    assert_eq!(scene.events.join("uaop-1").await.unwrap(), 3);
    let beyond = scene.events.acknowledge_more("uaop-1", 4).await.unwrap_err();
    assert!(beyond.to_string().starts_with("there is no event 4"), "{beyond}");
    scene.end().await;
}
