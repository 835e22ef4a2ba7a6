//! Limits of listeners and servers: who is refused, how he learns of it, and that the places come back.

use std::net::{SocketAddr, TcpStream};
use std::thread;

use testkit::backend::{Backend, Behaviour};
use testkit::wait;

use crate::client::{connect, connect_from, echoes, refused, refused_from, try_connect_from};
use crate::daemon::{Daemon, SOON, only, server};

const UNCHECKED: &str = "check: off";

#[test]
fn a_full_listener_refuses_until_a_place_is_free() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("max_connections: 2", UNCHECKED, &only(&backend));
    let held = [served(connect(lb.address)), served(connect(lb.address))];
    refuses(&lb, 1, 0, "listener_full");
    lb.wait_for("lb_listener_connections", &[("listener", "l")], 2.0);
    drop(held);
    lb.wait_clean();
    served(connect(lb.address));
    assert_eq!(lb.metric("lb_listener_refused_total", &[]), 1.0);
    assert_eq!(backend.accepted(), 3, "a refused client costs the server nothing");
}

#[test]
fn a_source_has_its_own_limit() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("max_connections_per_source: 1", UNCHECKED, &only(&backend));
    let held = served(connect_from(2, lb.address));
    refuses(&lb, 2, 0, "source_full");
    drop(served(connect_from(3, lb.address)));
    lb.wait_records(2);
    drop(held);
    lb.wait_reason(2, "client_closed");
    lb.wait_clean();
    drop(served(connect_from(2, lb.address)));
}

#[test]
fn a_source_has_its_own_rate() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("rate_per_source: \"2/6s\"", UNCHECKED, &only(&backend));
    let _held = [served(connect_from(2, lb.address)), served(connect_from(2, lb.address))];
    refuses(&lb, 2, 0, "source_rate");
    drop(served(connect_from(3, lb.address)));
    // one of two comes back in 3 s; what was refused meanwhile does not put it off
    let again = || is_served_from(2, lb.address).then_some(());
    wait::until("the source may connect again", SOON, again).unwrap();
}

#[test]
fn networks_are_allowed_and_denied() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lists = "allow: [ \"127.0.0.0/28\" ], deny: [ \"127.0.0.6/32\" ]";
    let lb = Daemon::start(lists, UNCHECKED, &only(&backend));
    refuses(&lb, 6, 0, "denied");
    refuses(&lb, 16, 1, "denied");
    drop(served(connect_from(5, lb.address)));
    lb.wait_reason(2, "client_closed");
    lb.wait_clean();
}

#[test]
fn a_full_server_is_waited_for() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let servers = server("a", backend.address(), "max_connections: 1");
    let lb = Daemon::start("", "check: off, queue_timeout: 20s", &servers);
    let held = served(connect(lb.address));
    let address = lb.address;
    let waiting = thread::spawn(move || served(connect(address)).local_addr().unwrap());
    lb.wait_for("lb_listener_connections", &[], 2.0);
    assert_eq!(lb.server("a")["live"], 1);
    assert_eq!(backend.accepted(), 1);
    drop(held);
    let waited = waiting.join().unwrap();
    lb.wait_records(2);
    let record = lb.wait_reason(1, "client_closed");
    assert_eq!((&record["client"], &record["server"]), (&waited.to_string().into(), &"a".into()));
    assert!(record["queue_ms"].as_f64() > record["connect_ms"].as_f64(), "{record}");
    lb.wait_clean();
}

#[test]
fn a_full_server_is_not_waited_for_longer_than_allowed() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let servers = server("a", backend.address(), "max_connections: 1");
    for (queue_timeout, least, most) in [("0s", 0.0, 900.0), ("1s", 1000.0, 10_000.0)] {
        let pool = format!("check: off, queue_timeout: {queue_timeout}");
        let lb = Daemon::start("", &pool, &servers);
        let held = served(connect(lb.address));
        refused(lb.address);
        let record = lb.wait_reason(0, "servers_full");
        assert_eq!((&record["server"], &record["tried"]), (&().into(), &"".into()), "{record}");
        let queue = record["queue_ms"].as_f64().unwrap();
        assert!(queue >= least && queue < most, "{record}");
        assert_eq!(lb.metric("lb_pool_no_server_total", &[("pool", "p"), ("reason", "servers_full")]), 1.0);
        drop(held);
        lb.wait_clean();
        drop(served(connect(lb.address)));
    }
}

#[test]
fn connections_go_on_to_the_next_server_when_one_is_full() {
    let (a, b) = (Backend::start(Behaviour::Echo).unwrap(), Backend::start(Behaviour::Echo).unwrap());
    let servers = format!(
        "{}, {}",
        server("a", a.address(), "max_connections: 2"),
        server("b", b.address(), "priority: 2")
    );
    let lb = Daemon::start("", UNCHECKED, &servers);
    let held: Vec<TcpStream> = (0..5).map(|_| served(connect(lb.address))).collect();
    assert_eq!((a.live(), b.live()), (2, 3));
    assert_eq!(lb.server("a")["max_connections"], 2);
    drop(held);
    lb.wait_clean();
}

/// A client that was let in.
fn served(client: TcpStream) -> TcpStream {
    assert!(echoes(&client).unwrap());
    client
}

/// A client that may be let in or refused.
fn is_served_from(last: u8, address: SocketAddr) -> bool {
    try_connect_from(last, address).is_ok_and(|client| echoes(&client).is_ok())
}

/// A client on 127.0.0.`last` gets RST; `known` records come before its own.
fn refuses(lb: &Daemon, last: u8, known: usize, reason: &str) {
    let me = refused_from(last, lb.address);
    let record = lb.wait_reason(known, reason);
    assert_eq!((&record["client"], &record["tried"]), (&me.to_string().into(), &"".into()), "{record}");
    let count = lb.metric("lb_listener_refused_total", &[("listener", "l"), ("reason", reason)]);
    assert!(count >= 1.0, "the refusal {record} is not counted");
}
