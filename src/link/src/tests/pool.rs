use lb_core::config::OnReturn;
use prometheus::Registry;
use runtime::register::Register;
use tokio::sync::mpsc;

use super::*;
use crate::{News, Pool, PoolSettings, ServerSettings, Shelf};

/// Servers with their priorities.
fn settings(servers: &[(&Server, u8)], on_return: OnReturn) -> PoolSettings {
    let servers = servers
        .iter()
        .enumerate()
        .map(|(number, (server, priority))| ServerSettings {
            name: format!("s{number}"),
            address: Address::Socket(server.address),
            weight: 100,
            priority: *priority,
        })
        .collect();
    let mut settings = PoolSettings::new("uaops", servers);
    settings.pool.on_return = on_return;
    // a slow host is no dead server
    settings.line.silence = Duration::from_secs(20);
    settings.line.connect = Duration::from_secs(5);
    for server in &mut settings.pool.servers {
        let check = server.check.as_mut().unwrap();
        check.interval = Duration::from_millis(100);
        check.fast_interval = Duration::from_millis(20);
        check.timeout = Duration::from_secs(10);
    }
    settings
}

fn open(settings: PoolSettings) -> (Pool, mpsc::UnboundedReceiver<News>) {
    let (news, told) = mpsc::unbounded_channel();
    (Pool::open(settings, who(Role::Empi, "e1"), Role::Uaop, news), told)
}

async fn start(node: &str, desk: &Arc<Desk>) -> Server {
    Server::start(who(Role::Uaop, node), Arc::clone(desk), None).await
}

fn lanes(pool: &Pool) -> Vec<usize> {
    pool.servers().iter().map(|server| server.lanes).collect()
}

async fn usable(pool: &Pool, wanted: bool) {
    soon(pool.usable().wait_for(|&usable| usable == wanted)).await.unwrap();
}

/// Submits so many messages at once; all are taken.
async fn submit(pool: &Pool, ids: impl Iterator<Item = usize>) {
    let submissions: Vec<Submission> = ids.map(|id| submission(&format!("m{id}"))).collect();
    let count = submissions.len();
    let verdicts = soon(pool.submit(submissions, false)).await;
    assert_eq!(verdicts.len(), count);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Taken { .. })), "{verdicts:?}");
}

#[tokio::test]
async fn messages_are_shared_by_weight() {
    let desks = [Desk::new(), Desk::new(), Desk::new()];
    let servers = [start("u0", &desks[0]).await, start("u1", &desks[1]).await, start("u2", &desks[2]).await];
    let mut settings = settings(&[(&servers[0], 1), (&servers[1], 1), (&servers[2], 2)], OnReturn::Close);
    settings.pool.servers[0].weight = 300;
    let (pool, mut told) = open(settings);
    usable(&pool, true).await;
    until(|| lanes(&pool) == [24, 8, 0]).await;
    submit(&pool, 0..320).await;
    assert_eq!([desks[0].count(), desks[1].count(), desks[2].count()], [240, 80, 0]);
    let mut up = 0;
    while up < 3 {
        match soon(told.recv()).await.unwrap() {
            News::Up { .. } => up += 1,
            News::Tier { from, to } => assert_eq!((from, to), (None, Some(1))),
            news @ News::Down { .. } => panic!("{news:?}"),
        }
    }
}

#[tokio::test]
async fn when_the_primary_is_killed_amid_a_stream_nothing_is_lost_and_what_is_in_doubt_says_so() {
    let (primary, backup) = (Desk::new(), Desk::new());
    let mut servers = [start("u0", &primary).await, start("u1", &backup).await];
    let (pool, _told) = open(settings(&[(&servers[0], 1), (&servers[1], 2)], OnReturn::Close));
    usable(&pool, true).await;
    submit(&pool, 0..1000).await;
    assert_eq!((primary.count(), backup.count()), (1000, 0));
    // these are with the primary when it dies
    primary.gate.forget_permits(Semaphore::MAX_PERMITS);
    let under_way = {
        let pool = pool.clone();
        spawn(async move { submit(&pool, 1000..1100).await })
    };
    until(|| primary.count() == 1100).await;
    let killed = std::time::Instant::now();
    servers[0].kill().await;
    soon(under_way).await.unwrap();
    submit(&pool, 1100..2000).await;
    assert!(killed.elapsed() < Duration::from_secs(2), "no interval is waited for");
    let seen = backup.seen();
    assert_eq!(seen.len(), 1000);
    for (id, again) in seen {
        assert_eq!(again, id[1..].parse::<usize>().unwrap() < 1100, "{id}");
    }
}

