//! A server whose cable is pulled.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::netns::{self, Host, Net};
use testkit::nginx::Nginx;

use crate::scene::{SOON, connect, echo, soon};

const LB: &str = "192.0.2.1:7099";
const NGINX: &str = "192.0.2.1:8099";
/// Connects that take longer have met the dead server.
const CLEAN: Duration = Duration::from_millis(500);

/// Who serves a new connection of `client`, and after how long.
fn visit(client: &Host, address: &str) -> Result<(String, Duration)> {
    let address: SocketAddr = address.parse()?;
    client.run(|| {
        let start = Instant::now();
        let mut line = String::new();
        BufReader::new(connect(address)?).read_line(&mut line)?;
        Ok((line.trim_end().to_owned(), start.elapsed()))
    })
}

fn slowest(client: &Host, address: &str) -> Duration {
    let visits = (0..8).map(|_| visit(client, address).unwrap());
    let slowest = visits.inspect(|(server, _)| assert_eq!(server, "b")).map(|(_, took)| took).max();
    slowest.unwrap()
}

#[test]
fn it_is_out_after_fall_checks_and_new_clients_do_not_wait_for_it() {
    if netns::skip() {
        return;
    }
    let mut net = Net::new().unwrap();
    let balancer = net.host("lb", &["192.0.2.1/24"]).unwrap();
    let client = net.host("client", &["192.0.2.10/24"]).unwrap();
    let [a, b] = [("a", "192.0.2.21"), ("b", "192.0.2.22")].map(|(name, address)| {
        let host = net.host(name, &[&format!("{address}/24")]).unwrap();
        let address = format!("{address}:7099").parse().unwrap();
        let backend = Backend::start_at(&host.place(), address, Behaviour::Name(name.to_owned())).unwrap();
        (host, backend)
    });
    let config = format!(
        "listeners:
  - {{ name: bank, bind: \"{LB}\", pool: empi }}
pools:
  - name: empi
    check: {{ interval: 300ms, timeout: 300ms, fall: 3 }}
    connect: {{ timeout: 1s }}
    servers:
      - {{ name: a, address: \"{}\" }}
      - {{ name: b, address: \"{}\" }}
",
        a.1.address(),
        b.1.address()
    );
    let lb = Lb::start_in(&balancer.place(), &config).unwrap();
    let upstream = format!(
        "upstream empi {{ server {}; server {}; }}
server {{ listen {NGINX}; proxy_pass empi; proxy_connect_timeout 1s; }}",
        a.1.address(),
        b.1.address()
    );
    let _nginx = Nginx::stream(&balancer.place(), 1, &upstream, &[8099]).unwrap();
    let mut kept =
        client.run(|| (0..2).map(|_| Ok(connect(LB.parse()?)?)).collect::<Result<Vec<_>>>()).unwrap();
    let names = kept.iter_mut().map(|stream| {
        let mut name = [0; 2];
        stream.read_exact(&mut name).unwrap();
        name[0]
    });
    assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), 2, "one on each server");
    let usable = || lb.metrics().unwrap().sum("lb_server_usable", &[("server", "a")]) == 1.0;
    assert!(usable());

    a.0.unplug().unwrap();
    let start = Instant::now();
    let mut waited = Duration::ZERO;
    let mut last_unclean = Duration::ZERO;
    while usable() {
        assert!(start.elapsed() < SOON, "{}", lb.log());
        let (server, took) = visit(&client, LB).unwrap();
        assert_eq!(server, "b");
        if took > CLEAN {
            last_unclean = start.elapsed();
        }
        waited = waited.max(took);
    }
    let out = start.elapsed();
    assert!(out < 3 * Duration::from_millis(330 + 300) + Duration::from_secs(3), "{out:?}");
    let after = slowest(&client, LB);
    let nginx = slowest(&client, NGINX);
    eprintln!(
        "a server without its cable: lb has it out after {out:.2?} (3 checks of 0.3 s + 0.3 s at most); until then \
         the slowest of the new connections took {waited:.2?}, the last of those at {last_unclean:.2?}; afterwards the \
         slowest of 8 took {after:.2?} with lb, {nginx:.2?} with nginx (proxy_connect_timeout 1s)"
    );
    assert!(after < CLEAN, "{after:?}");

    // `on_down: close` has told the client of a; the one of b goes on.
    let mut lost = 0;
    for stream in &mut kept {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        match stream.read(&mut [0]).map_err(|error| error.kind()) {
            Err(ErrorKind::ConnectionReset) | Ok(0) => lost += 1,
            Err(ErrorKind::WouldBlock) => {
                stream.set_read_timeout(Some(SOON)).unwrap();
                echo(stream, "still here").unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lost, 1);
    a.0.plug().unwrap();
    soon("the server to be back", || usable().then_some(()));
}
