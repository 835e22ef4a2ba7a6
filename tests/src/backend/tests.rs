use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use super::*;

fn connect(backend: &Backend) -> TcpStream {
    let stream = TcpStream::connect(backend.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn echoes_and_remembers() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let mut client = connect(&backend);
    assert_eq!(ask(&mut client, "one"), "one");
    assert_eq!(ask(&mut client, "two"), "two");
    let peer = client.local_addr().unwrap();
    assert_eq!(backend.seen(), [Seen { peer, first: b"onetwo".to_vec() }]);
    assert_eq!((backend.accepted(), backend.live(), backend.received()), (1, 1, 6));
    drop(client);
    wait::until("the end", OBEY, || (backend.live() == 0).then_some(())).unwrap();
}

#[test]
fn says_its_name_first() {
    let backend = Backend::start(Behaviour::Name("b1".to_owned())).unwrap();
    let mut client = connect(&backend);
    let mut name = [0; 3];
    client.read_exact(&mut name).unwrap();
    assert_eq!(&name, b"b1\n");
    assert_eq!(ask(&mut client, "x"), "x");
}

#[test]
fn a_hanging_one_accepts_and_does_not_answer() {
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let mut before = connect(&backend);
    assert_eq!(ask(&mut before, "a"), "a");
    backend.hang().unwrap();
    let mut during = connect(&backend);
    for client in [&mut before, &mut during] {
        client.write_all(b"b").unwrap();
        client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    }
    backend.resume();
    for client in [&mut before, &mut during] {
        client.read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn a_stopped_one_finishes_what_it_has() {
    let mut backend = Backend::start(Behaviour::Echo).unwrap();
    let mut client = connect(&backend);
    assert_eq!(ask(&mut client, "a"), "a");
    backend.stop().unwrap();
    assert_eq!(TcpStream::connect(backend.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&mut client, "b"), "b");
    backend.restart().unwrap();
    assert_eq!(ask(&mut connect(&backend), "c"), "c");
    assert_eq!(backend.accepted(), 2);
}

#[test]
fn a_killed_one_resets() {
    let mut backend = Backend::start(Behaviour::Echo).unwrap();
    let mut client = connect(&backend);
    assert_eq!(ask(&mut client, "a"), "a");
    backend.kill();
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    TcpStream::connect(backend.address()).unwrap_err();
    backend.restart().unwrap();
    assert_eq!(ask(&mut connect(&backend), "b"), "b");
}

#[test]
fn resets_at_once() {
    let backend = Backend::start(Behaviour::Reset).unwrap();
    let error = connect(&backend).read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_source_sends_its_pattern() {
    let backend = Backend::start(Behaviour::Source).unwrap();
    let mut client = connect(&backend);
    let mut bytes = vec![0; 1_000_000];
    client.read_exact(&mut bytes).unwrap();
    let mut pattern = crate::verify::Pattern::new(SOURCE_SEED);
    assert_eq!(pattern.mismatch(&bytes), None);
}
