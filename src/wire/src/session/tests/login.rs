use super::pair::{Pair, VERSION, client, drain, later, limits, request, secret, sent, server, start, up};
use super::toy::{Pdu, frame};
use crate::cmpp::connect::ConnectResp;
use crate::cmpp::{self, Cmpp};
use crate::protocol::{Credentials, Login, Protocol, Refusal, Secret, Version, Welcome};
use crate::session::{Down, Event, Limits, NotSent, Numbers, Session};
use std::sync::Arc;
use std::time::Duration;

use super::toy::Toy;

const LOGIN: Duration = Duration::from_secs(10);

#[test]
fn a_good_login_brings_both_ends_up() {
    for cut in [1, 2, 5, 1000] {
        let mut pair = Pair::new(limits());
        pair.cut = cut;
        assert!(!pair.client.is_up() && pair.client.free() == 0);
        pair.settle();
        let login = Login { id: "901234".parse().unwrap(), version: VERSION, mode: 0 };
        let welcome = Welcome { status: 0, version: Some(VERSION), authentic: true };
        assert_eq!(pair.told("server"), [Event::Login(login), Event::Up(welcome)]);
        assert_eq!(pair.told("client"), [Event::Up(Welcome { version: None, ..welcome })]);
        assert_eq!((pair.client.free(), pair.server.free()), (4, 4));
    }
}

#[test]
fn a_wrong_secret_is_refused_and_both_ends_are_over() {
    let mut pair = Pair::new(limits());
    pair.secret = Secret("4321x".to_owned());
    pair.settle();
    assert_eq!(pair.down("server"), Some(Down::Refused { status: 1 }));
    assert_eq!(pair.down("client"), Some(Down::Refused { status: 1 }));
    assert!(pair.client.is_over() && pair.server.is_over());
    assert_eq!(pair.client.deadline(), None);
}

#[test]
fn a_server_refuses_for_any_reason_before_it_is_up() {
    let now = start();
    let mut session = deciding(limits());
    session.refuse(Refusal::TooManyConnections, now);
    assert_eq!(drain(&mut session, now), [Event::Down(Down::Refused { status: 3 })]);
    assert_eq!(sent(&mut session), [(7, Pdu::LoginAnswer { status: 3, proof: 0 })]);

    let mut early = server::<true>(limits(), now);
    early.refuse(Refusal::Address, now);
    assert_eq!(drain(&mut early, now), [Event::Down(Down::Refused { status: 6 })]);
    assert_eq!(sent(&mut early), []);

    let mut client = up::<true>(limits(), now);
    client.refuse(Refusal::Address, now);
    assert_eq!(drain(&mut client, now), []);
    assert!(client.is_up());
}

#[test]
fn accepting_what_does_not_wait_does_nothing() {
    let now = start();
    for mut session in [server::<true>(limits(), now), client(limits(), now), up(limits(), now)] {
        sent(&mut session);
        assert_eq!(session.accept(&secret(), VERSION, limits(), now), Err(Refusal::Repeated));
        assert_eq!(drain(&mut session, now), []);
        assert_eq!(sent(&mut session), []);
    }
}

#[test]
fn the_limits_of_the_account_count_once_it_is_accepted() {
    let now = start();
    let mut session = deciding(limits());
    session.accept(&secret(), Version(0x30), Limits { window: 2, ..limits() }, now).unwrap();
    assert_eq!(session.deadline(), Some(session.now.instant), "there is something to tell at once");
    assert!(matches!(
        drain(&mut session, now)[..],
        [Event::Up(Welcome { version: Some(Version(0x30)), .. })]
    ));
    assert_eq!(session.free(), 2);
}

#[test]
fn nobody_waits_for_a_login_longer_than_agreed() {
    let now = start();
    for mut session in [client::<true>(limits(), now), server(limits(), now), deciding(limits())] {
        let now = later(now, Duration::from_millis(1));
        let early = later(now, LOGIN - Duration::from_millis(10));
        assert_eq!(drain(&mut session, early), []);
        let end = later(now, LOGIN);
        assert!(session.deadline().is_some_and(|deadline| deadline <= end.instant));
        assert_eq!(drain(&mut session, end), [Event::Down(Down::LoginTimeout)]);
    }
}

