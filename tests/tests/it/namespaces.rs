//! Addresses and networks that only a host of one's own can have.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Result;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::netns::{self, Host, Net};
use testkit::{ports, wait};

use crate::scene::{SOON, connect, soon};

/// A client, lb and a server, each a host on one switch.
struct Scene {
    _net: Net,
    client: Host,
    balancer: Host,
    server: Host,
    backend: Backend,
}

impl Scene {
    fn new(addresses: [&[&str]; 3], server: &str, behaviour: Behaviour) -> Self {
        let mut net = Net::new().unwrap();
        let mut names = ["client", "lb", "server"].iter().zip(addresses);
        let [client, balancer, host] = [(); 3].map(|()| {
            let (name, addresses) = names.next().unwrap();
            net.host(name, addresses).unwrap()
        });
        let backend = Backend::start_at(&host.place(), server.parse().unwrap(), behaviour).unwrap();
        Self { _net: net, client, balancer, server: host, backend }
    }

    /// All in one network, the server at 192.0.2.21:7099.
    fn plain(behaviour: Behaviour) -> Self {
        let addresses: [&[&str]; 3] = [&["192.0.2.10/24"], &["192.0.2.1/24"], &["192.0.2.21/24"]];
        Self::new(addresses, "192.0.2.21:7099", behaviour)
    }