/// The primary dies and comes back.
async fn return_of_the_primary(on_return: OnReturn) -> (Pool, [Server; 2], [Arc<Desk>; 2]) {
    let desks = [Desk::new(), Desk::new()];
    let mut servers = [start("u0", &desks[0]).await, start("u1", &desks[1]).await];
    let (pool, mut told) = open(settings(&[(&servers[0], 1), (&servers[1], 2)], on_return));
    until(|| pool.servers().iter().all(|server| server.usable)).await;
    servers[0].kill().await;
    until(|| lanes(&pool) == [0, 32]).await;
    servers[0] = Server::at(servers[0].address, who(Role::Uaop, "u0"), Arc::clone(&desks[0]), None).await;
    let back = News::Tier { from: Some(2), to: Some(1) };
    soon(async { while told.recv().await.unwrap() != back {} }).await;
    (pool, servers, desks)
}

#[tokio::test]
async fn messages_stay_on_the_backup_if_that_is_the_policy() {
    let (pool, mut servers, desks) = return_of_the_primary(OnReturn::Stay).await;
    assert_eq!(lanes(&pool), [0, 32]);
    submit(&pool, 0..64).await;
    assert_eq!((desks[0].count(), desks[1].count()), (0, 64));
    servers[1].kill().await;
    submit(&pool, 64..128).await;
    assert_eq!(desks[0].count(), 64);
}

#[tokio::test]
async fn messages_go_back_to_the_primary_at_once_if_that_is_the_policy() {
    let (pool, _servers, desks) = return_of_the_primary(OnReturn::Close).await;
    assert_eq!(lanes(&pool), [32, 0]);
    submit(&pool, 0..64).await;
    assert_eq!((desks[0].count(), desks[1].count()), (64, 0));
}

#[tokio::test]
async fn messages_go_back_to_the_primary_little_by_little_if_that_is_the_policy() {
    let rate = lb_core::config::Rate { count: 50, per: Duration::from_secs(1) };
    let (pool, _servers, _desks) = return_of_the_primary(OnReturn::Drain { rate, jitter_percent: 20 }).await;
    let start = std::time::Instant::now();
    until(|| lanes(&pool)[0] >= 1).await;
    assert!(lanes(&pool)[1] > 0);
    until(|| lanes(&pool) == [32, 0]).await;
    assert!(start.elapsed() > Duration::from_millis(400));
}

#[tokio::test]
async fn a_server_that_is_not_ready_is_left_and_used_again_when_it_is() {
    let desks = [Desk::new(), Desk::new()];
    let servers = [start("u0", &desks[0]).await, start("u1", &desks[1]).await];
    let (pool, mut told) = open(settings(&[(&servers[0], 1), (&servers[1], 2)], OnReturn::Close));
    until(|| pool.servers().iter().all(|server| server.usable)).await;
    desks[0].standing.send_replace(Standing { ready: false, reason: "no gateway".to_owned() });
    until(|| lanes(&pool) == [0, 32]).await;
    let down = News::Down { server: "s0".to_owned(), reason: "no gateway".to_owned() };
    soon(async { while told.recv().await.unwrap() != down {} }).await;
    submit(&pool, 0..10).await;
    assert_eq!((desks[0].count(), desks[1].count()), (0, 10));
    desks[0].standing.send_replace(Standing { ready: true, reason: String::new() });
    until(|| lanes(&pool) == [32, 0]).await;
}

#[tokio::test]
async fn what_one_server_puts_off_another_takes() {
    let desks = [Desk::new(), Desk::new()];
    let servers = [start("u0", &desks[0]).await, start("u1", &desks[1]).await];
    let (pool, _told) = open(settings(&[(&servers[0], 1), (&servers[1], 2)], OnReturn::Close));
    until(|| pool.servers().iter().all(|server| server.usable)).await;
    *desks[0].verdict.lock().unwrap() = Some(Verdict::Later { reason: "full".to_owned() });
    submit(&pool, 0..10).await;
    assert_eq!((desks[0].count(), desks[1].count()), (10, 10));
    assert!(desks[1].seen().iter().all(|(_, again)| !again));
}

