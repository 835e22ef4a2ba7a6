//! The distribution's nginx and HAProxy in front and behind, with PROXY headers both ways; and Prometheus' own tool.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::backend::{Backend, Behaviour};
use testkit::haproxy::Haproxy;
use testkit::lb::Lb;
use testkit::nginx::Nginx;
use testkit::place::Place;
use testkit::ports::{self, Port};

use crate::client::{Ending, connect, connect_from, echoes, ending, refused_from};
use crate::daemon::{Daemon, config, only, server};

const UNCHECKED: &str = "check: off";
const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
const TRUSTING: &str = "proxy_protocol: { trusted: [ \"127.0.0.0/8\", \"::1/128\" ], timeout: 500ms }";

/// A peer that runs as long as this lives.
enum Peer {
    Nginx { _running: Nginx },
    Haproxy { _running: Haproxy },
}

#[test]
fn headers_of_peers_in_front_name_the_client() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    for ip in LOOPBACK {
        let lb = listening_on(ip, TRUSTING, UNCHECKED, &only(&backend));
        let fronts: [fn(SocketAddr, SocketAddr) -> Peer; 3] = [
            nginx_in_front,
            |bind, lb| haproxy_in_front("send-proxy", bind, lb),
            |bind, lb| haproxy_in_front("send-proxy-v2", bind, lb),
        ];
        for (known, front) in fronts.into_iter().enumerate() {
            let (_port, bind) = bind_on(ip);
            let _peer = front(bind, lb.address);
            let client = connect(bind);
            assert!(echoes(&client).unwrap(), "front {known} over {ip}");
            let me = client.local_addr().unwrap();
            drop(client);
            let record = lb.wait_reason(known, "client_closed");
            assert_eq!(record["client"], me.to_string(), "{record}");
            let peer: SocketAddr = record["peer"].as_str().unwrap().parse().unwrap();
            assert_eq!((peer.ip(), peer == me), (ip, false), "{record}");
            assert_eq!((&record["received_bytes"], &record["sent_bytes"]), (&4.into(), &4.into()));
        }
        lb.wait_clean();
    }
}

#[test]
fn peers_behind_read_our_headers() {
    for ip in LOOPBACK {
        let ((_n, nginx), (_h, haproxy)) = (bind_on(ip), bind_on(ip));
        let _peers = [nginx_behind(nginx), haproxy_behind(haproxy)];
        let servers = [(nginx, ""), (haproxy, REQUEST)];
        let versions = ["v1", "v2"].into_iter().flat_map(|version| servers.map(|server| (version, server)));
        for (version, (behind, request)) in versions {
            let pool = format!("{UNCHECKED}, proxy_protocol: {version}");
            let lb = listening_on(ip, "", &pool, &server("a", behind, ""));
            let client = connect(lb.address);
            let me = client.local_addr().unwrap();
            assert_eq!(who_am_i(client, request), me.to_string(), "{version} to {behind}");
            let record = lb.wait_records(1).swap_remove(0);
            assert_eq!(record["received_bytes"], request.len(), "{record}");
            lb.wait_clean();
        }
    }
}

/// HAProxy, lb, nginx: v2 in, v1 out.
#[test]
fn a_chain_keeps_the_client() {
    let ip = LOOPBACK[0];
    let ((_f, front), (_b, behind)) = (bind_on(ip), bind_on(ip));
    let _behind = nginx_behind(behind);
    let pool = format!("{UNCHECKED}, proxy_protocol: v1");
    let lb = listening_on(ip, TRUSTING, &pool, &server("a", behind, ""));
    let _front = haproxy_in_front("send-proxy-v2", front, lb.address);
    let client = connect_from(77, front);
    let me = client.local_addr().unwrap();
    assert_eq!(who_am_i(client, ""), me.to_string());
    assert_eq!(lb.wait_records(1)[0]["client"], me.to_string());
}

#[test]
fn the_header_of_an_untrusted_source_is_its_own_data() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let listener = "proxy_protocol: { trusted: [ \"127.0.0.9/32\" ] }";
    let lb = Daemon::start(listener, UNCHECKED, &only(&backend));
    let header = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n";
    let mut client = connect_from(10, lb.address);
    let me = client.local_addr().unwrap();
    client.write_all(header).unwrap();
    let mut echo = [0; 42];
    client.read_exact(&mut echo).unwrap();
    assert_eq!(&echo, header);
    drop(client);
    let record = lb.wait_reason(0, "client_closed");
    assert_eq!((&record["client"], &record["peer"]), (&me.to_string().into(), &().into()));

    // the same header from the trusted one is taken out
    let mut client = connect_from(9, lb.address);
    client.write_all(header).unwrap();
    assert!(echoes(&client).unwrap());
    drop(client);
    assert_eq!(lb.wait_reason(1, "client_closed")["client"], "192.0.2.1:1000");
}

