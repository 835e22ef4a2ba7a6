//! Ejection by what live connections show, without any check.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use testkit::backend::{Backend, Behaviour};

use crate::client::{connect, echoes, name_of_server, refused};
use crate::daemon::{Daemon, only, server};

#[test]
fn failing_connections_eject_a_server_and_never_the_last() {
    let (mut a, mut b) = (
        Backend::start(Behaviour::Name("a".to_owned())).unwrap(),
        Backend::start(Behaviour::Name("b".to_owned())).unwrap(),
    );
    let servers = format!("{}, {}", server("a", a.address(), ""), server("b", b.address(), ""));
    let lb =
        Daemon::start("", "check: off, passive: { failures: 2, ejection: 3s, max_ejection: 3s }", &servers);
    a.kill();
    for _ in 0..10 {
        assert_eq!(name_of_server(&connect(lb.address)), "b", "the client sees nothing of it");
    }
    lb.wait_state("a", "ejected");
    assert_eq!(lb.metric("lb_server_ejections_total", &[("server", "a")]), 1.0);
    assert_eq!(
        lb.metric("lb_server_connect_failures_total", &[("server", "a")]),
        2.0,
        "then it is left alone"
    );
    assert!(lb.server("a")["ejected_seconds"].as_f64().unwrap() > 0.0);

    // the last one fails too: it is not ejected, each connection tries what there is
    b.kill();
    for known in 10..16 {
        refused(lb.address);
        lb.wait_reason(known, "connect_failed");
    }
    assert_eq!(lb.metric("lb_server_ejections_total", &[("server", "b")]), 0.0);
    b.restart().unwrap();
    assert_eq!(name_of_server(&connect(lb.address)), "b", "it serves at once");

    a.restart().unwrap();
    lb.wait_state("a", "up");
    let four: Vec<String> = (0..4).map(|_| name_of_server(&connect(lb.address))).collect();
    assert!(four.contains(&"a".to_owned()), "{four:?}");
    lb.wait_clean();
}

#[test]
fn early_resets_eject_a_server() {
    let (a, b) = (resetting(), Backend::start(Behaviour::Echo).unwrap());
    let servers = format!("{}, {}", server("a", a, ""), server("b", b.address(), ""));
    let pool = "check: off, passive: { failures: 3, ejection: 1m, early_reset: 5s }";
    let lb = Daemon::start("", pool, &servers);
    for _ in 0..3 {
        assert!(echoes(&connect(lb.address)).is_err(), "a's turn");
        assert!(echoes(&connect(lb.address)).unwrap(), "b's turn");
    }
    lb.wait_state("a", "ejected");
    assert!((0..6).all(|_| echoes(&connect(lb.address)).unwrap()));
    assert_eq!(lb.metric("lb_server_early_resets_total", &[("server", "a")]), 3.0);
    let resets = [("listener", "l"), ("reason", "server_reset")];
    assert_eq!(lb.metric("lb_listener_connections_ended_total", &resets), 3.0);
}

/// A server that resets each connection at its first byte.
fn resetting() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            // whatever comes, the end is the same
            let _ = stream.read(&mut [0]);
        }
    });
    address
}

#[test]
fn a_single_server_is_never_ejected() {
    let mut a = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", "check: off, passive: { failures: 1, ejection: 1m }", &only(&a));
    a.kill();
    for known in 0..5 {
        refused(lb.address);
        lb.wait_reason(known, "connect_failed");
    }
    assert_eq!(lb.server("a")["state"], "up");
    assert_eq!(lb.metric("lb_server_ejections_total", &[]), 0.0);
    a.restart().unwrap();
    assert!(echoes(&connect(lb.address)).unwrap());
    lb.wait_clean();
}
