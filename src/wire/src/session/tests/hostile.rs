//! Peers that break the rules, or only their bytes.

use std::sync::Arc;
use std::time::Duration;

use super::pair::{C, client, drain, later, limits, request, secret, sent, server, start, up};
use super::toy::{Pdu, cannot, command, frame};
use crate::cmpp::Cmpp;
use crate::error::{DecodeError, FrameError};
use crate::protocol::{Cannot, Credentials, Protocol, Version};
use crate::session::{BACKLOG, Down, Event, Limits, Numbers, Oddity, Session};

/// One longest frame and one piece of the stream.
const HELD: usize = 64 + 4096;

#[test]
fn a_flooding_peer_holds_up_neither_a_repeat_nor_a_probe() {
    let begin = start();
    for probing in [false, true] {
        let idle = probing.then_some(C);
        let mut session = up::<true>(Limits { idle, ..limits() }, begin);
        let flood: Vec<u8> = (0..1000).flat_map(|i| frame(i, &Pdu::Request(0))).collect();
        session.receive(&flood);
        let begin = later(begin, C);
        assert!(matches!(session.poll(begin), Some(Event::Request { .. })));
        let sequence = request(&mut session, 1, begin);
        let probes = |session: &mut _| sent(session).iter().filter(|(_, pdu)| *pdu == Pdu::Probe).count();
        let mut probed = probes(&mut session);
        assert_eq!(probed, usize::from(probing), "what is due goes first");

        let mut told = Vec::new();
        for second in 1..=180 {
            // Never polled to the end: a frame comes for each that is taken.
            session.receive(&frame(second, &Pdu::Request(1)));
            let event = session.poll(later(begin, Duration::from_secs(1) * second));
            told.extend(
                event.filter(|event| !matches!(event, Event::Oddity(_))).map(|event| (second, event)),
            );
            probed += probes(&mut session);
        }
        let again = |tries| Event::Repeated { sequence, tries };
        let requests = told.extract_if(.., |(_, event)| matches!(event, Event::Request { .. })).count();
        assert_eq!(told, [(60, again(2)), (120, again(3)), (180, Event::Unanswered { sequence })]);
        assert_eq!((probed, requests), (usize::from(probing), 3), "the flood was read on the way");
    }
}

#[test]
fn input_is_wanted_until_more_than_one_longest_frame_waits() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let mut held = 0;
    while session.wants_input() {
        session.receive(&frame(0, &Pdu::Probe));
        held = held.max(session.input.buffered());
    }
    assert!((65..=HELD).contains(&held));
    assert_eq!(drain(&mut session, now), []);
    assert!(session.wants_input());
}

#[test]
fn a_peer_that_does_not_take_its_answers_is_read_no_further() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let flood: Vec<u8> = (0..100).flat_map(|i| frame(i, &Pdu::Probe)).collect();
    let mut rounds = 0;
    while session.wants_input() {
        session.receive(&flood);
        assert_eq!(drain(&mut session, now), []);
        rounds += 1;
        assert!(rounds < 1000, "it is read for ever");
    }
    assert!(session.has_backlog());
    assert!(session.output().len() < 4 * BACKLOG + 2 * flood.len());
    session.sent(session.output().len() - BACKLOG);
    assert!(session.wants_input() && session.has_backlog());
    session.sent(1);
    assert!(!session.has_backlog());
}

#[test]
fn a_request_that_cannot_be_read_is_answered_so_and_the_stream_goes_on() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    for (body, error) in [
        (&[][..], DecodeError::Short { field: "content", need: 1, have: 0 }),
        (&[1, 2, 3][..], DecodeError::Trailing { extra: 2 }),
    ] {
        session.receive(&raw(12 + u32::try_from(body.len()).unwrap(), 4, 9, body));
        let malformed = Oddity::Malformed { sequence: 9, command: 4, error };
        assert_eq!(drain(&mut session, now), [Event::Oddity(malformed)]);
        assert_eq!(sent(&mut session), [(9, cannot(Cannot::Read))]);
    }
    session.receive(&raw(12, 0x8000_0004, 9, &[]));
    assert!(matches!(drain(&mut session, now)[..], [Event::Oddity(Oddity::Malformed { .. })]));
    assert_eq!(sent(&mut session), [], "an answer is not answered");
    session.receive(&frame(9, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now), [Event::Request { sequence: 9, pdu: Pdu::Request(1) }]);
}