#[test]
fn a_header_that_does_not_come_or_is_none_is_answered_with_rst() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start(TRUSTING, UNCHECKED, &only(&backend));
    let silent = connect(lb.address);
    assert_eq!(ending(&silent), Ending::Rst);
    let record = lb.wait_reason(0, "proxy_header_timeout");
    assert!(record["total_ms"].as_f64().unwrap() >= 500.0, "{record}");

    let mut half = connect(lb.address);
    half.write_all(b"PROXY TCP4 192.0.2.1 ").unwrap();
    assert_eq!(ending(&half), Ending::Rst);
    lb.wait_reason(1, "proxy_header_timeout");

    let mut garbage = connect(lb.address);
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(ending(&garbage), Ending::Rst);
    lb.wait_reason(2, "proxy_header");
    assert_eq!(backend.accepted(), 0, "nothing of it reached the server");
    lb.wait_clean();
}

#[test]
fn promtool_accepts_the_metrics_of_a_daemon_that_has_seen_traffic() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let closed = ports::reserve().unwrap();
    let servers = format!("{}, {}", only(&backend), server("gone", closed.address(), "priority: 2"));
    let pool = "check: { interval: 50ms, start: down, rise: 1 }";
    let lb = Daemon::start("deny: [ \"127.0.0.66/32\" ]", pool, &servers);
    lb.wait_state("a", "up");
    assert!(echoes(&connect(lb.address)).unwrap());
    refused_from(66, lb.address);
    lb.wait_records(2);
    lb.lb.ctl(&["reload"]).unwrap();

    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("no promtool: run tests/setup");
    let text = lb.lb.get("/metrics").unwrap().body;
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let complaints = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&complaints));
    assert_eq!(String::from_utf8_lossy(&complaints), "", "promtool has advice");
}

fn listening_on(ip: IpAddr, listener: &str, pool: &str, servers: &str) -> Daemon {
    let (port, bind) = bind_on(ip);
    let lb = Lb::start(&config(bind, listener, pool, servers)).unwrap();
    Daemon::serving(lb, bind, port)
}

/// A port that is free on 127.0.0.1 is free on ::1, as far as this machine's tests are concerned.
fn bind_on(ip: IpAddr) -> (Port, SocketAddr) {
    let port = ports::reserve().unwrap();
    let address = SocketAddr::new(ip, port.number());
    (port, address)
}

fn nginx_in_front(bind: SocketAddr, lb: SocketAddr) -> Peer {
    let stream = format!("server {{ listen {bind}; proxy_pass {lb}; proxy_protocol on; }}");
    Peer::Nginx { _running: Nginx::stream(&Place::Here, 1, &stream, &[bind.port()]).unwrap() }
}

fn haproxy_in_front(send: &str, bind: SocketAddr, lb: SocketAddr) -> Peer {
    haproxy(bind, &format!("mode tcp\n    bind {bind}\n    server lb {lb} {send}"))
}

fn nginx_behind(bind: SocketAddr) -> Peer {
    let answer = "return $proxy_protocol_addr:$proxy_protocol_port;";
    let stream = format!("server {{ listen {bind} proxy_protocol; {answer} }}");
    Peer::Nginx { _running: Nginx::stream(&Place::Here, 1, &stream, &[bind.port()]).unwrap() }
}

fn haproxy_behind(bind: SocketAddr) -> Peer {
    let answer = "http-request return content-type text/plain lf-string %[src]:%[src_port]";
    haproxy(bind, &format!("mode http\n    bind {bind} accept-proxy\n    {answer}"))
}

fn haproxy(bind: SocketAddr, listen: &str) -> Peer {
    let timeouts = "timeout connect 5s\n    timeout client 1m\n    timeout server 1m";
    let config = format!("defaults\n    {timeouts}\nlisten l\n    {listen}\n");
    Peer::Haproxy { _running: Haproxy::start(&Place::Here, &config, &[bind.port()]).unwrap() }
}

const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";

/// What a server behind says of who asks: HAProxy in the body of an answer, nginx in plain
/// bytes and without a request; IPv6 without brackets.
fn who_am_i(mut client: TcpStream, request: &str) -> String {
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let said = answer.rsplit("\r\n\r\n").next().unwrap();
    let (ip, port) = said.rsplit_once(':').unwrap();
    SocketAddr::new(ip.parse().unwrap(), port.parse().unwrap()).to_string()
}
