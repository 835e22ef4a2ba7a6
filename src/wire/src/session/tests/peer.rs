//! What a peer asks.

use super::pair::{drain, limits, sent, start, up};
use super::toy::{Pdu, cannot, frame};
use crate::protocol::Cannot;
use crate::session::{Event, Limits, Oddity};

#[test]
fn a_request_that_comes_again_is_given_once_and_answered_each_time_with_the_same() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let asked = frame(5, &Pdu::Request(1));
    session.receive(&asked);
    assert_eq!(drain(&mut session, now), [Event::Request { sequence: 5, pdu: Pdu::Request(1) }]);

    let repeated = [Event::Oddity(Oddity::RequestRepeated { sequence: 5 })];
    session.receive(&asked);
    assert_eq!(drain(&mut session, now), repeated);
    assert_eq!(sent(&mut session), [], "there is no answer yet");

    session.respond(5, &Pdu::Answer(2));
    session.respond(5, &Pdu::Answer(3));
    assert_eq!(sent(&mut session), [(5, Pdu::Answer(2))], "one answer to one request");

    session.receive(&asked);
    assert_eq!(drain(&mut session, now), repeated);
    assert_eq!(sent(&mut session), [(5, Pdu::Answer(2))]);
}

#[test]
fn a_sequence_used_for_another_request_is_refused() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    session.receive(&frame(5, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now).len(), 1);
    let reused = [Event::Oddity(Oddity::SequenceReused { sequence: 5 })];
    session.receive(&frame(5, &Pdu::Request(2)));
    assert_eq!(drain(&mut session, now), reused);
    assert_eq!(sent(&mut session), [(5, cannot(Cannot::Sequence))]);

    session.respond(5, &Pdu::Answer(2));
    session.receive(&frame(5, &Pdu::Request(2)));
    assert_eq!(drain(&mut session, now), reused, "also after the first is answered");
    assert_eq!(sent(&mut session), [(5, Pdu::Answer(2)), (5, cannot(Cannot::Sequence))]);
}

#[test]
fn the_answers_to_as_many_requests_as_the_window_holds_are_kept() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    for sequence in 0..5 {
        session.receive(&frame(sequence, &Pdu::Request(1)));
        assert_eq!(drain(&mut session, now).len(), 1);
        session.respond(sequence, &Pdu::Answer(1));
    }
    session.receive(&frame(1, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now), [Event::Oddity(Oddity::RequestRepeated { sequence: 1 })]);
    session.receive(&frame(0, &Pdu::Request(1)));
    let new = Event::Request { sequence: 0, pdu: Pdu::Request(1) };
    assert_eq!(drain(&mut session, now), [new], "the fifth to last is forgotten");
}

#[test]
fn what_is_beyond_the_window_is_refused_and_may_come_again() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    for sequence in 0..5 {
        session.receive(&frame(sequence, &Pdu::Request(1)));
    }
    let told = drain(&mut session, now);
    assert_eq!(told.len(), 5);
    assert_eq!(told[4], Event::Oddity(Oddity::WindowExceeded { sequence: 4 }));
    assert_eq!(sent(&mut session), [(4, cannot(Cannot::Window))]);

    session.receive(&frame(2, &Pdu::Request(1)));
    let repeated = Event::Oddity(Oddity::RequestRepeated { sequence: 2 });
    assert_eq!(drain(&mut session, now), [repeated], "a repeat is none too many");

    session.respond(0, &Pdu::Answer(1));
    session.receive(&frame(4, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now), [Event::Request { sequence: 4, pdu: Pdu::Request(1) }]);
}

#[test]
fn a_peer_may_have_more_requests_unanswered_than_this_end_may() {
    let now = start();
    let mut session = up::<true>(Limits { window: 1, inbound: 40, ..limits() }, now);
    for sequence in 0..40 {
        session.receive(&frame(sequence, &Pdu::Request(1)));
        assert_eq!(drain(&mut session, now), [Event::Request { sequence, pdu: Pdu::Request(1) }]);
    }
    assert_eq!(session.free(), 1);
    session.receive(&frame(40, &Pdu::Request(1)));
    let excess = Event::Oddity(Oddity::WindowExceeded { sequence: 40 });
    assert_eq!(drain(&mut session, now), [excess], "it is bounded all the same");
}

#[test]
fn a_request_left_without_an_answer_takes_no_place_and_its_repeats_are_dropped() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    for sequence in 0..40 {
        session.receive(&frame(sequence, &Pdu::Request(1)));
        assert_eq!(drain(&mut session, now), [Event::Request { sequence, pdu: Pdu::Request(1) }]);
        session.ignore(sequence);
    }
    session.respond(3, &Pdu::Answer(1));
    session.receive(&frame(3, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now), [Event::Oddity(Oddity::RequestRepeated { sequence: 3 })]);
    assert_eq!(sent(&mut session), []);

    session.receive(&frame(40, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now).len(), 1);
    session.respond(40, &Pdu::Answer(1));
    assert_eq!(sent(&mut session), [(40, Pdu::Answer(1))]);
}

#[test]
fn an_answer_to_what_was_not_asked_is_not_sent() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    session.respond(5, &Pdu::Answer(2));
    assert_eq!(sent(&mut session), []);
}

#[test]
fn the_two_directions_may_use_the_same_sequence() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let sequence = super::pair::request(&mut session, 9, now);
    session.receive(&frame(sequence, &Pdu::Request(1)));
    session.receive(&frame(sequence, &Pdu::Answer(1)));
    let told = drain(&mut session, now);
    assert!(matches!(told[..], [Event::Request { .. }, Event::Answered { .. }]), "{told:?}");
}
