//! Which server gets a connection, counted over real ones.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpStream;

use testkit::backend::{Backend, Behaviour};
use testkit::ports;

use crate::client::{connect, connect_from, name_of_server, refused};
use crate::daemon::{Daemon, only, server};

#[test]
fn smooth_round_robin_has_exact_shares_in_a_smooth_order() {
    let lb = named(&["a", "b", "c"], &["weight: 5", "", ""], "check: off");
    let order: Vec<String> = (0..70).map(|_| asked(&connect(lb.daemon.address))).collect();
    // nginx's order for 5:1:1, over and over
    for turn in order.chunks(7) {
        assert_eq!(turn.concat(), "aabacaa");
    }
    for (name, share) in [("a", 50.0), ("b", 10.0), ("c", 10.0)] {
        assert_eq!(lb.daemon.metric("lb_server_connections_total", &[("server", name)]), share);
        assert_eq!(lb.daemon.metric("lb_server_effective_weight", &[("server", name)]), share / 10.0);
    }
    let records = lb.daemon.wait_records(70);
    let by_record = records.iter().filter(|record| record["server"] == "a").count();
    assert_eq!(by_record, 50);
}

#[test]
fn a_weight_changes_at_run_time() {
    let lb = named(&["a", "b"], &["weight: 3", "weight: 3"], "check: off");
    lb.daemon.lb.ctl(&["server", "weight", "p/a", "1"]).unwrap();
    lb.daemon.wait_for("lb_server_effective_weight", &[("server", "a")], 1.0);
    let count = shares(40, |_| connect(lb.daemon.address));
    assert_eq!(count, BTreeMap::from([("a".to_owned(), 10), ("b".to_owned(), 30)]));
}

#[test]
fn least_connections_fills_the_emptiest() {
    let lb = named(&["a", "b"], &["weight: 2", ""], "check: off, balance: least_connections");
    let held: Vec<(String, TcpStream)> = (0..30).map(|_| held(connect(lb.daemon.address))).collect();
    for (name, live) in [("a", 20.0), ("b", 10.0)] {
        lb.daemon.wait_for("lb_server_connections", &[("server", name)], live);
    }
    // all of one server leave: it alone is the emptiest now
    let (_a, b): (Vec<_>, Vec<_>) = held.into_iter().partition(|(name, _)| name == "a");
    drop(b);
    lb.daemon.wait_for("lb_server_connections", &[("server", "b")], 0.0);
    let next: Vec<_> = (0..10).map(|_| held_by(connect(lb.daemon.address), "b")).collect();
    assert_eq!(lb.daemon.server("b")["live"], next.len());
}

#[test]
fn source_hash_sends_a_source_to_one_server_and_spreads_sources() {
    let names = ["a", "b", "c"];
    let lb = named(&names, &["", "", ""], "check: off, balance: source_hash");
    let first: Vec<String> = (1..=60).map(|last| asked(&connect_from(last, lb.daemon.address))).collect();
    let again: Vec<String> = (1..=60).map(|last| asked(&connect_from(last, lb.daemon.address))).collect();
    assert_eq!(first, again);
    for name in names {
        let share = first.iter().filter(|found| *found == name).count();
        assert!(share >= 8, "{name} has {share} of 60 sources");
    }
    // when one goes, only its own sources move
    lb.daemon.lb.ctl(&["server", "drain", "p/b"]).unwrap();
    lb.daemon.wait_state("b", "draining");
    let mut moved = 0;
    for (last, before) in (1..=60).zip(&first) {
        let now = asked(&connect_from(last, lb.daemon.address));
        assert_ne!(now, "b");
        moved += usize::from(now != *before && before != "b");
    }
    assert!(moved <= 6, "{moved} sources of other servers moved");
}

#[test]
fn random_two_uses_all_servers() {
    let lb = named(&["a", "b", "c"], &["", "", ""], "check: off, balance: random_two");
    let held: Vec<_> = (0..60).map(|_| held(connect(lb.daemon.address))).collect();
    for name in ["a", "b", "c"] {
        let share = held.iter().filter(|(found, _)| found == name).count();
        assert!((14..=26).contains(&share), "{name} has {share} of 60");
    }
}

