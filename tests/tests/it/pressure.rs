//! Bytes that one side does not take: they wait at little cost, and nobody else does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use testkit::backend::{Backend, Behaviour, SOURCE_SEED};
use testkit::lb::Lb;
use testkit::traffic::{Shape, Traffic};
use testkit::verify::{Dialogue, Pattern, Plan, echo};
use testkit::{ports, usage, wait};

use crate::client::{Ending, connect, ending, raise_open_files};
use crate::daemon::{Daemon, SOON, only};

/// Unchecked, so that every connection of the server is a client's.
const UNCHECKED: &str = "check: off";
/// What the relay keeps of bytes that wait, at most, in each direction; and what surrounds it.
const WAITING: u64 = 192 * 1024;
const BLOCKED: u64 = 20;

#[test]
fn a_server_that_never_reads_holds_up_only_its_own_clients() {
    let (silent, echoing) =
        (Backend::start(Behaviour::Silent).unwrap(), Backend::start(Behaviour::Echo).unwrap());
    let (lb, beside) = two_listeners("user_timeout: 3s", &silent, &echoing);
    let before = usage::of_tree(lb.lb.pid()).unwrap().anonymous;

    let clients: Vec<TcpStream> = (0..BLOCKED).map(|_| filled(lb.address)).collect();
    let traffic = Traffic::start(beside, Shape::short(4)).unwrap();
    wait::until("traffic beside", SOON, || (traffic.finished() >= 200).then_some(())).unwrap();
    let grown = usage::of_tree(lb.lb.pid()).unwrap().anonymous.saturating_sub(before);
    lb.wait_for("lb_server_connections", &[("pool", "p")], BLOCKED as f64);
    println!("{BLOCKED} blocked connections hold {grown} bytes");
    assert!(grown < BLOCKED * WAITING, "{BLOCKED} blocked connections hold {grown} bytes");
    assert_eq!(traffic.stop().unwrap().failures, [""; 0]);

    // the kernel gives up on a server that takes nothing for `user_timeout`
    assert!(clients.iter().all(|client| ending(client) == Ending::Rst));
    lb.wait_for("lb_listener_connections_ended_total", &[("reason", "server_timeout")], BLOCKED as f64);
    lb.wait_clean();
}

#[test]
fn a_server_that_reads_late_gets_every_byte() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", UNCHECKED, &only(&backend));
    backend.hang().unwrap();
    let (address, plan) = (lb.address, Plan { seed: 5, bytes: 20_000_000, largest_chunk: 60_000 });
    let running = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(echo(address, plan))
    });
    // what a server takes that does not read: its kernel's buffer is full when this is reached
    let name = "lb_listener_received_bytes_total";
    let taken = lb.lb.wait_metric(name, &[], SOON, |bytes| bytes > 60_000.0).unwrap();
    assert!(taken < 20_000_000.0, "nothing had to wait: {taken} bytes were taken");
    backend.resume();
    assert_eq!(running.join().unwrap().unwrap(), plan.bytes);
    lb.wait_reason(0, "client_closed");
    lb.wait_clean();
}

#[test]
fn clients_that_never_read_cost_a_bounded_buffer_and_lose_nothing() {
    let (flood, echoing) =
        (Backend::start(Behaviour::Source).unwrap(), Backend::start(Behaviour::Echo).unwrap());
    let (lb, beside) = two_listeners("", &flood, &echoing);
    let before = usage::of_tree(lb.lb.pid()).unwrap().anonymous;

    let clients: Vec<TcpStream> = (0..BLOCKED).map(|_| connect(lb.address)).collect();
    lb.wait_for("lb_server_connections", &[("pool", "p")], BLOCKED as f64);
    let traffic = Traffic::start(beside, Shape::short(4)).unwrap();
    wait::until("traffic beside", SOON, || (traffic.finished() >= 200).then_some(())).unwrap();
    let grown = usage::of_tree(lb.lb.pid()).unwrap().anonymous.saturating_sub(before);
    assert!(grown < BLOCKED * WAITING, "{BLOCKED} blocked connections hold {grown} bytes");
    assert_eq!(traffic.stop().unwrap().failures, [""; 0]);

    for mut client in clients {
        let mut bytes = vec![0; 8_000_000 / BLOCKED as usize];
        client.read_exact(&mut bytes).unwrap();
        assert_eq!(Pattern::new(SOURCE_SEED).mismatch(&bytes), None);
        SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    }
    lb.wait_for("lb_listener_connections_ended_total", &[("reason", "client_reset")], BLOCKED as f64);
    lb.wait_clean();
}

#[tokio::test]
async fn idle_connections_hold_no_buffer() {
    const CONNECTIONS: u64 = 2000;
    raise_open_files();
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", UNCHECKED, &only(&backend));
    // the workers' own buffers are there before it is counted
    Dialogue::open(lb.address, 0).await.unwrap().exchange(200_000).await.unwrap();
    let before = usage::of_tree(lb.lb.pid()).unwrap().anonymous;
    let mut idle = Vec::new();
    for seed in 0..CONNECTIONS {
        let mut dialogue = Dialogue::open(lb.address, seed).await.unwrap();
        dialogue.exchange(1000).await.unwrap();
        idle.push(dialogue);
    }
    let each = usage::of_tree(lb.lb.pid()).unwrap().anonymous.saturating_sub(before) / CONNECTIONS;
    println!("{each} bytes per idle connection");
    assert!(each < 4096, "an idle connection holds {each} bytes");
    drop(idle);
    lb.wait_clean();
}

/// The usual listener and pool, and others beside them; returns the other listener's address too.
fn two_listeners(listener: &str, backend: &Backend, beside: &Backend) -> (Daemon, SocketAddr) {
    let (port, other) = (ports::reserve().unwrap(), ports::reserve().unwrap());
    let config = format!(
        "log: {{ format: json }}
listeners:
  - {{ name: l, bind: \"{}\", pool: p, {listener} }}
  - {{ name: beside, bind: \"{}\", pool: beside }}
pools:
  - {{ name: p, {UNCHECKED}, servers: [ {} ] }}
  - {{ name: beside, {UNCHECKED}, servers: [ {} ] }}
",
        port.address(),
        other.address(),
        only(backend),
        only(beside),
    );
    let lb = Lb::start(&config).unwrap();
    (Daemon::serving(lb, port.address(), port), other.address())
}

/// A client that has sent all that is taken of it.
fn filled(address: SocketAddr) -> TcpStream {
    let mut client = connect(address);
    client.set_nonblocking(true).unwrap();
    let mut sent = 0;
    // twice: what the relay still takes from the kernel's buffer makes room there
    for _ in 0..2 {
        while let Ok(count) = client.write(&[7; 64 * 1024]) {
            sent += count;
        }
        thread::yield_now();
    }
    assert!(sent > 0);
    client.set_nonblocking(false).unwrap();
    client
}
