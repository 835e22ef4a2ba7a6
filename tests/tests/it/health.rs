//! Servers that fail and come back, and what becomes of their connections.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use testkit::backend::{Backend, Behaviour};
use testkit::ports;
use testkit::traffic::{Shape, Traffic};

use crate::client::{Ending, connect, echoes, ending, name_of_server, refused};
use crate::daemon::{Daemon, server};

/// A server and, on another port, what its check connects to: the one can fail without the other.
struct Checked {
    backend: Backend,
    gate: Backend,
}

impl Checked {
    fn start(name: &str) -> Self {
        let backend = Backend::start(Behaviour::Name(name.to_owned())).unwrap();
        Self { backend, gate: Backend::start(Behaviour::Echo).unwrap() }
    }

    fn server(&self, name: &str, more: &str) -> String {
        let check = format!("check: {{ port: {} }}, {more}", self.gate.address().port());
        server(name, self.backend.address(), &check)
    }
}

const QUICK: &str = "check: { interval: 100ms, rise: 2, fall: 2 }";

#[test]
fn a_server_that_hangs_is_out_after_its_failed_checks() {
    const INTERVAL: Duration = Duration::from_millis(200);
    let (a, b) = (Backend::start(Behaviour::Echo).unwrap(), Backend::start(Behaviour::Echo).unwrap());
    let pool =
        "check: { type: send_expect, send: ping, expect: ping, interval: 200ms, timeout: 200ms, fall: 3 }";
    let servers = format!("{}, {}", server("a", a.address(), ""), server("b", b.address(), ""));
    let lb = Daemon::start("", pool, &servers);
    lb.wait_for("lb_server_checks_total", &[("server", "a"), ("result", "passed")], 2.0);
    let long = [connect(lb.address), connect(lb.address)];
    assert!(long.iter().all(|client| echoes(client).unwrap()));

    a.hang().unwrap();
    let began = Instant::now();
    let cut = long.iter().filter(|client| !still_echoes(client)).count();
    let took = began.elapsed();
    assert_eq!(cut, 1, "the one on a, and not the one on b");
    // three checks, each as long as its timeout and after an interval; and slack for a busy machine
    assert!(took >= 2 * INTERVAL, "{took:?} is less than `fall` checks");
    assert!(took <= 8 * INTERVAL + Duration::from_secs(2), "{took:?} is more than `fall` checks");
    let record = lb.wait_reason(0, "server_down");
    assert_eq!(record["server"], "a");
    lb.wait_state("a", "down");
    assert_eq!(lb.server("a")["reason"], "check: no answer in time");
    assert!(lb.metric("lb_server_checks_total", &[("server", "a"), ("result", "timeout")]) >= 3.0);
    assert_eq!(lb.metric("lb_server_transitions_total", &[("server", "a"), ("to", "down")]), 1.0);
    assert!(lb.lb.log().contains("\"message\":\"server is down\""));

    let traffic = Traffic::start(lb.address, Shape { exchanges: Some(20), ..Shape::short(4) }).unwrap();
    a.resume();
    lb.wait_state("a", "up");
    assert_eq!(traffic.stop().unwrap().failures, [""; 0]);
    drop(long);
    lb.wait_clean();
}

/// Connections of both servers are asked in turn, until one ends or the hang is over.
fn still_echoes(client: &TcpStream) -> bool {
    client.set_read_timeout(Some(Duration::from_secs(6))).unwrap();
    echoes(client).unwrap_or(false)
}

#[test]
fn the_start_state_decides_until_the_first_results() {
    let good = Backend::start(Behaviour::Echo).unwrap();
    let closed = ports::reserve().unwrap();
    // the second check comes after this test
    let cases = [
        ("fully_up", good.address(), true),
        ("up", good.address(), true),
        ("down", good.address(), true),
        ("fully_down", good.address(), false),
        ("fully_up", closed.address(), true),
        ("up", closed.address(), false),
        ("down", closed.address(), false),
        ("fully_down", closed.address(), false),
    ];
    let daemons = cases.map(|(start, address, up)| {
        let pool = format!("check: {{ interval: 1h, timeout: 10s, start: {start} }}");
        (Daemon::start("", &pool, &server("a", address, "")), start, address, up)
    });
    for (lb, start, address, up) in daemons {
        lb.wait_for("lb_server_checks_total", &[], 1.0);
        let state = if up { "up" } else { "down" };
        lb.wait_state("a", state);
        assert_eq!(lb.metric("lb_server_checks_total", &[]), 1.0, "start {start}, {address}");
        assert_eq!(lb.server("a")["state"], state, "start {start}, {address}");
        if !up {
            refused(lb.address);
            lb.wait_reason(0, "no_server");
        }
    }
}