#[test]
fn a_login_answered_late_is_not_taken() {
    let mut pair = Pair::new(limits());
    let end = later(pair.now, LOGIN);
    pair.server.receive(pair.client.output());
    pair.now = end;
    assert_eq!(drain(&mut pair.client, end), [Event::Down(Down::LoginTimeout)]);
    pair.client.receive(&frame(100, &Pdu::LoginAnswer { status: 0, proof: 202 }));
    assert_eq!(drain(&mut pair.client, end), []);
    assert!(pair.client.is_over());
}

#[test]
fn the_answer_to_a_login_is_taken_under_any_sequence() {
    let now = start();
    let mut session = client::<true>(limits(), now);
    session.receive(&frame(99, &Pdu::LoginAnswer { status: 0, proof: 1 }));
    let welcome = Welcome { status: 0, version: None, authentic: false };
    assert_eq!(drain(&mut session, now), [Event::Up(welcome)], "a wrong authenticator is told, not refused");
}

#[test]
fn a_welcome_in_another_versions_layout_is_a_bad_login_that_says_so() {
    let now = start();
    let version = Version(0x20);
    let credentials =
        Credentials { id: "901234".parse().unwrap(), secret: secret(), version, mode: 0, node: 0 };
    let login = Cmpp::login(&credentials, now.stamp);
    for status in [0, 3] {
        let numbers = Arc::new(Numbers::starting_at(100));
        let mut session = Session::<Cmpp>::client(credentials.clone(), limits(), numbers, now);
        let welcome = Cmpp::welcome(&login, 0, Version(0x30), &secret());
        let cmpp::Pdu::ConnectResp(welcome) = welcome else { panic!("an answer to a login") };
        let mut answer = Vec::new();
        Cmpp::encode(Version(0x30), 100, &ConnectResp { status, ..welcome }.into(), &mut answer);
        session.receive(&answer);
        match session.poll(now) {
            Some(Event::Down(Down::BadLogin(why))) if status == 0 => {
                assert!(why.contains("another version's layout"), "{why}");
            }
            Some(Event::Down(Down::Refused { status: 3 })) if status == 3 => {}
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn what_comes_before_the_login_ends_it() {
    let early = [
        Pdu::Request(1),
        Pdu::Answer(1),
        Pdu::Probe,
        Pdu::ProbeAnswer,
        Pdu::TerminateAnswer,
        Pdu::Unknown(0x77),
    ];
    let now = start();
    for pdu in early {
        for mut session in [client::<true>(limits(), now), server(limits(), now), deciding(limits())] {
            session.receive(&frame(1, &pdu));
            let told = drain(&mut session, now);
            assert!(matches!(told[..], [Event::Down(Down::BadLogin(_))]), "{pdu:?}: {told:?}");
        }
    }
}

#[test]
fn a_second_login_is_refused_and_the_session_goes_on() {
    let mut pair = Pair::up(limits());
    let login = Pdu::Login { id: "901234".parse().unwrap(), proof: 202 };
    pair.server.receive(&frame(7, &login));
    assert!(matches!(drain(&mut pair.server, pair.now)[..], [Event::Oddity(_)]));
    assert_eq!(sent(&mut pair.server), [(7, Pdu::LoginAnswer { status: 5, proof: 0 })]);
    assert!(pair.server.is_up());
}

#[test]
fn nothing_is_sent_before_it_is_up() {
    let now = start();
    for mut session in [client::<true>(limits(), now), server(limits(), now), deciding(limits())] {
        sent(&mut session);
        assert_eq!(session.request(1, Pdu::Request(1), now), Err(NotSent::NotUp));
        session.respond(1, &Pdu::Answer(1));
        assert_eq!(sent(&mut session), []);
        session.terminate(now);
        assert_eq!(drain(&mut session, now), [Event::Down(Down::Terminated)]);
        assert_eq!(sent(&mut session), []);
    }
    let mut session = up::<true>(limits(), now);
    request(&mut session, 1, now);
    assert_eq!(sent(&mut session).len(), 1);
}

/// A server with a login of sequence 7 to decide about.
fn deciding(limits: Limits) -> Session<Toy<true>> {
    let now = start();
    let mut session = server(limits, now);
    session.receive(&frame(7, &Pdu::Login { id: "901234".parse().unwrap(), proof: 202 }));
    assert!(matches!(drain(&mut session, now)[..], [Event::Login(_)]));
    session
}
