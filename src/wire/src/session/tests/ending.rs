use super::pair::{Pair, T, drain, later, limits, request, sent, start, up};
use super::toy::{Pdu, frame};
use crate::session::{Down, Event, NotSent};

#[test]
fn either_end_can_end_the_session() {
    for client_ends in [true, false] {
        let mut pair = Pair::up(limits());
        let (ender, other) = if client_ends { ("client", "server") } else { ("server", "client") };
        let session = if client_ends { &mut pair.client } else { &mut pair.server };
        session.terminate(pair.now);
        assert!(!session.is_up() && !session.is_over());
        pair.settle();
        assert_eq!(pair.down(ender), Some(Down::Terminated));
        assert_eq!(pair.down(other), Some(Down::PeerTerminated));
        assert!(pair.client.is_over() && pair.server.is_over());
    }
}

#[test]
fn both_ends_can_end_the_session_at_once() {
    let mut pair = Pair::up(limits());
    pair.client.terminate(pair.now);
    pair.server.terminate(pair.now);
    pair.settle();
    assert_eq!(pair.down("client"), Some(Down::Terminated));
    assert_eq!(pair.down("server"), Some(Down::Terminated));
}

#[test]
fn an_end_that_nobody_answers_comes_after_t() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    session.terminate(now);
    assert_eq!(drain(&mut session, now), []);
    assert_eq!(session.deadline(), Some(now.instant + T));
    assert_eq!(drain(&mut session, later(now, T)), [Event::Down(Down::Terminated)]);
    assert_eq!(sent(&mut session).len(), 1, "TERMINATE goes out once");
}

#[test]
fn the_answer_to_our_end_is_taken_under_any_sequence() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    session.terminate(now);
    session.receive(&frame(4711, &Pdu::TerminateAnswer));
    assert_eq!(drain(&mut session, now), [Event::Down(Down::Terminated)]);
}

#[test]
fn while_ending_answers_and_requests_still_come_but_nothing_new_goes_out() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let answered = request(&mut session, 1, now);
    let open = request(&mut session, 2, now);
    session.terminate(now);
    session.terminate(now);
    assert_eq!(session.request(1, Pdu::Request(3), now), Err(NotSent::NotUp));
    assert_eq!(session.free(), 0);
    assert_eq!(sent(&mut session).len(), 3);

    session.receive(&frame(answered, &Pdu::Answer(1)));
    session.receive(&frame(5, &Pdu::Request(9)));
    session.receive(&frame(6, &Pdu::Probe));
    let told = drain(&mut session, now);
    assert!(matches!(told[..], [Event::Answered { .. }, Event::Request { .. }]), "{told:?}");
    session.respond(5, &Pdu::Answer(10));
    assert_eq!(sent(&mut session), [(6, Pdu::ProbeAnswer), (5, Pdu::Answer(10))]);

    assert_eq!(drain(&mut session, later(now, T)), [Event::Down(Down::Terminated)], "none is repeated");
    assert_eq!(session.unanswered().collect::<Vec<_>>(), [open]);
}

#[test]
fn the_end_by_the_peer_is_answered_and_leaves_what_is_unanswered_listed() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let open = [1, 2].map(|content| request(&mut session, content, now));
    sent(&mut session);
    session.receive(&frame(77, &Pdu::Terminate));
    session.receive(&frame(open[0], &Pdu::Answer(1)));
    assert_eq!(drain(&mut session, now), [Event::Down(Down::PeerTerminated)]);
    assert_eq!(sent(&mut session), [(77, Pdu::TerminateAnswer)]);
    assert_eq!(session.unanswered().collect::<Vec<_>>(), open);
    assert!(session.is_over() && !session.wants_input());
}

#[test]
fn once_it_is_over_nothing_happens_any_more() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    session.terminate(now);
    sent(&mut session);
    assert_eq!(drain(&mut session, later(now, T)).len(), 1);
    session.receive(&frame(1, &Pdu::Request(1)));
    session.terminate(now);
    session.respond(1, &Pdu::Answer(1));
    assert_eq!(drain(&mut session, later(now, T * 100)), []);
    assert_eq!((session.deadline(), session.output()), (None, &b""[..]));
    assert_eq!(session.input.buffered(), 0, "what comes is dropped");
}
