//! Bytes: each arrives, in order, in both directions, at any pace; and the ends of connections do too.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use testkit::backend::{Backend, Behaviour};
use testkit::verify::{Plan, echo};
use tokio::task::JoinSet;

use crate::client::{Ending, connect, echoes, ending, raise_open_files};
use crate::daemon::{self, Daemon, only};

/// Unchecked, so that every connection of the server is a client's.
const UNCHECKED: &str = "check: off";
#[tokio::test]
async fn thousands_of_streams_come_back_byte_for_byte() {
    raise_open_files();
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", UNCHECKED, &only(&backend));
    let short = (0..2000).map(|n| Plan { seed: n, bytes: 1 + n % 4000, largest_chunk: 700 });
    let long = (2000..2200).map(|seed| {
        let largest_chunk = 1 << (seed % 17);
        Plan { seed, bytes: 200_000.min(1000 * largest_chunk as u64), largest_chunk }
    });
    let plans: Vec<Plan> = short.chain(long).collect();
    let bytes: u64 = plans.iter().map(|plan| plan.bytes).sum();

    let mut streams: JoinSet<_> = plans.iter().map(|plan| echo(lb.address, *plan)).collect();
    while let Some(result) = streams.join_next().await {
        result.unwrap().unwrap();
    }

    let records = lb.wait_records(plans.len());
    assert_eq!(records.len(), plans.len());
    for record in &records {
        assert_eq!(record["reason"], "client_closed", "{record}");
        assert_eq!(record["received_bytes"], record["sent_bytes"], "{record}");
        assert_eq!((&record["server"], &record["tried"]), (&"a".into(), &"a".into()), "{record}");
    }
    let sum: u64 = records.iter().map(|record| record["sent_bytes"].as_u64().unwrap()).sum();
    assert_eq!(sum, bytes);
    #[allow(clippy::cast_precision_loss)]
    let (count, bytes) = (plans.len() as f64, bytes as f64);
    assert_eq!(lb.metric("lb_listener_connections_ended_total", &[("reason", "client_closed")]), count);
    assert_eq!(lb.metric("lb_server_connections_total", &[("server", "a")]), count);
    lb.wait_for("lb_listener_received_bytes_total", &[], bytes);
    lb.wait_for("lb_server_received_bytes_total", &[], bytes);
    lb.wait_clean();
}

#[test]
fn a_client_that_ends_its_half_gets_the_answer() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let lb = to(&server);
    let mut client = connect(lb.address);
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let (mut connection, _) = server.accept().unwrap();
    assert_eq!(read_all(&mut connection), b"question");
    connection.write_all(&[7; 100_000]).unwrap();
    drop(connection);
    assert_eq!(read_all(&mut client), [7; 100_000]);
    let record = lb.wait_reason(0, "client_closed");
    assert_eq!((&record["received_bytes"], &record["sent_bytes"]), (&8.into(), &100_000.into()));
    lb.wait_clean();
}

#[test]
fn a_server_that_ends_its_half_gets_the_rest() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let lb = to(&server);
    let mut client = connect(lb.address);
    let (mut connection, _) = server.accept().unwrap();
    connection.write_all(b"greeting").unwrap();
    connection.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut client), b"greeting");
    client.write_all(&[7; 100_000]).unwrap();
    drop(client);
    assert_eq!(read_all(&mut connection), [7; 100_000]);
    let record = lb.wait_reason(0, "server_closed");
    assert_eq!((&record["received_bytes"], &record["sent_bytes"]), (&100_000.into(), &8.into()));
    lb.wait_clean();
}

#[test]
fn a_reset_is_passed_on() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let lb = to(&server);
    // one byte first: a reset that comes with the connection is a connect that fails
    let (client, connection) = greeted(&lb, &server);
    reset(connection);
    assert_eq!(ending(&client), Ending::Rst);
    lb.wait_reason(0, "server_reset");

    let (client, connection) = greeted(&lb, &server);
    reset(client);
    assert_eq!(ending(&connection), Ending::Rst);
    lb.wait_reason(1, "client_reset");
    lb.wait_clean();
}

#[test]
fn idle_connections_end_and_slow_ones_do_not() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("idle_timeout: 1500ms", UNCHECKED, &only(&backend));
    let slow = connect(lb.address);
    let (silent, once) = (connect(lb.address), connect(lb.address));
    assert!(echoes(&once).unwrap());
    // the pace of a slow client is what is tested here
    for _ in 0..8 {
        assert!(echoes(&slow).unwrap(), "a byte now and then is enough");
        thread::sleep(Duration::from_millis(300));
    }
    assert_eq!((ending(&silent), ending(&once)), (Ending::Fin, Ending::Fin));
    for record in lb.wait_records(2) {
        assert_eq!(record["reason"], "idle", "{record}");
        assert!(record["total_ms"].as_f64().unwrap() >= 1500.0, "{record}");
    }
    assert_eq!(lb.records().len(), 2, "the slow one is still there");
    assert_eq!(ending(&slow), Ending::Fin);
    lb.wait_reason(2, "idle");
    lb.wait_clean();
}

#[test]
fn a_connection_ends_at_its_greatest_age() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("max_age: 1s, max_age_jitter_percent: 0", UNCHECKED, &only(&backend));
    let client = connect(lb.address);
    while echoes(&client).is_ok() {}
    let record = lb.wait_reason(0, "max_age");
    assert!(record["total_ms"].as_f64().unwrap() >= 1000.0, "{record}");
    assert!(record["sent_bytes"].as_u64().unwrap() > 0, "{record}");
    lb.wait_clean();
}

fn to(server: &TcpListener) -> Daemon {
    Daemon::start("", UNCHECKED, &daemon::server("a", server.local_addr().unwrap(), ""))
}

/// Both ends of a connection over which a byte has passed.
fn greeted(lb: &Daemon, server: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = connect(lb.address);
    let (mut connection, _) = server.accept().unwrap();
    connection.write_all(b"!").unwrap();
    client.read_exact(&mut [0]).unwrap();
    (client, connection)
}

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}
