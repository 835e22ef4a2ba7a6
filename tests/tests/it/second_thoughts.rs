//! Decisions that are taken back: a drain to a primary that fails again, a wait for a slot when another server comes.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use testkit::backend::{Backend, Behaviour};

use crate::client::{connect, echoes};
use crate::daemon::{Daemon, server};

const QUICK: &str = "check: { interval: 100ms, timeout: 100ms, rise: 1, fall: 1, start: fully_down }";

fn echo() -> Backend {
    Backend::start(Behaviour::Echo).unwrap()
}

#[test]
fn a_drain_ends_when_the_primary_fails_again() {
    let (mut primary, backup) = (echo(), echo());
    let servers = format!(
        "{}, {}",
        server("a", primary.address(), "priority: 1"),
        server("b", backup.address(), "priority: 2")
    );
    let lb =
        Daemon::start("", &format!("{QUICK}, on_return: {{ drain: \"2/s\", jitter_percent: 0 }}"), &servers);
    lb.wait_state("b", "up");
    primary.kill();
    lb.wait_state("a", "down");
    let clients: Vec<TcpStream> = (0..20).map(|_| connect(lb.address)).collect();
    assert!(clients.iter().all(|client| echoes(client).unwrap()));

    primary.restart().unwrap();
    let ended = [("reason", "primary_returned")];
    lb.lb
        .wait_metric("lb_listener_connections_ended_total", &ended, Duration::from_secs(20), |ended| {
            ended >= 1.0
        })
        .unwrap();
    primary.kill();
    lb.wait_state("a", "down");
    let before = lb.metric("lb_listener_connections_ended_total", &ended);
    // the drain would have closed three more in this time
    let until = Instant::now() + Duration::from_millis(1600);
    while Instant::now() < until {
        clients.iter().for_each(|client| drop(echoes(client)));
    }
    let after = lb.metric("lb_listener_connections_ended_total", &ended);
    assert!(after <= before + 1.0, "{before} were closed before the primary failed again, {after} in all");
    assert_eq!(lb.metric("lb_server_connections", &[("server", "b")]), 20.0 - after);
}

#[test]
fn who_waits_for_a_slot_hears_of_a_server_that_comes() {
    let (a, mut b) = (echo(), echo());
    b.kill();
    let servers = format!(
        "{}, {}",
        server("a", a.address(), "max_connections: 1, check: off"),
        server("b", b.address(), "check: { interval: 100ms, rise: 1 }")
    );
    let lb = Daemon::start("", "queue_timeout: 60s", &servers);
    lb.wait_state("b", "down");
    let holds = connect(lb.address);
    assert!(echoes(&holds).unwrap());
    thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let client = connect(lb.address);
            let began = Instant::now();
            (echoes(&client).unwrap(), began.elapsed())
        });
        lb.wait_for("lb_listener_connections", &[], 2.0);
        b.restart().unwrap();
        let (served, waited) = waits.join().unwrap();
        assert!(served && waited < Duration::from_secs(30), "{waited:?}");
    });
    assert!(echoes(&holds).unwrap(), "its slot was never free");
}
