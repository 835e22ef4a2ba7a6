use std::time::Duration;

use super::pair::{C, Pair, T, drain, later, limits, request, sent, start, up};
use super::toy::{Pdu, frame};
use crate::session::{Down, Event, Limits};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn both_ends_probe_a_silent_peer_and_stay_up_while_it_answers() {
    let mut pair = Pair::up(limits());
    let probes: fn(&Pdu) -> bool = |pdu| matches!(pdu, Pdu::Probe | Pdu::ProbeAnswer);
    pair.passes = probes;
    pair.wait(C * 20);
    assert!(pair.client.is_up() && pair.server.is_up());
    assert_eq!(pair.told, []);
}

#[test]
fn each_end_sends_its_own_probe() {
    let now = start();
    let mut pair = Pair::up(limits());
    let due = later(pair.now, C);
    for session in [&mut pair.client, &mut pair.server] {
        assert_eq!(session.deadline(), Some(due.instant));
        assert_eq!(drain(session, due), []);
        assert!(matches!(sent(session)[..], [(_, Pdu::Probe)]));
        assert_eq!(session.free(), 4, "it takes no place in the window");
    }
    let mut alone = up::<true>(Limits { idle: None, ..limits() }, now);
    assert_eq!(drain(&mut alone, later(now, C * 10)), []);
    assert_eq!(sent(&mut alone), []);
}

#[test]
fn a_peer_that_says_nothing_is_given_up_after_n_probes() {
    let mut pair = Pair::up(limits());
    pair.passes = |_| false;
    pair.wait(C + T * 3 - Duration::from_millis(1));
    assert!(pair.client.is_up());
    pair.wait(Duration::from_millis(1));
    assert_eq!(pair.down("client"), Some(Down::ProbesUnanswered));
    assert_eq!(pair.down("server"), Some(Down::ProbesUnanswered));
}

#[test]
fn a_probe_goes_out_again_under_the_same_sequence_until_it_is_answered() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let mut seen = Vec::new();
    for due in [later(now, C), later(now, C + T), later(now, C + T * 2)] {
        assert_eq!(session.deadline(), Some(due.instant));
        assert_eq!(drain(&mut session, due), []);
        seen.append(&mut sent(&mut session));
    }
    assert_eq!(seen, [(101, Pdu::Probe), (101, Pdu::Probe), (101, Pdu::Probe)]);
    let answered = later(now, C + T * 2);
    session.receive(&frame(101, &Pdu::ProbeAnswer));
    assert_eq!(drain(&mut session, answered), []);
    assert_eq!(session.deadline(), Some((answered.instant) + C), "the silence begins anew");
}

#[test]
fn a_probe_answered_with_the_same_probe_is_answered() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let due = later(now, C);
    assert_eq!(drain(&mut session, due), []);
    sent(&mut session);
    session.receive(&frame(101, &Pdu::Probe));
    assert_eq!(drain(&mut session, due), []);
    assert_eq!(sent(&mut session), [(101, Pdu::ProbeAnswer)]);
    assert_eq!(session.deadline(), Some(due.instant + C));
}

#[test]
fn any_traffic_of_the_peer_puts_a_probe_off() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    for minutes in 1..20 {
        let now = later(now, MINUTE * minutes * 2);
        session.receive(&frame(minutes, &Pdu::Probe));
        assert_eq!(drain(&mut session, now), []);
        assert_eq!(sent(&mut session), [(minutes, Pdu::ProbeAnswer)]);
        assert_eq!(session.deadline(), Some(now.instant + C));
    }
}

#[test]
fn whatever_the_peer_sends_settles_a_probe_and_its_late_answer_is_none_too_many() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let due = later(now, C);
    assert_eq!(drain(&mut session, due), []);
    assert_eq!(sent(&mut session), [(101, Pdu::Probe)]);
    session.receive(&frame(5, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, due), [Event::Request { sequence: 5, pdu: Pdu::Request(1) }]);
    assert_eq!(session.deadline(), Some(due.instant + C), "it is not sent again");
    session.receive(&frame(101, &Pdu::ProbeAnswer));
    assert_eq!(drain(&mut session, due), []);

    assert_eq!(drain(&mut session, later(due, C)), []);
    assert_eq!(sent(&mut session), [(102, Pdu::Probe)], "the next silence has a probe of its own");
}

#[test]
fn without_probes_a_silence_ends_the_session() {
    let now = start();
    let limits = Limits { idle_end: Some(MINUTE), ..limits() };
    let mut session = up::<false>(limits, now);
    let due = later(now, MINUTE);
    assert_eq!(session.deadline(), Some(due.instant), "there is no probe to send");
    assert_eq!(drain(&mut session, due), []);
    assert!(matches!(sent(&mut session)[..], [(_, Pdu::Terminate)]));
    session.receive(&frame(99, &Pdu::TerminateAnswer));
    assert_eq!(drain(&mut session, due), [Event::Down(Down::IdleEnd)]);
}

#[test]
fn a_silence_does_not_end_the_session_while_a_request_of_ours_is_unanswered() {
    let now = start();
    let limits = Limits { idle_end: Some(MINUTE), tries: 2, answer: MINUTE * 2, ..limits() };
    let mut session = up::<false>(limits, now);
    let sequence = request(&mut session, 1, now);
    sent(&mut session);
    assert_eq!(drain(&mut session, later(now, MINUTE)), []);
    assert_eq!(drain(&mut session, later(now, MINUTE * 2)), [Event::Repeated { sequence, tries: 2 }]);
    let given_up = later(now, MINUTE * 4);
    assert_eq!(drain(&mut session, given_up), [Event::Unanswered { sequence }]);
    assert_eq!(session.deadline(), Some(given_up.instant + MINUTE));
    sent(&mut session);
    assert_eq!(drain(&mut session, later(given_up, MINUTE)), []);
    assert!(matches!(sent(&mut session)[..], [(_, Pdu::Terminate)]));
}

#[test]
fn a_silence_does_not_end_the_session_while_the_peer_waits_for_us() {
    let now = start();
    let mut session = up::<false>(Limits { idle_end: Some(MINUTE), ..limits() }, now);
    session.receive(&frame(5, &Pdu::Request(1)));
    assert_eq!(drain(&mut session, now).len(), 1);
    let later = later(now, MINUTE * 10);
    assert_eq!(drain(&mut session, later), []);
    session.respond(5, &Pdu::Answer(1));
    assert_eq!(sent(&mut session), [(5, Pdu::Answer(1))]);
    assert_eq!(session.deadline(), Some(later.instant + MINUTE));
}
