use std::net::TcpListener;

use lb_core::config;
use lb_core::pool::ServerStatus;
use tokio::sync::mpsc::unbounded_channel;

use super::*;
use crate::metrics::Metrics;
use crate::service::PoolId;

/// A pool with these servers and keys, in YAML's flow style.
fn settings(keys: &str, servers: &str) -> config::Pool {
    let text = format!(
        "listeners: [ {{ name: l, bind: \"127.0.0.1:1\", pool: p }} ]\n\
         pools: [ {{ name: p, servers: [ {servers} ], {keys} }} ]\n"
    );
    config::compile(&text, None).unwrap().pools.remove(0)
}

fn shared(settings: config::Pool) -> Arc<SharedPool> {
    let metrics = Arc::new(Metrics::new().unwrap());
    Arc::new(SharedPool::new(PoolId(0), settings, &metrics, Instant::now(), 1))
}

fn new_watch() -> Watch {
    Watch::new(watch::Sender::default().subscribe())
}

fn first(pool: &SharedPool) -> ServerStatus {
    pool.with(|pool| pool.status(Instant::now()).servers.remove(0))
}

async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_probe_that_panics_is_planned_again_and_not_at_once() {
    let pool = shared(settings("", "{ name: a, address: \"127.0.0.1:1\" }"));
    let mut watch = new_watch();
    let (server, question) = pool.with(|pool| pool.servers().next().map(|s| (s.id, s.question)).unwrap());
    let probe = Probe { server, kind: Kind::Check(question) };
    watch.probes.spawn(probe, "a".into(), async { panic!("on purpose") });
    assert!(watch.probes.runs(probe));
    let done = watch.probes.next().await.unwrap();
    assert_eq!(conclude(&pool, done), []);
    assert!(!watch.probes.runs(probe));
    let next = pool.with(|pool| pool.next_check(server)).unwrap();
    assert!(next > Instant::now() + Duration::from_secs(1), "the interval, less its jitter");
    assert_eq!(pool.families.server_checks.with_label_values(&["p", "a", "local"]).get(), 1);
}

#[tokio::test]
async fn a_check_of_a_former_question_does_not_hold_up_the_new_one() {
    // connections wait in its queue: a check that expects an answer lasts until its time limit
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("{{ name: a, address: \"{}\" }}", silent.local_addr().unwrap());
    let check = |kind: &str| settings(&format!("check: {{ {kind}, start: down, timeout: 1h }}"), &server);
    let pool = shared(check("type: send_expect, expect: never"));
    let (events, _received) = unbounded_channel();
    let prober = watch::Sender::default();
    tokio::spawn(watch(Arc::clone(&pool), prober.subscribe(), events));
    silent.set_nonblocking(true).unwrap();
    let mut open = Vec::new();
    until("the first check is under way", || {
        open.extend(silent.accept());
        !open.is_empty()
    })
    .await;

    drop(pool.with(|machine| machine.reconfigure(check("type: tcp"), Instant::now())));
    pool.attention.notify_one();
    until("the new check passes", || first(&pool).check.is_some_and(|check| check.passed)).await;
}

#[tokio::test]
async fn agents_of_servers_that_are_gone_are_forgotten() {
    let servers = ["{ name: a, address: \"127.0.0.1:1\" }", "{ name: b, address: \"127.0.0.1:2\" }"];
    let settings = |servers: &str| settings("check: off, agent: { port: 9 }", servers);
    let pool = shared(settings(&servers.join(", ")));
    let mut watch = new_watch();
    watch.start_due(&pool, Instant::now());
    assert_eq!(watch.agents.len(), 2);
    drop(pool.with(|pool| pool.reconfigure(settings(servers[0]), Instant::now())));
    watch.start_due(&pool, Instant::now());
    assert_eq!(watch.agents.len(), 1);
}
