//! Metric series follow the configuration: a name means the server that the file has, and what is gone goes.

use std::net::SocketAddr;

use testkit::backend::{Backend, Behaviour};

use crate::client::{connect, echoes};
use crate::daemon::{self, Daemon, server};

fn two() -> (Backend, Backend) {
    (Backend::start(Behaviour::Echo).unwrap(), Backend::start(Behaviour::Echo).unwrap())
}

fn start(name: &str, address: SocketAddr) -> Daemon {
    Daemon::start("", "check: off, on_down: keep", &server(name, address, ""))
}

fn reload(lb: &Daemon, name: &str, address: SocketAddr) {
    let text = daemon::config(lb.address, "", "check: off, on_down: keep", &server(name, address, ""));
    lb.lb.reload(&text).unwrap();
}

#[test]
fn a_retired_server_does_not_stand_in_for_the_one_that_has_its_name() {
    let (old, new) = two();
    let lb = start("a", old.address());
    let stays = connect(lb.address);
    assert!(echoes(&stays).unwrap());
    reload(&lb, "a", new.address());
    let labels = [("server", "a")];
    lb.wait_for("lb_server_usable", &labels, 1.0);
    lb.wait_for("lb_server_connections", &labels, 1.0);
    assert_eq!(lb.metric("lb_server_state", &[("server", "a"), ("state", "retired")]), 0.0);
    assert!(echoes(&stays).unwrap(), "on_down: keep");
    let next = connect(lb.address);
    assert!(echoes(&next).unwrap());
    lb.wait_for("lb_server_connections", &labels, 2.0);
    assert_eq!((old.live(), new.live()), (1, 1));
}

#[test]
fn a_renamed_server_counts_under_its_new_name() {
    let (backend, _) = two();
    let lb = start("a", backend.address());
    assert!(echoes(&connect(lb.address)).unwrap());
    lb.wait_for("lb_server_connections_total", &[("server", "a")], 1.0);
    reload(&lb, "b", backend.address());
    assert!(echoes(&connect(lb.address)).unwrap());
    lb.wait_for("lb_server_connections_total", &[("server", "b")], 1.0);
}

#[test]
fn series_of_what_is_gone_go() {
    let (a, b) = two();
    let lb = start("a", a.address());
    assert!(echoes(&connect(lb.address)).unwrap());
    lb.wait_for("lb_server_connections_total", &[("server", "a")], 1.0);
    lb.wait_for("lb_server_connections", &[], 0.0);
    reload(&lb, "b", b.address());
    assert!(echoes(&connect(lb.address)).unwrap());
    lb.wait_for("lb_server_connections_total", &[("server", "b")], 1.0);
    let metrics = lb.lb.metrics().unwrap();
    let names: Vec<&str> = metrics
        .names()
        .filter(|name| {
            metrics.samples(name).iter().any(|(labels, _)| labels.get("server").is_some_and(|s| s == "a"))
        })
        .collect();
    assert!(names.is_empty(), "server a is gone and has {names:?}");
}