#[test]
fn a_delivery_that_cannot_be_read_is_refused_by_its_id() {
    let now = start();
    let version = Version(0x20);
    let credentials =
        Credentials { id: "901234".parse().unwrap(), secret: secret(), version, mode: 0, node: 0 };
    let mut session =
        Session::<Cmpp>::client(credentials, limits(), Arc::new(Numbers::starting_at(100)), now);
    let login = Cmpp::decode(version, session.output()).unwrap();
    let mut welcome = Vec::new();
    Cmpp::encode(version, 100, &Cmpp::welcome(&login, 0, version, &secret()), &mut welcome);
    session.receive(&welcome);
    assert!(matches!(session.poll(now), Some(Event::Up(_))));
    session.sent(session.output().len());
    session.receive(&raw(23, 5, 9, &[1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0]));
    assert!(matches!(session.poll(now), Some(Event::Oddity(Oddity::Malformed { .. }))));
    assert_eq!(session.output(), raw(21, 0x8000_0005, 9, &[1, 2, 3, 4, 5, 6, 7, 8, 1]));
}

#[test]
fn a_login_that_cannot_be_read_ends_the_session() {
    let now = start();
    for (mut session, command) in
        [(server::<true>(limits(), now), 1), (client::<true>(limits(), now), 0x8000_0001)]
    {
        session.receive(&raw(13, command, 9, &[0]));
        assert!(matches!(drain(&mut session, now)[..], [Event::Down(Down::BadLogin(_))]));
    }
}

#[test]
fn an_unknown_command_is_left_alone_or_ends_the_session_as_the_protocol_wants() {
    let now = start();
    let unknown = Pdu::Unknown(0x99);
    let mut forgiving = up::<true>(limits(), now);
    forgiving.receive(&frame(9, &unknown));
    let oddity = Oddity::Unknown { sequence: 9, command: command(&unknown) };
    assert_eq!(drain(&mut forgiving, now), [Event::Oddity(oddity)]);
    assert_eq!(sent(&mut forgiving), []);

    for mut session in [up::<false>(limits(), now), server(limits(), now)] {
        session.receive(&frame(9, &unknown));
        assert_eq!(drain(&mut session, now), [Event::Down(Down::UnknownCommand(0x99))]);
    }
}

#[test]
fn a_frame_of_a_length_out_of_range_ends_the_session_in_every_state() {
    let now = start();
    let mut tried = 0;
    for length in (0..12).chain([65, 66, 0x0101_0101, 0x7fff_ffff, u32::MAX]) {
        let (logging_in, awaiting) = (client::<true>(limits(), now), server(limits(), now));
        let mut ending = up(limits(), now);
        ending.terminate(now);
        for mut session in [logging_in, awaiting, ending, up(limits(), now)] {
            let sequence = session.is_up().then(|| request(&mut session, 1, now));
            session.receive(&length.to_be_bytes());
            let error = FrameError::Length { length, least: 12, most: 64 };
            assert_eq!(drain(&mut session, now), [Event::Down(Down::Frame(error))]);
            assert_eq!(session.unanswered().next(), sequence);
            tried += 1;
        }
    }
    assert_eq!(tried, 17 * 4);
}

#[test]
fn a_frame_of_every_length_in_range_is_read_or_answered_and_never_loses_step() {
    let now = start();
    for length in 12..=64 {
        for command in [1, 2, 4, 8, 0x99, 0x8000_0001, 0x8000_0002, 0x8000_0004, 0x8000_0008, u32::MAX] {
            let mut session = up::<true>(limits(), now);
            session.receive(&raw(length, command, 9, &vec![0; length as usize - 12]));
            session.receive(&frame(10, &Pdu::Request(1)));
            let told = drain(&mut session, now);
            let last = told.last();
            let expected = if (command, length) == (2, 12) {
                Event::Down(Down::PeerTerminated)
            } else {
                Event::Request { sequence: 10, pdu: Pdu::Request(1) }
            };
            assert_eq!(last, Some(&expected), "{command:#x} of {length} bytes");
        }
    }
}

#[test]
fn a_server_that_accepts_the_connection_and_says_nothing_is_given_up() {
    let now = start();
    let mut session = client::<true>(limits(), now);
    assert_eq!(drain(&mut session, now), []);
    let deadline = session.deadline().unwrap();
    let told = drain(&mut session, later(now, deadline - now.instant));
    assert_eq!(told, [Event::Down(Down::LoginTimeout)]);
}

#[test]
fn a_session_does_not_show_what_it_carries() {
    let now = start();
    let mut session = client::<true>(limits(), now);
    assert_eq!(format!("{session:?}"), "toy session, LoggingIn");
    session.terminate(now);
    drain(&mut session, now);
    assert_eq!(format!("{session:?}"), "toy session, Over");
}

fn raw(length: u32, command: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    [&length.to_be_bytes()[..], &command.to_be_bytes(), &sequence.to_be_bytes(), body].concat()
}