    /// lb with one listener and one server, and these settings of both.
    fn start(&self, bind: &str, listener: &str, pool: &str) -> Lb {
        let config = format!(
            "workers: 1
listeners:
  - {{ name: bank, bind: {bind}, pool: empi{listener} }}
pools:
  - {{ name: empi, check: off{pool}, servers: [ {{ name: s, address: \"{}\" }} ] }}
",
            self.backend.address()
        );
        Lb::start_in(&self.balancer.place(), &config).unwrap()
    }

    /// The client's connection, and the name that the server said.
    fn visit(&self, address: &str) -> Result<(TcpStream, String)> {
        let address: SocketAddr = address.parse()?;
        self.client.run(|| {
            let mut reader = BufReader::new(connect(address)?);
            let mut line = String::new();
            reader.read_line(&mut line)?;
            Ok((reader.into_inner(), line.trim_end().to_owned()))
        })
    }

    /// Address of the last connection's client, as the server sees it.
    fn last_seen(&self) -> IpAddr {
        self.backend.seen().last().unwrap().peer.ip()
    }
}

fn named() -> Behaviour {
    Behaviour::Name("s".to_owned())
}

#[test]
fn an_address_that_comes_later_serves_without_a_reload() {
    if netns::skip() {
        return;
    }
    let scene = Scene::plain(named());
    let _lb = scene.start("\"192.0.2.100:7099\"", "", "");
    assert!(
        scene
            .client
            .run(|| Ok(TcpStream::connect_timeout(&"192.0.2.100:7099".parse()?, Duration::from_millis(100))?))
            .is_err()
    );
    scene.balancer.add_address("192.0.2.100/24").unwrap();
    let (_, name) = soon("the address to serve", || scene.visit("192.0.2.100:7099").ok());
    assert_eq!(name, "s");

    // Without `freebind`, the same is an error that says what to do.
    let config = "listeners:\n  - { name: bank, bind: \"192.0.2.101:7099\", pool: empi, freebind: false }\n\
                  pools:\n  - { name: empi, servers: [ { name: s, address: \"192.0.2.21:7099\" } ] }\n";
    let mut lb = Lb::spawn(&scene.balancer.place(), config, &[]).unwrap();
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(1));
    assert!(lb.log().contains("set `freebind: true`, or add the address"), "{}", lb.log());
}

#[test]
fn ipv6_on_both_sides_and_between_the_families() {
    if netns::skip() {
        return;
    }
    let both: [&[&str]; 3] =
        [&["192.0.2.10/24", "2001:db8::10/64"], &["192.0.2.1/24", "2001:db8::1/64"], &["2001:db8::21/64"]];
    let scene = Scene::new(both, "[2001:db8::21]:7099", named());
    let lb = scene.start(
        "[\"[::]:7099\", \"0.0.0.0:7099\", \"[2001:db8::100]:7100\"]",
        "",
        ", proxy_protocol: v1",
    );
    for address in ["[2001:db8::1]:7099", "192.0.2.1:7099"] {
        assert_eq!(scene.visit(address).unwrap().1, "s", "{address}");
    }
    assert_eq!(scene.last_seen(), "2001:db8::1".parse::<IpAddr>().unwrap());
    scene.balancer.add_address("2001:db8::100/64").unwrap();
    assert_eq!(scene.visit("[2001:db8::100]:7100").unwrap().1, "s");
    let first =
        soon("the header", || Some(scene.backend.seen()[0].first.clone()).filter(|first| !first.is_empty()));
    let header = String::from_utf8_lossy(&first);
    assert!(header.starts_with("PROXY TCP6 2001:db8::10 2001:db8::1 "), "{header}");
    drop(lb);
}

#[test]
fn a_range_serves_each_of_its_ports_and_no_other() {
    if netns::skip() {
        return;
    }
    let scene = Scene::plain(named());
    let _lb = scene.start("\"192.0.2.1:7000-7019\"", "", "");
    let listening =
        scene.balancer.run(|| Ok((6990..7030).filter(|port| ports::listening(*port)).collect::<Vec<_>>()));
    assert_eq!(listening.unwrap(), (7000..7020).collect::<Vec<_>>());
    for port in 7000..7020 {
        assert_eq!(scene.visit(&format!("192.0.2.1:{port}")).unwrap().1, "s", "{port}");
    }
}

#[test]
fn connections_leave_from_the_egress_address() {
    if netns::skip() {
        return;
    }
    let scene = Scene::plain(named());
    scene.balancer.add_address("192.0.2.50/32").unwrap();
    let lb = scene.start("\"192.0.2.1:7099\"", "", ", egress: 192.0.2.50");
    assert_eq!(scene.visit("192.0.2.1:7099").unwrap().1, "s");
    assert_eq!(scene.last_seen(), "192.0.2.50".parse::<IpAddr>().unwrap());

    // The other host has the address now: that is not the server's fault.
    scene.balancer.remove_address("192.0.2.50/32").unwrap();
    let served = scene.visit("192.0.2.1:7099");
    assert!(served.is_err() || served.unwrap().1.is_empty());
    let labels = [("server", "s"), ("reason", "local")];
    lb.wait_metric("lb_server_connect_failures_total", &labels, SOON, |count| count == 1.0).unwrap();
    assert!(
        lb.log().contains("this host cannot make a connection; the server is not blamed"),
        "{}",
        lb.log()
    );
    assert_eq!(lb.metrics().unwrap().sum("lb_server_usable", &[]), 1.0);
}

#[test]
fn transparently_the_server_sees_the_client_itself() {
    if netns::skip() {
        return;
    }
    let addresses: [&[&str]; 3] =
        [&["198.51.100.10/24"], &["198.51.100.1/24", "192.0.2.1/24"], &["192.0.2.21/24"]];
    let scene = Scene::new(addresses, "192.0.2.21:7099", named());
    // The server's answers to the client come back by way of lb's host, which must take them for its own.
    scene.server.ip(&["route", "add", "default", "via", "192.0.2.1"]).unwrap();
    let answers = ["iif", "eth0", "ipproto", "tcp", "sport", "7099", "lookup", "100"];
    scene.balancer.ip(&[&["rule", "add"][..], &answers].concat()).unwrap();
    scene.balancer.ip(&["route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100"]).unwrap();
    let _lb = scene.start("\"198.51.100.1:7000\"", "", ", egress: transparent");
    let (mut client, name) = scene.visit("198.51.100.1:7000").unwrap();
    assert_eq!(name, "s");
    crate::scene::echo(&mut client, "and back").unwrap();
    assert_eq!(scene.last_seen(), "198.51.100.10".parse::<IpAddr>().unwrap());
}

/// The timers that the kernel shows for lb's sockets with this peer.
fn timers(scene: &Scene, peer: &str) -> Option<String> {
    let output =
        scene.balancer.place().command("ss").args(["-tnoH", "state", "established", "dst", peer]).output();
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    text.contains("timer:").then_some(text)
}

#[test]
fn both_sides_are_kept_alive() {
    if netns::skip() {
        return;
    }
    let scene = Scene::plain(named());
    let listener = ", keepalive: { idle: 300s, interval: 7s, count: 2 }";
    let _lb = scene.start("\"192.0.2.1:7099\"", listener, "");
    let _client = scene.visit("192.0.2.1:7099").unwrap();
    for peer in ["192.0.2.10", "192.0.2.21"] {
        // The time that is left of `idle`, in ss's words.
        let timer =
            soon("a keepalive timer", || timers(&scene, peer).filter(|timers| timers.contains("keepalive")));
        assert!(
            timer.contains("timer:(keepalive,4min") || timer.contains("timer:(keepalive,5min"),
            "{timer}"
        );
    }
}

#[test]
fn a_peer_that_acknowledges_nothing_ends_the_connection() {
    if netns::skip() {
        return;
    }
    for (behaviour, reason) in [(Behaviour::Source, "client_timeout"), (Behaviour::Echo, "server_timeout")] {
        let scene = Scene::plain(behaviour.clone());
        let lb = scene.start("\"192.0.2.1:7099\"", ", user_timeout: 1s, keepalive: off", "");
        let mut client = scene.client.run(|| Ok(connect("192.0.2.1:7099".parse()?)?)).unwrap();
        let lost = match behaviour {
            Behaviour::Source => &scene.client,
            _ => {
                crate::scene::echo(&mut client, "before").unwrap();
                &scene.server
            }
        };
        soon("the server's connection", || (scene.backend.live() == 1).then_some(()));
        lost.unplug().unwrap();
        // What the server gets now, it cannot acknowledge.
        client.write_all(b"lost").unwrap();
        let labels = [("reason", reason)];
        lb.wait_metric("lb_listener_connections_ended_total", &labels, SOON, |count| count == 1.0)
            .unwrap_or_else(|error| panic!("{reason}: {error:#}"));
    }
}

#[test]
fn a_client_that_is_only_silent_is_left_alone() {
    if netns::skip() {
        return;
    }
    let scene = Scene::plain(Behaviour::Echo);
    let lb = scene.start("\"192.0.2.1:7099\"", ", user_timeout: 1s", "");
    let mut client = scene.client.run(|| Ok(connect("192.0.2.1:7099".parse()?)?)).unwrap();
    crate::scene::echo(&mut client, "once").unwrap();
    client.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let silence = std::io::Read::read(&mut client, &mut [0]).unwrap_err();
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);
    client.set_read_timeout(Some(SOON)).unwrap();
    crate::scene::echo(&mut client, "twice").unwrap();
    wait::until("one connection", SOON, || {
        (lb.metrics().ok()?.sum("lb_listener_connections", &[]) == 1.0).then_some(())
    })
    .unwrap();
}
