use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::protocol::{self, Hello, LinkClient, Offers, Up, up as frame};

async fn pair(desk: &Arc<Desk>) -> (Server, Line) {
    let server = Server::start(who(Role::Uaop, "u1"), Arc::clone(desk), None).await;
    let line = Line::open(line_settings(server.address), who(Role::Empi, "e1"), Role::Uaop, None);
    (server, line)
}

#[tokio::test]
async fn each_offer_has_its_verdict_and_what_is_known_is_told() {
    let desk = Desk::new();
    let (_server, line) = pair(&desk).await;
    assert_eq!(up(&line).await, who(Role::Uaop, "u1"));
    let ids: Vec<String> = (0..1500).map(|id| format!("m{id}")).collect();
    let offers = ids.iter().map(|id| offer(id)).collect();
    let verdicts = soon(line.submit(offers)).await.unwrap();
    assert_eq!(verdicts, vec![Verdict::Taken { duplicate: false }; 1500]);
    let again = Offer { again: true, ..offer("m7") };
    assert_eq!(line.submit(vec![again]).await.unwrap(), [Verdict::Taken { duplicate: true }]);
    assert_eq!(desk.seen().last().unwrap(), &("m7".to_owned(), true));
    let asked = ["m3", "x", "m1499"].map(|id| id.parse().unwrap());
    assert_eq!(line.known(asked.to_vec()).await.unwrap(), [true, false, true]);
    assert!(line.submit(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_the_others_go() {
    let desk = Desk::new();
    let (_server, line) = pair(&desk).await;
    up(&line).await;
    let mut large = offer("large");
    large.submission.text.0 = "x".repeat(5 << 20);
    let verdicts = soon(line.submit(vec![offer("a"), large, offer("b")])).await.unwrap();
    assert!(matches!(verdicts[1], Verdict::Refused { .. }), "{verdicts:?}");
    assert_eq!(desk.count(), 2);
}

#[tokio::test]
async fn a_wrong_role_is_said_on_the_line() {
    let server = Server::start(who(Role::Gateway, "g1"), Desk::new(), None).await;
    let line = Line::open(line_settings(server.address), who(Role::Empi, "e1"), Role::Uaop, None);
    let reason = down(&line, "role").await;
    assert_eq!(
        reason,
        "this is gateway g1 in dc1, and empi e1 in dc1 looks for another role; check the address"
    );
    let line = Line::open(line_settings(server.address), who(Role::Empi, "e1"), Role::Gateway, None);
    let reason = down(&line, "takes").await;
    assert_eq!(reason, "gateway g1 in dc1 takes nothing from empi e1 in dc1; check the address");
    assert!(matches!(line.submit(vec![offer("m")]).await, Err(LineError::Down(_))));
}

fn hello(protocol: u32) -> Hello {
    Hello {
        protocol,
        version: "9.9.9".to_owned(),
        from: Some((&who(Role::Empi, "e1")).into()),
        expected: protocol::Role::Uaop.into(),
        events: false,
        silence_milliseconds: 10_000,
    }
}

/// What a peer is told that says these words.
async fn told(server: &Server, words: Vec<Up>) -> (Vec<protocol::Down>, Option<tonic::Status>) {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let mut client = LinkClient::new(endpoint.connect().await.unwrap());
    let words = stream::iter(words);
    let mut frames = match client.open(futures_util::StreamExt::chain(words, stream::pending())).await {
        Ok(response) => response.into_inner(),
        Err(status) => return (Vec::new(), Some(status)),
    };
    let mut heard = Vec::new();
    loop {
        match soon(frames.message()).await {
            Ok(Some(frame)) => heard.push(frame),
            Ok(None) => return (heard, None),
            Err(status) => return (heard, Some(status)),
        }
    }
}

#[tokio::test]
async fn a_peer_of_another_version_is_told_both() {
    let server = Server::start(who(Role::Uaop, "u1"), Desk::new(), None).await;
    let (_, status) = told(&server, vec![frame::Frame::Hello(hello(2)).into()]).await;
    let status = status.unwrap();
    assert_eq!(status.code(), tonic::Code::FailedPrecondition);
    assert_eq!(
        status.message(),
        "uaop u1 in dc1 speaks version 1 of the protocol (smsline 0.1.0), empi e1 in dc1 version 2 (smsline 9.9.9); \
         install the same release on both"
    );
}

#[tokio::test]
async fn a_peer_that_does_not_keep_to_the_protocol_is_told_so() {
    let server = Server::start(who(Role::Uaop, "u1"), Desk::closed(), None).await;
    let hello = || Up::from(frame::Frame::Hello(hello(1)));
    let offers = |count: usize| {
        let offers = (0..count).map(|id| offer(&format!("m{id}")).into()).collect();
        Up::from(frame::Frame::Offers(Offers { request: 1, offers }))
    };
    let cases = [
        (vec![offers(1)], "the first word is not Hello"),
        (vec![Up { frame: None }], "the first word is not Hello"),
        (vec![hello(), hello()], "Hello comes once"),
        (vec![hello(), offers(0)], "a request without content"),
        (vec![hello(), offers(4000), offers(97)], "more than 4096 messages without a verdict"),
    ];
    for (words, expected) in cases {
        let (_, status) = told(&server, words).await;
        assert_eq!(status.unwrap().message(), expected);
    }
}

#[tokio::test]
async fn no_more_messages_are_under_way_than_the_window_has() {
    let desk = Desk::closed();
    let server = Server::start(who(Role::Uaop, "u1"), Arc::clone(&desk), None).await;
    let settings = LineSettings { window: 100, ..line_settings(server.address) };
    let line = Line::open(settings, who(Role::Empi, "e1"), Role::Uaop, None);
    up(&line).await;
    let submitting: Vec<_> = (0..50)
        .map(|batch| {
            let line = line.clone();
            let offers = (0..10).map(|id| offer(&format!("m{batch}-{id}"))).collect();
            spawn(async move { line.submit(offers).await })
        })
        .collect();
    let mut open = 0;
    while open < 500 {
        until(|| desk.count() == 500.min(open + 100)).await;
        // a ping goes there and back: what could come has come
        line.ping(Duration::from_secs(10)).await.unwrap();
        assert_eq!(desk.count(), 500.min(open + 100));
        desk.gate.add_permits(10);
        open += 10;
    }
    for submitting in submitting {
        assert_eq!(soon(submitting).await.unwrap().unwrap().len(), 10);
    }
}

#[tokio::test]
async fn what_was_under_way_when_the_peer_died_is_lost_and_nothing_else_is() {
    let desk = Desk::closed();
    let (mut server, line) = pair(&desk).await;
    up(&line).await;
    let submitting = {
        let line = line.clone();
        spawn(async move { line.submit(vec![offer("m1"), offer("m2")]).await })
    };
    until(|| desk.count() == 2).await;
    server.kill().await;
    assert!(matches!(soon(submitting).await.unwrap(), Err(LineError::Lost(_))));
    assert!(matches!(line.submit(vec![offer("m3")]).await, Err(LineError::Down(_))));

    let _server = Server::at(server.address, who(Role::Uaop, "u1"), Desk::new(), None).await;
    up(&line).await;
    assert_eq!(line.submit(vec![offer("m3")]).await.unwrap(), [Verdict::Taken { duplicate: false }]);
}

#[tokio::test]
async fn a_server_that_stops_says_so_first_and_waits_for_the_verdicts_under_way() {
    let desk = Desk::closed();
    let (mut server, line) = pair(&desk).await;
    up(&line).await;
    let submitting = {
        let line = line.clone();
        spawn(async move { line.submit(vec![offer("m1")]).await })
    };
    until(|| desk.count() == 1).await;
    server.stop();
    let mut state = line.state();
    let not_ready = |state: &LineState| matches!(state, LineState::Up { standing, .. } if !standing.ready);
    soon(state.wait_for(not_ready)).await.unwrap();
    let late = line.submit(vec![offer("m2")]).await.unwrap();
    assert_eq!(late, [Verdict::Later { reason: "this uaop stops".to_owned() }]);
    desk.gate.add_permits(1);
    assert_eq!(soon(submitting).await.unwrap().unwrap(), [Verdict::Taken { duplicate: false }]);
    server.ended().await.unwrap();
    down(&line, "").await;
    assert_eq!(desk.count(), 1);
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_a_socket_that_says_nothing() {
    let mut server = Server::start(who(Role::Uaop, "u1"), Desk::new(), None).await;
    let _silent = TcpStream::connect(server.address).await.unwrap();
    server.stop();
    soon(server.ended()).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_standing_is_told() {
    let desk = Desk::new();
    let (_server, line) = pair(&desk).await;
    up(&line).await;
    let standing = Standing { ready: false, reason: "no gateway".to_owned() };
    desk.standing.send_replace(standing.clone());
    let expected = LineState::Up { peer: who(Role::Uaop, "u1"), standing };
    soon(line.state().wait_for(|state| *state == expected)).await.unwrap();
}

#[tokio::test]
async fn the_connection_ends_with_the_last_handle() {
    let desk = Desk::new();
    let (mut server, line) = pair(&desk).await;
    let other = line.clone();
    up(&line).await;
    drop(line);
    assert_eq!(other.submit(vec![offer("m1")]).await.unwrap().len(), 1);
    drop(other);
    // there is nobody to wait for
    server.stop();
    server.ended().await.unwrap();
}

/// Passes bytes on between its clients and `to`, until it is told to hold them.
async fn relay(to: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hold = Arc::new(AtomicBool::new(false));
    let held = Arc::clone(&hold);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(to).await.unwrap();
            let (client, server) = (client.into_split(), server.into_split());
            for (mut from, mut to) in [(client.0, server.1), (server.0, client.1)] {
                let held = Arc::clone(&held);
                tokio::spawn(async move {
                    let mut buffer = vec![0; 65536];
                    while let Ok(count @ 1..) = from.read(&mut buffer).await {
                        while held.load(Relaxed) {
                            tokio::time::sleep(Duration::from_millis(5)).await;
                        }
                        if to.write_all(&buffer[..count]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        }
    });
    (address, hold)
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_gone() {
    let server = Server::start(who(Role::Uaop, "u1"), Desk::new(), None).await;
    let (address, hold) = relay(server.address).await;
    let settings = LineSettings { silence: Duration::from_millis(500), ..line_settings(address) };
    let line = Line::open(settings, who(Role::Empi, "e1"), Role::Uaop, None);
    up(&line).await;
    // pings keep it up
    line.ping(Duration::from_secs(5)).await.unwrap();
    hold.store(true, Relaxed);
    let lost = soon(line.submit(vec![offer("m1")])).await.unwrap_err();
    assert_eq!(lost, LineError::Lost("nothing heard for 500 ms".to_owned()));
    hold.store(false, Relaxed);
    up(&line).await;
    assert_eq!(soon(line.submit(vec![offer("m1")])).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let server = Server::start(who(Role::Uaop, "u1"), Desk::new(), None).await;
    let name = Address::Name { host: "localhost".to_owned(), port: server.address.port() };
    let settings = LineSettings { server: name, ..line_settings(server.address) };
    let line = Line::open(settings, who(Role::Center, "c1"), Role::Uaop, None);
    up(&line).await;
}

#[tokio::test]
async fn where_nobody_listens_the_reason_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let line = Line::open(line_settings(address), who(Role::Empi, "e1"), Role::Uaop, None);
    down(&line, "refused").await;
}
