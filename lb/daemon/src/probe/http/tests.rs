use std::time::Duration;

use lb_core::config::{Check, CheckKind};
use lb_core::probe::Expect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::probe::Prober;
use crate::probe::testing::{Peer, check, closed_port, hasty, target};

fn get(path: &str, body: Option<&str>) -> HttpCheck {
    HttpCheck {
        method: "GET".into(),
        path: path.into(),
        host: None,
        status: vec![(200, 299)],
        body: body.map(|text| Expect::Bytes(text.into())),
        tls: None,
    }
}

/// Reads one request head, answers and closes; yields the head.
async fn answering(answer: impl Into<Vec<u8>>) -> Peer<String> {
    let answer = answer.into();
    Peer::serving(move |mut stream: TcpStream| {
        let answer = answer.clone();
        async move {
            let head = read_head(&mut stream).await;
            // A client that has seen enough may be gone.
            let _ = stream.write_all(&answer).await;
            head
        }
    })
    .await
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn run(check: &Check, peer: &Peer<String>) -> Result<(), ProbeError> {
    Prober::default().run(check, &target(peer.address)).await
}

#[tokio::test]
async fn the_request_is_what_was_configured() {
    let peer = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let own =
        HttpCheck { method: "OPTIONS".into(), host: Some("bank.example".into()), ..get("/live?x=1", None) };
    assert_eq!(run(&check(CheckKind::Http(own)), &peer).await, Ok(()));
    let head = peer.next().await;
    assert!(head.starts_with("OPTIONS /live?x=1 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: bank.example\r\n") && head.contains("connection: close\r\n"), "{head}");

    assert_eq!(run(&check(CheckKind::Http(get("/", None))), &peer).await, Ok(()));
    let head = peer.next().await;
    assert!(head.contains(&format!("host: {}\r\n", peer.address)), "{head}");
}

#[test]
fn host_follows_the_address() {
    let at = |address: &str, host: Option<&str>| Target {
        host: host.map(str::to_owned),
        ..target(address.parse().unwrap())
    };
    for (address, host, tls, expected) in [
        ("192.0.2.1:8080", None, false, "192.0.2.1:8080"),
        ("192.0.2.1:80", None, false, "192.0.2.1"),
        ("192.0.2.1:80", None, true, "192.0.2.1:80"),
        ("[2001:db8::1]:443", None, true, "[2001:db8::1]"),
        ("192.0.2.1:8080", Some("empi.example"), false, "empi.example:8080"),
    ] {
        assert_eq!(authority(&at(address, host), tls), expected);
    }
}

#[tokio::test]
async fn status_and_body_are_judged() {
    let ok = |text: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n".to_owned();
    let until_close = "HTTP/1.0 200 OK\r\n\r\nready".to_owned();
    let unexpected = |text: &str| Err(ProbeError::UnexpectedAnswer(text.into()));
    for (answer, expected) in [
        (ok("ready"), Ok(())),
        (chunked, Ok(())),
        (until_close, Ok(())),
        (ok("starting"), unexpected("body does not match")),
        (ok(""), unexpected("body does not match")),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 5\r\n\r\nready".into(), unexpected("status 503")),
    ] {
        let peer = answering(answer.clone()).await;
        let result = run(&check(CheckKind::Http(get("/", Some("ready")))), &peer).await;
        assert_eq!(result, expected, "{answer}");
    }
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_the_limit() {
    let peer = Peer::serving(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        let mut sent = 0;
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {
            sent += 4096;
        }
        sent
    })
    .await;
    let check = check(CheckKind::Http(get("/", Some("ready"))));
    let result = Prober::default().run(&check, &target(peer.address)).await;
    assert_eq!(result, Err(ProbeError::UnexpectedAnswer("body does not match".into())));
    assert!(peer.next().await >= BODY_LIMIT);
}

#[tokio::test]
async fn what_is_no_answer() {
    let http = || CheckKind::Http(get("/", None));
    let result = Prober::default().run(&check(http()), &target(closed_port().await)).await;
    assert_eq!(result, Err(ProbeError::Refused));

    let result = run(&check(http()), &answering("SSH-2.0-OpenSSH\r\n").await).await;
    assert_eq!(result.unwrap_err().reason(), "unexpected_answer");
    assert_eq!(run(&check(http()), &answering("").await).await, Err(ProbeError::Closed));

    let speaks_first = Peer::serving(|mut stream: TcpStream| async move {
        let _ = stream.write_all(b"220 mail ready\r\n").await;
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    let result = Prober::default().run(&check(http()), &target(speaks_first.await.address)).await;
    assert_eq!(result.unwrap_err().reason(), "unexpected_answer");

    let silent = Peer::silent().await;
    let result = Prober::default().run(&hasty(http()), &target(silent.address)).await;
    assert_eq!(result, Err(ProbeError::Timeout));
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let peer = Peer::serving(|mut stream: TcpStream| async move {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let check = Check { timeout: Duration::from_secs(10), ..check(CheckKind::Http(get("/", None))) };
    let error = Prober::default().run(&check, &target(peer.address)).await.unwrap_err();
    assert_eq!(error.reason(), "unexpected_answer", "{error}");
}