#[tokio::test]
async fn what_all_servers_put_off_is_offered_again_and_not_all_the_time() {
    let desk = Desk::new();
    let server = start("u0", &desk).await;
    let (pool, _told) = open(settings(&[(&server, 1)], OnReturn::Close));
    usable(&pool, true).await;
    *desk.verdict.lock().unwrap() = Some(Verdict::Later { reason: "full".to_owned() });
    let submitting = {
        let pool = pool.clone();
        spawn(async move { submit(&pool, 0..1).await })
    };
    let start = std::time::Instant::now();
    // pauses of at least 5, 10, 20, … ms
    until(|| desk.count() >= 6).await;
    assert!(start.elapsed() > Duration::from_millis(150));
    *desk.verdict.lock().unwrap() = None;
    soon(submitting).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_final() {
    let desks = [Desk::new(), Desk::new()];
    let servers = [start("u0", &desks[0]).await, start("u1", &desks[1]).await];
    let (pool, _told) = open(settings(&[(&servers[0], 1), (&servers[1], 2)], OnReturn::Close));
    usable(&pool, true).await;
    let refused = Verdict::Refused { reason: "no route".to_owned() };
    *desks[0].verdict.lock().unwrap() = Some(refused.clone());
    assert_eq!(soon(pool.submit(vec![submission("m")], false)).await, [refused]);
    assert_eq!((desks[0].count(), desks[1].count()), (1, 0));
}

#[tokio::test]
async fn messages_wait_until_a_server_is_there() {
    let desk = Desk::new();
    let mut server = start("u0", &desk).await;
    server.kill().await;
    let (pool, mut told) = open(settings(&[(&server, 1)], OnReturn::Close));
    assert!(matches!(soon(told.recv()).await, Some(News::Down { .. })));
    assert_eq!(soon(told.recv()).await, Some(News::Tier { from: None, to: None }));
    let submitting = {
        let pool = pool.clone();
        spawn(async move { submit(&pool, 0..10).await })
    };
    let _server = Server::at(server.address, who(Role::Uaop, "u0"), Arc::clone(&desk), None).await;
    soon(submitting).await.unwrap();
    assert!(desk.seen().iter().all(|(_, again)| !again));
}

#[tokio::test]
async fn the_metrics_show_servers_lanes_and_verdicts() {
    let desk = Desk::new();
    let server = start("u0", &desk).await;
    let (pool, _told) = open(settings(&[(&server, 1)], OnReturn::Close));
    let registry = Registry::new();
    pool.metrics(&Register { registry: &registry, namespace: "smsline_empi" }).unwrap();
    usable(&pool, true).await;
    submit(&pool, 0..10).await;
    submit(&pool, 5..10).await;
    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [
        "smsline_empi_link_server_up{server=\"s0\"} 1",
        "smsline_empi_link_server_lanes{server=\"s0\"} 32",
        "smsline_empi_link_offers_total{server=\"s0\",verdict=\"taken\"} 10",
        "smsline_empi_link_offers_total{server=\"s0\",verdict=\"duplicate\"} 5",
        "smsline_empi_link_offers_total{server=\"s0\",verdict=\"lost\"} 0",
        "smsline_empi_link_retries_total 0",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}

/// A shelf that loses what is taken.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<i64, Submission>>);

#[async_trait]
impl Shelf for Arc<Memory> {
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, String> {
        let rows = self.0.lock().unwrap();
        Ok(rows.range(after + 1..).take(most).map(|(place, row)| (*place, row.clone())).collect())
    }

    async fn taken(&self, ids: Vec<UaopId>) -> Result<(), String> {
        self.0.lock().unwrap().retain(|_, row| !ids.contains(&row.uaop_id));
        Ok(())
    }

    async fn refused(&self, refused: Vec<(Submission, String)>) -> Result<(), String> {
        assert!(refused.is_empty());
        Ok(())
    }
}

#[tokio::test]
async fn a_shelf_is_emptied_while_servers_die_and_return() {
    let desks = [Desk::new(), Desk::new()];
    let mut servers = [start("u0", &desks[0]).await, start("u1", &desks[1]).await];
    let (pool, _told) = open(settings(&[(&servers[0], 1), (&servers[1], 1)], OnReturn::Close));
    let shelf = Arc::new(Memory::default());
    let more = Arc::new(tokio::sync::Notify::new());
    let (stop, stopped) = oneshot::channel::<()>();
    let feeding = {
        let (shelf, more) = (Arc::clone(&shelf), Arc::clone(&more));
        spawn(async move {
            crate::feed(shelf, pool, &more, 500, async {
                let _ = stopped.await;
            })
            .await;
        })
    };
    for round in 0..6usize {
        let places = (round * 1000 + 1..).take(1000);
        let rows = places.map(|place| (i64::try_from(place).unwrap(), submission(&format!("m{place}"))));
        shelf.0.lock().unwrap().extend(rows);
        more.notify_one();
        let dies = round % 2;
        until(|| shelf.0.lock().unwrap().len() < 700).await;
        servers[dies].kill().await;
        let (address, desk) = (servers[dies].address, Arc::clone(&desks[dies]));
        servers[dies] = Server::at(address, who(Role::Uaop, "u"), desk, None).await;
    }
    until(|| shelf.0.lock().unwrap().is_empty()).await;
    stop.send(()).unwrap();
    soon(feeding).await.unwrap();
    let mut taken = desks[0].taken.lock().unwrap().clone();
    taken.extend(desks[1].taken.lock().unwrap().clone());
    assert_eq!(taken.len(), 6000);
}
