//! Servers that are killed, hang, refuse and come back while traffic runs.

use std::collections::BTreeSet;
use std::io::Read;
use std::time::{Duration, Instant};

use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::ports::{self, Port};
use testkit::traffic::{Shape, Traffic};

use crate::scene::{SOON, connect, echo, name, soon, wait_live, wait_usable};

struct Scene {
    port: Port,
    a: Backend,
    b: Backend,
}

impl Scene {
    fn new(behaviour: impl Fn(&str) -> Behaviour) -> Self {
        let [a, b] = ["a", "b"].map(|name| Backend::start(behaviour(name)).unwrap());
        Self { port: ports::reserve().unwrap(), a, b }
    }

    fn echoing() -> Self {
        Self::new(|_| Behaviour::Echo)
    }

    fn named() -> Self {
        Self::new(|name| Behaviour::Name(name.to_owned()))
    }

    /// Servers `a` and `b`, in tiers 1 and `tier_of_b`, with these lines about their pool.
    fn start(&self, tier_of_b: u8, pool: &str) -> Lb {
        let config = format!(
            "workers: 2
listeners:
  - {{ name: bank, bind: \"{}\", pool: empi }}
pools:
  - name: empi
    {pool}
    servers:
      - {{ name: a, address: \"{}\" }}
      - {{ name: b, address: \"{}\", priority: {tier_of_b} }}
",
            self.port.address(),
            self.a.address(),
            self.b.address()
        );
        Lb::start(&config).unwrap()
    }
}

/// Waits for so many more short connections that went well.
fn more(traffic: &Traffic, count: u64) {
    let finished = traffic.finished();
    soon("traffic", || (traffic.finished() > finished + count).then_some(()));
}

fn failures(lb: &Lb, server: &str) -> f64 {
    lb.metrics().unwrap().sum("lb_server_connect_failures_total", &[("server", server)])
}

#[test]
fn a_server_that_refuses_costs_no_client_anything() {
    let mut scene = Scene::echoing();
    scene.a.stop().unwrap();
    let lb = scene.start(1, "check: off\n    passive: { failures: 3, ejection: 500ms, max_ejection: 1s }");
    let traffic = Traffic::start(scene.port.address(), Shape::short(8)).unwrap();
    let labels = [("pool", "empi"), ("server", "a")];
    lb.wait_metric("lb_server_ejections_total", &labels, SOON, |count| count >= 2.0).unwrap();
    let refused = lb
        .metrics()
        .unwrap()
        .sum("lb_server_connect_failures_total", &[("server", "a"), ("reason", "refused")]);
    assert!(refused >= 6.0, "{refused}");
    scene.a.restart().unwrap();
    lb.wait_metric("lb_server_connections_total", &labels, SOON, |count| count > 100.0).unwrap();
    let outcome = traffic.stop().unwrap();
    assert_eq!(outcome.failures, [""; 0]);
    assert!(outcome.finished > 200, "{outcome:?}");
}

#[test]
fn an_ejected_server_is_not_tried_and_the_last_one_is_never_ejected() {
    let scene = Scene::named();
    let lb = scene.start(1, "check: off\n    passive: { failures: 3, window: 1m, ejection: 5m }");
    scene.a.stop().unwrap();
    for _ in 0..20 {
        assert_eq!(name(scene.port.address()).unwrap(), "b");
    }
    assert_eq!(failures(&lb, "a"), 3.0);
    assert_eq!(lb.metrics().unwrap().sum("lb_server_usable", &[]), 1.0);

    scene.b.stop().unwrap();
    for _ in 0..6 {
        name(scene.port.address()).unwrap_err();
    }
    let metrics = lb.metrics().unwrap();
    assert!(metrics.sum("lb_server_usable", &[]) >= 1.0, "nobody is left to try");
    assert!(metrics.sum("lb_server_connect_failures_total", &[]) >= 9.0, "each connection tries somebody");
}

#[test]
fn a_killed_server_ends_only_what_it_had() {
    const CLIENTS: u32 = 8;
    let mut scene = Scene::echoing();
    let lb = scene.start(1, "check: { interval: 100ms, rise: 1, fall: 1 }\n    passive: { ejection: 200ms }");
    let long = Traffic::start(scene.port.address(), Shape::long(CLIENTS)).unwrap();
    wait_live(&lb, CLIENTS.into());
    let short = Traffic::start(scene.port.address(), Shape::short(CLIENTS)).unwrap();
    let mut seen = 0;
    for round in 0..4 {
        more(&short, 100);
        let server = if round % 2 == 0 { &mut scene.a } else { &mut scene.b };
        server.kill();
        wait_usable(&lb, "empi", if round % 2 == 0 { "a" } else { "b" }, false);
        more(&short, 100);
        let failures = short.failures();
        let broken: BTreeSet<_> = failures[seen..].iter().map(|failure| client(failure)).collect();
        assert_eq!(
            broken.len(),
            failures.len() - seen,
            "a client lost more than one connection: {failures:?}"
        );
        seen = failures.len();
        let server = if round % 2 == 0 { &mut scene.a } else { &mut scene.b };
        server.restart().unwrap();
        wait_usable(&lb, "empi", if round % 2 == 0 { "a" } else { "b" }, true);
    }
    let lost = long.stop().unwrap().failures;
    assert!(!lost.is_empty() && lost.len() <= 4 * CLIENTS as usize, "{lost:?}");
    short.stop().unwrap();
}

/// `1.234 s: client 5: why` → `client 5`.
fn client(failure: &str) -> &str {
    failure.split(": ").nth(1).unwrap()
}

#[test]
fn a_server_that_hangs_is_out_after_fall_checks() {
    let scene = Scene::echoing();
    let lb = scene.start(
        1,
        "check: { type: send_expect, send: ping, expect: ping, interval: 200ms, timeout: 200ms, fall: 3, rise: 1 }
    passive: off",
    );
    let long = Traffic::start(scene.port.address(), Shape::long(4)).unwrap();
    wait_live(&lb, 4.0);
    let on_a = lb.metrics().unwrap().sum("lb_server_connections", &[("server", "a")]);
    assert_eq!(on_a, 2.0);

    let start = Instant::now();
    scene.a.hang().unwrap();
    wait_usable(&lb, "empi", "a", false);
    let out = start.elapsed();
    eprintln!("a server that hangs was out after {out:?}");
    assert!(out < Duration::from_millis(3 * (220 + 200) + 2000), "{out:?}");

    let short = Traffic::start(scene.port.address(), Shape::short(4)).unwrap();
    more(&short, 100);
    // `on_down: close` has ended the two streams that it had; their clients came back at once and got b.
    soon("all on b", || (scene.b.live() >= 4).then_some(()));
    assert_eq!(long.failures().len(), 2, "{:?}", long.failures());
    scene.a.resume();
    wait_usable(&lb, "empi", "a", true);
    more(&short, 100);
    assert_eq!(short.stop().unwrap().failures, [""; 0]);
    assert_eq!(long.stop().unwrap().failures.len(), 2);
}

#[test]
fn a_lower_tier_serves_only_while_the_higher_one_cannot() {
    let mut scene = Scene::named();
    let lb = scene.start(2, "check: { interval: 100ms, rise: 1, fall: 1 }\n    passive: off");
    let address = scene.port.address();
    assert!((0..10).all(|_| name(address).unwrap() == "a"));
    scene.a.stop().unwrap();
    assert!((0..10).all(|_| name(address).unwrap() == "b"), "no client may notice");
    wait_usable(&lb, "empi", "a", false);
    lb.wait_metric("lb_pool_active_tier", &[("pool", "empi")], SOON, |tier| tier == 2.0).unwrap();
    let mut on_b = connect(address).unwrap();
    soon("the connection to b", || (scene.b.live() >= 1).then_some(()));
    scene.a.restart().unwrap();
    wait_usable(&lb, "empi", "a", true);
    assert!((0..10).all(|_| name(address).unwrap() == "a"));
    // `on_return: stay`, the default.
    let mut line = [0; 2];
    on_b.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"b\n");
    echo(&mut on_b, "still b").unwrap();
}

#[test]
fn a_drain_on_return_spreads_the_closings() {
    const CLIENTS: u32 = 20;
    let mut scene = Scene::echoing();
    scene.a.stop().unwrap();
    let lb = scene.start(
        2,
        "check: { interval: 100ms, rise: 1, fall: 1 }\n    on_return: { drain: \"20/s\", jitter_percent: 20 }",
    );
    wait_usable(&lb, "empi", "a", false);
    let traffic = Traffic::start(scene.port.address(), Shape::long(CLIENTS)).unwrap();
    wait_live(&lb, CLIENTS.into());
    scene.a.restart().unwrap();
    let on =
        |server| move |lb: &Lb| lb.metrics().unwrap().sum("lb_server_connections", &[("server", server)]);
    soon("all on a", || (on("a")(&lb) == f64::from(CLIENTS) && on("b")(&lb) == 0.0).then_some(()));
    // Each client saw the end of its first connection, and opened the next at once.
    let failures = traffic.stop().unwrap().failures;
    let mut times: Vec<f64> =
        failures.iter().map(|failure| failure.split(' ').next().unwrap().parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    assert_eq!(times.len(), CLIENTS as usize, "{failures:?}");
    let span = times[times.len() - 1] - times[0];
    // 20 at 20/s take about a second; the two workers share the rate, and may have unequal shares of the connections.
    let largest = (0..times.len())
        .map(|first| times[first..].iter().take_while(|time| **time - times[first] < 0.2).count())
        .max()
        .unwrap();
    eprintln!("20 closings took {span:.2} s; at most {largest} within 0.2 s");
    assert!((0.6..5.0).contains(&span), "{times:?}");
    assert!(largest <= 10, "{times:?}");
    let ended =
        lb.metrics().unwrap().sum("lb_listener_connections_ended_total", &[("reason", "primary_returned")]);
    assert_eq!(ended, f64::from(CLIENTS));
}

#[test]
fn spill_over_gives_a_weakened_tier_what_it_can_carry() {
    let scene = Scene::named();
    let dead = ports::reserve().unwrap();
    let config = format!(
        "workers: 1
listeners:
  - {{ name: bank, bind: \"{}\", pool: empi }}
pools:
  - name: empi
    spill_over: {{ overprovisioning_percent: 140 }}
    check: {{ interval: 100ms, rise: 1, fall: 1 }}
    servers:
      - {{ name: a, address: \"{}\" }}
      - {{ name: dead, address: \"{}\" }}
      - {{ name: b, address: \"{}\", priority: 2 }}
",
        scene.port.address(),
        scene.a.address(),
        dead.address(),
        scene.b.address()
    );
    let lb = Lb::start(&config).unwrap();
    wait_usable(&lb, "empi", "dead", false);
    let load = |tier: &str| lb.metrics().unwrap().sum("lb_pool_tier_load_percent", &[("tier", tier)]);
    assert_eq!((load("1"), load("2")), (70.0, 30.0));
    let on_b = (0..100).filter(|_| name(scene.port.address()).unwrap() == "b").count();
    assert_eq!(on_b, 30);
}
