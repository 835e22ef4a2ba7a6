//! The end of the daemon: what lives gets its time, and no more; and what the log says about it.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::ports::{self, Port};
use testkit::traffic::{Shape, Traffic};

use crate::scene::{SOON, connect, echo, served, soon, wait_live};

struct Scene {
    port: Port,
    backend: Backend,
}

impl Scene {
    fn new() -> Self {
        Self { port: ports::reserve().unwrap(), backend: Backend::start(Behaviour::Echo).unwrap() }
    }

    fn config(&self, drain: &str) -> String {
        format!(
            "stop: {{ drain: {drain} }}
log: {{ format: json }}
listeners:
  - {{ name: bank, bind: \"{}\", pool: empi }}
pools:
  - name: empi
    check: off
    servers:
      - {{ name: empi-a, address: \"{}\" }}
",
            self.port.address(),
            self.backend.address()
        )
    }
}

/// Tells lb to stop, and waits until it takes no more connections.
fn stop(lb: &Lb, port: &Port) {
    lb.signal(Signal::SIGTERM).unwrap();
    soon("the listener to close", || (!ports::listening(port.number())).then_some(()));
}

/// Each line of the log as JSON; the access records among them.
fn records(log: &str) -> Vec<Value> {
    let lines =
        log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("{e}: {line}")));
    lines.filter(|line| line["target"] == "access").collect()
}

#[test]
fn a_live_connection_goes_on_and_its_end_is_the_end() {
    let scene = Scene::new();
    let mut lb = Lb::start(&scene.config("60s")).unwrap();
    assert_eq!(lb.get("/readyz").unwrap().status, 200);
    let mut client = served(scene.port.address());
    stop(&lb, &scene.port);

    let refused = TcpStream::connect(scene.port.address()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(lb.get("/readyz").unwrap().status, 503);
    assert_eq!(lb.get("/healthz").unwrap().status, 200);
    echo(&mut client, "as before").unwrap();
    assert!(lb.socket().exists());
    let reload = lb.ctl(&["reload"]).unwrap_err().to_string();
    assert!(reload.contains("lb is stopping"), "{reload}");
    assert!(!ports::listening(scene.port.number()), "a reload opened the listener again");

    let closed = Instant::now();
    drop(client);
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(0));
    assert!(closed.elapsed() < Duration::from_secs(10), "it waited for the deadline");
    assert!(!lb.socket().exists());
    let records = records(&lb.log());
    assert_eq!(records.len(), 1, "{}", lb.log());
    assert_eq!(records[0]["reason"], "client_closed");
}

#[test]
fn the_deadline_ends_the_rest() {
    let scene = Scene::new();
    let mut lb = Lb::start(&scene.config("1s")).unwrap();
    let mut clients = [(); 3].map(|()| served(scene.port.address()));
    let told = Instant::now();
    lb.signal(Signal::SIGTERM).unwrap();
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(0));
    assert!(told.elapsed() >= Duration::from_secs(1), "it did not wait for the deadline");
    for client in &mut clients {
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "a proper end");
    }
    let records = records(&lb.log());
    assert_eq!(records.len(), 3, "{}", lb.log());
    assert!(records.iter().all(|record| record["reason"] == "shutdown"), "{records:?}");
}

#[test]
fn under_load_nobody_is_cut_off() {
    let scene = Scene::new();
    let mut lb = Lb::start(&scene.config("60s")).unwrap();
    let traffic = Traffic::start(scene.port.address(), Shape::short(8)).unwrap();
    soon("traffic", || (traffic.finished() > 200).then_some(()));
    lb.signal(Signal::SIGTERM).unwrap();
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(0));
    let outcome = traffic.stop().unwrap();
    let refused = |failure: &String| failure.contains("waiting for a connection: Connection refused");
    assert!(outcome.failures.iter().all(refused), "{:?}", outcome.failures);
}

#[test]
fn the_second_signal_ends_it_now() {
    let scene = Scene::new();
    let mut lb = Lb::start(&scene.config("10m")).unwrap();
    let _client = served(scene.port.address());
    stop(&lb, &scene.port);
    lb.signal(Signal::SIGTERM).unwrap();
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(0));
    assert!(!lb.socket().exists());
}

#[test]
fn connections_of_a_removed_listener_get_their_time_too() {
    let scene = Scene::new();
    let config = scene.config("60s");
    let mut lb = Lb::start(&config).unwrap();
    let mut client = served(scene.port.address());
    let other = ports::reserve().unwrap();
    let moved = config
        .replace("name: bank", "name: branch")
        .replace(&scene.port.address().to_string(), &other.address().to_string());
    lb.reload(&moved).unwrap();
    soon("the old listener to close", || (!ports::listening(scene.port.number())).then_some(()));
    stop(&lb, &other);
    // Once more than it looks whether the last connection has ended.
    for _ in 0..20 {
        echo(&mut client, "still").unwrap();
        assert_eq!(lb.get("/readyz").unwrap().status, 503);
    }
    drop(client);
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(0));
}

#[test]
fn a_record_has_every_field() {
    let scene = Scene::new();
    let mut lb = Lb::start(&scene.config("60s")).unwrap();
    let mut client = served(scene.port.address());
    let local = client.local_addr().unwrap();
    echo(&mut client, "12345").unwrap();
    drop(client);
    wait_live(&lb, 0.0);
    scene.backend.stop().unwrap();
    // The RST may come before the client knows that it is connected.
    connect(scene.port.address()).and_then(|mut client| client.read(&mut [0])).unwrap_err();
    stop(&lb, &scene.port);
    lb.process().wait_exit(SOON).unwrap();

    let records = records(&lb.log());
    let [served, unserved] = &records[..] else { panic!("{records:?}") };
    for (field, value) in [
        ("listener", "bank"),
        ("client", &local.to_string()),
        ("pool", "empi"),
        ("server", "empi-a"),
        ("tried", "empi-a"),
        ("reason", "client_closed"),
    ] {
        assert_eq!(served[field], value, "{field} of {served}");
    }
    assert_eq!(
        (&served["tier"], &served["received_bytes"], &served["sent_bytes"]),
        (&1.into(), &10.into(), &10.into())
    );
    let milliseconds =
        |field: &str| served[field].as_f64().unwrap_or_else(|| panic!("no {field} in {served}"));
    let (queue, connect) = (milliseconds("queue_ms"), milliseconds("connect_ms"));
    assert!(queue >= 0.0 && connect > 0.0 && milliseconds("total_ms") >= queue + connect, "{served}");
    assert!(served["timestamp"].is_string(), "{served}");

    assert_eq!(unserved["reason"], "connect_failed", "{unserved}");
    assert_eq!(unserved["tried"], "empi-a");
    assert!(unserved.get("server").is_none() && unserved.get("connect_ms").is_none(), "{unserved}");
}