#[test]
fn connections_are_kept_on_a_server_that_went_down_if_so_configured() {
    let mut a = Checked::start("a");
    let lb = Daemon::start("", &format!("{QUICK}, on_down: keep"), &a.server("a", ""));
    let client = connect(lb.address);
    assert_eq!(name_of_server(&client), "a");
    a.gate.kill();
    lb.wait_state("a", "down");
    assert_eq!(lb.server("a")["reason"], "check: connection refused");
    refused(lb.address);
    lb.wait_reason(0, "no_server");
    assert!(echoes(&client).unwrap(), "the old connection goes on");
    a.gate.restart().unwrap();
    lb.wait_state("a", "up");
    assert!(echoes(&client).unwrap());
    assert_eq!(a.backend.accepted(), 1);
    drop(client);
    lb.wait_reason(1, "client_closed");
    lb.wait_clean();
}

#[test]
fn backups_serve_only_while_no_primary_can() {
    let (mut a, mut b, c) = (Checked::start("a"), Checked::start("b"), Checked::start("c"));
    let servers =
        [a.server("a", "priority: 1"), b.server("b", "priority: 1"), c.server("c", "priority: 2")].join(", ");
    let lb = Daemon::start("", &format!("{QUICK}, on_return: stay"), &servers);
    let tier = |tier| lb.wait_for("lb_pool_active_tier", &[("pool", "p")], tier);
    let four = || (0..4).map(|_| name_of_server(&connect(lb.address))).collect::<Vec<_>>().concat();
    assert_eq!(four(), "abab");
    a.gate.kill();
    lb.wait_state("a", "down");
    assert_eq!(four(), "bbbb", "the other primary carries all");
    b.gate.kill();
    tier(2.0);
    let stays = connect(lb.address);
    assert_eq!(name_of_server(&stays), "c");
    assert_eq!(four(), "cccc");
    a.gate.restart().unwrap();
    tier(1.0);
    assert_eq!(four(), "aaaa");
    assert!(echoes(&stays).unwrap(), "on_return: stay");
    let tiers: Vec<_> = lb.wait_records(16).iter().map(|record| record["tier"].as_u64().unwrap()).collect();
    assert_eq!(tiers, [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1]);
    drop(stays);
    lb.wait_clean();
}

#[test]
fn connections_on_a_backup_end_when_the_primary_is_back() {
    let took = on_return("close");
    assert!(took < Duration::from_secs(5), "{took:?} to close all at once");
    // 2 s, however they are spread over the workers, less what it takes to see the primary
    let took = on_return("{ drain: \"5/s\", jitter_percent: 0 }");
    assert!(took >= Duration::from_millis(1500), "10 connections at 5 a second took {took:?}");
}

/// How long it takes until ten connections are off the backup, from the first end to the last.
fn on_return(policy: &str) -> Duration {
    let (mut a, b) = (Checked::start("a"), Checked::start("b"));
    let servers = [a.server("a", "priority: 1"), b.server("b", "priority: 2")].join(", ");
    let lb = Daemon::start("", &format!("{QUICK}, on_return: {policy}"), &servers);
    a.gate.kill();
    lb.wait_state("a", "down");
    let clients: Vec<TcpStream> = (0..10).map(|_| connect(lb.address)).collect();
    assert!(clients.iter().all(|client| name_of_server(client) == "b"));
    a.gate.restart().unwrap();
    lb.wait_state("a", "up");
    let began = Instant::now();
    for client in &clients {
        assert_eq!(ending(client), Ending::Fin);
    }
    let took = began.elapsed();
    for record in lb.wait_records(10) {
        let seen = (&record["reason"], &record["server"], &record["tier"]);
        assert_eq!(seen, (&"primary_returned".into(), &"b".into(), &2.into()), "{record}");
    }
    assert_eq!(name_of_server(&connect(lb.address)), "a");
    took
}
