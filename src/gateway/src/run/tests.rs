use std::future::ready;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use axum::Router;
use axum::routing::post;
use jiff::tz::TimeZone;
use runtime::endpoint::Watched as _;
use runtime::http_client::{HttpClient, Peer};
use tokio::net::UnixListener;
use tokio::sync::oneshot;

use super::*;
use crate::engine::tests::engine;

const LIMIT: Duration = Duration::from_secs(20);

struct Scene {
    front: Thread,
    endpoint: Arc<Endpoint>,
    spool: Spool,
    socket: PathBuf,
}

impl Scene {
    fn start(folder: &Path, router: Router) -> Self {
        let (engine, ..) = engine(folder, &["cm"]);
        let (spool, families) = (engine.spool.clone(), Arc::clone(&engine.families));
        let (stop, stopping) = watch::channel(false);
        let uplink = uplink::tests::uplink(engine, Vec::new(), stopping);
        let orphans = Orphans {
            gateway: uplink.gateway.clone(),
            epoch: Millis(1),
            access: false,
            families: Arc::clone(&families),
            spool: spool.clone(),
            events: Arc::default(),
            staying: BTreeMap::new(),
            ending: BTreeMap::new(),
        };
        let clock = Clock::new(TimeZone::UTC);
        let endpoint = Arc::new(Endpoint {
            registry: Registry::new(),
            families,
            uplink: Arc::new(uplink),
            clock: clock.clone(),
        });
        let socket = folder.join("uplink.sock");
        let served = Served {
            uplink: UnixListener::bind(&socket).unwrap(),
            router,
            metrics: None,
            endpoint: Arc::clone(&endpoint),
            housekeeping: Housekeeping { spool: spool.clone(), clock, keep: LIMIT, orphans },
        };
        Self { front: front::start(served, stop).unwrap(), endpoint, spool, socket }
    }

    /// The writer of the spool ends by a panic.
    fn break_spool(&self) {
        self.spool.write(Vec::new(), |_| panic!("on purpose")).unwrap();
    }
}

async fn over(scene: &mut Scene, tasks: &mut JoinSet<()>) -> String {
    let over = until_over(pending(), tasks, &mut scene.front, None);
    tokio::time::timeout(LIMIT, over).await.unwrap().unwrap().to_string()
}

#[test]
fn numbers_of_runs_within_a_second_do_not_meet() {
    let epoch = 1_795_449_599_900;
    for later in 1..1000 {
        let apart = first_number(Millis(epoch + later)).wrapping_sub(first_number(Millis(epoch)));
        assert!(u64::from(apart) >= later * 100, "{apart} numbers after {later} ms");
    }
}

#[tokio::test]
async fn a_task_that_ends_by_itself_or_by_a_panic_ends_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::start(folder.path(), Router::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(pending());
    tasks.spawn(async { panic!("on purpose") });
    assert!(over(&mut scene, &mut tasks).await.contains("panic"));
    tasks.spawn(ready(()));
    assert_eq!(over(&mut scene, &mut tasks).await, "an account or a connection has ended by itself");
    assert!(until_over(ready(()), &mut tasks, &mut scene.front, None).await.is_none());
    scene.front.stop().await;
}

#[tokio::test]
async fn a_link_that_ends_by_itself_ends_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::start(folder.path(), Router::new());
    let mut link = Thread::start("link", watch::Sender::new(false), async |_| Ok(())).unwrap();
    let over = until_over(pending(), &mut JoinSet::new(), &mut scene.front, Some(&mut link)).await;
    assert_eq!(over.unwrap().to_string(), "the link has ended");
    link.stop().await;
    scene.front.stop().await;
}

#[tokio::test]
async fn a_spool_whose_writer_has_ended_ends_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::start(folder.path(), Router::new());
    assert_eq!(scene.endpoint.ready(), Ok(()));
    scene.break_spool();
    let reason = over(&mut scene, &mut JoinSet::new()).await;
    assert_eq!(reason, "the spool takes no more: its writer has ended");
    assert_eq!(scene.endpoint.ready(), Err("the spool cannot be written".to_owned()));
    scene.front.stop().await;
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_uplink_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (entered, inside) = oneshot::channel::<()>();
    let (release, released) = oneshot::channel::<()>();
    let once = Arc::new(Mutex::new(Some((entered, released))));
    let handler = async move || {
        let (entered, released) = once.lock().unwrap().take().unwrap();
        entered.send(()).unwrap();
        released.await.unwrap();
        "taken"
    };
    let scene = Scene::start(folder.path(), Router::new().route("/messages", post(handler)));
    let Scene { front, socket, .. } = scene;
    let client = HttpClient::new(Peer::Unix(socket), LIMIT);
    let request = client.post("/messages", "text/plain", "m");
    let stop = async {
        inside.await.unwrap();
        let mut stop = std::pin::pin!(front.stop());
        // it is told before the request is released
        assert!(tokio::time::timeout(Duration::ZERO, &mut stop).await.is_err());
        release.send(()).unwrap();
        stop.await;
    };
    let (answer, ()) = tokio::join!(request, stop);
    assert_eq!(answer.unwrap().body.as_ref(), b"taken");
}

#[tokio::test]
async fn a_request_that_is_never_answered_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let router = Router::new().route("/messages", post(async || pending::<&str>().await));
    let Scene { front, socket, .. } = Scene::start(folder.path(), router);
    let client = HttpClient::new(Peer::Unix(socket), LIMIT);
    let request = client.post("/messages", "text/plain", "m");
    let (answer, ended) = tokio::join!(request, tokio::time::timeout(LIMIT / 2, front.stop()));
    assert!(answer.is_err());
    ended.unwrap();
}