#[test]
fn persistence_keeps_a_source_on_its_server() {
    let pool = "check: off, persistence: { timeout: 1m, prefix_v4: 30 }";
    let lb = named(&["a", "b"], &["", ""], pool);
    let first = asked(&connect_from(4, lb.daemon.address));
    // the four addresses of one /30 are one source; another takes its turn in between
    let mut others = BTreeSet::new();
    for n in 0..8 {
        assert_eq!(asked(&connect_from(4 + n % 4, lb.daemon.address)), first);
        others.insert(asked(&connect_from(100 + 4 * n, lb.daemon.address)));
    }
    assert_eq!(others.len(), 2, "the others alternate");

    lb.daemon.lb.ctl(&["server", "maint", &format!("p/{first}")]).unwrap();
    lb.daemon.wait_state(&first, "maint");
    let second = asked(&connect_from(4, lb.daemon.address));
    assert_ne!(second, first, "a server in maintenance has no claim");
}

#[test]
fn the_sorry_server_serves_when_nobody_else_can() {
    let sorry = Backend::start(Behaviour::Name("sorry".to_owned())).unwrap();
    let pool = format!("check: off, sorry_server: \"{}\"", sorry.address());
    let lb = named(&["a"], &[""], &pool);
    assert_eq!(asked(&connect(lb.daemon.address)), "a");
    lb.daemon.lb.ctl(&["server", "maint", "p/a"]).unwrap();
    lb.daemon.wait_state("a", "maint");
    assert_eq!(asked(&connect(lb.daemon.address)), "sorry");
    let record = &lb.daemon.wait_records(2)[1];
    assert_eq!((&record["server"], &record["tier"]), (&"sorry_server".into(), &255.into()), "{record}");
    lb.daemon.wait_for("lb_pool_usable_servers", &[("pool", "p")], 0.0);
    lb.daemon.lb.ctl(&["server", "ready", "p/a"]).unwrap();
    lb.daemon.wait_state("a", "up");
    assert_eq!(asked(&connect(lb.daemon.address)), "a");
    lb.daemon.wait_clean();
}

#[test]
fn an_unusable_pool_answers_at_once_with_rst() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", "check: off", &only(&backend));
    lb.lb.ctl(&["server", "maint", "p/a"]).unwrap();
    lb.wait_state("a", "maint");
    for known in 0..20 {
        refused(lb.address);
        let record = lb.wait_reason(known, "no_server");
        assert_eq!(record["tried"], "", "{record}");
        assert!(record["total_ms"].as_f64().unwrap() < 500.0, "at once: {record}");
    }
    assert_eq!(lb.metric("lb_pool_no_server_total", &[("reason", "no_server")]), 20.0);
    assert_eq!(lb.metric("lb_pool_active_tier", &[("pool", "p")]), 0.0);
    lb.wait_clean();
}

#[test]
fn a_connect_that_fails_goes_on_to_the_next_server() {
    let b = Backend::start(Behaviour::Name("b".to_owned())).unwrap();
    let closed = ports::reserve().unwrap();
    let servers = format!("{}, {}", server("a", closed.address(), ""), server("b", b.address(), ""));
    let lb = Daemon::start("", "check: off, passive: off", &servers);
    assert!((0..10).all(|_| asked(&connect(lb.address)) == "b"), "the client sees nothing of it");
    let records = lb.wait_records(10);
    let tried_both = records.iter().filter(|record| record["tried"] == "a,b").count();
    assert!(tried_both >= 5, "{records:?}");
    assert!(records.iter().all(|record| record["server"] == "b"));
    let failures = lb.metric("lb_server_connect_failures_total", &[("server", "a"), ("reason", "refused")]);
    assert!((failures - tried_both as f64).abs() < 0.5, "{failures} failures for {tried_both} records");
    lb.wait_clean();
}

/// A daemon whose servers say their names.
struct Named {
    daemon: Daemon,
    _backends: Vec<Backend>,
}

fn named(names: &[&str], more: &[&str], pool: &str) -> Named {
    let backends: Vec<Backend> =
        names.iter().map(|name| Backend::start(Behaviour::Name((*name).to_owned())).unwrap()).collect();
    let servers: Vec<String> = names
        .iter()
        .zip(more)
        .zip(&backends)
        .map(|((name, more), backend)| server(name, backend.address(), more))
        .collect();
    Named { daemon: Daemon::start("", pool, &servers.join(", ")), _backends: backends }
}

/// The server of a connection that ends when this returns.
fn asked(client: &TcpStream) -> String {
    name_of_server(client)
}

fn held(client: TcpStream) -> (String, TcpStream) {
    (name_of_server(&client), client)
}

fn held_by(client: TcpStream, name: &str) -> TcpStream {
    assert_eq!(name_of_server(&client), name);
    client
}

fn shares(count: usize, connect: impl Fn(usize) -> TcpStream) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for n in 0..count {
        *shares.entry(asked(&connect(n))).or_insert(0) += 1;
    }
    shares
}
