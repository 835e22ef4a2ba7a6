use std::time::Duration;

use super::pair::{Pair, T, drain, later, limits, request, sent, start, up};
use super::toy::{Pdu, command, frame};
use crate::session::{Event, Limits, NotSent, Oddity};

#[test]
fn each_request_gets_its_answer_however_the_bytes_are_cut() {
    for cut in [1, 3, 13, 1000] {
        let mut pair = Pair::up(limits());
        pair.cut = cut;
        let sequences: Vec<u32> = (0..4).map(|i| request(&mut pair.client, i, pair.now)).collect();
        let back = request(&mut pair.server, 50, pair.now);
        assert_eq!(pair.client.free(), 0);
        pair.settle();
        let answers = pair.told("client");
        for (i, &sequence) in (0..).zip(&sequences) {
            let answer =
                Event::Answered { sequence, pdu: Pdu::Answer(i + 1), took: Duration::ZERO, tries: 1 };
            assert!(answers.contains(&answer), "{answers:?}");
        }
        assert!(pair.told("server").contains(&Event::Answered {
            sequence: back,
            pdu: Pdu::Answer(51),
            took: Duration::ZERO,
            tries: 1
        }));
        assert_eq!((pair.client.free(), pair.server.free()), (4, 4));
    }
}

#[test]
fn answers_are_matched_by_sequence_in_whatever_order_they_come() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let sequences = [1, 2, 3].map(|content| request(&mut session, content, now));
    let later = later(now, Duration::from_secs(2));
    for &sequence in sequences.iter().rev() {
        session.receive(&frame(sequence, &Pdu::Answer(9)));
        let took = Duration::from_secs(2);
        assert_eq!(
            drain(&mut session, later),
            [Event::Answered { sequence, pdu: Pdu::Answer(9), took, tries: 1 }]
        );
    }
    assert_eq!(session.unanswered().count(), 0);
}

#[test]
fn a_full_window_takes_no_more_until_an_answer_comes() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let first = request(&mut session, 0, now);
    (1..4).for_each(|content| _ = request(&mut session, content, now));
    let next = session.reserve(now);
    assert_eq!(session.request(next, Pdu::Request(4), now), Err(NotSent::WindowFull));
    assert_eq!(sent(&mut session).len(), 4, "nothing of it was sent");
    session.receive(&frame(first, &Pdu::Answer(0)));
    assert_eq!(drain(&mut session, now).len(), 1);
    assert_eq!(session.request(next, Pdu::Request(4), now), Ok(()));
}

#[test]
fn a_request_without_an_answer_goes_out_n_times_every_t_with_the_same_bytes() {
    let now = start();
    let mut session = up::<true>(Limits { idle: None, ..limits() }, now);
    let sequence = request(&mut session, 7, now);
    let bytes = session.output().to_vec();
    sent(&mut session);
    for tries in [2, 3] {
        let due = later(now, T * u32::from(tries - 1));
        assert_eq!(session.deadline(), Some(due.instant));
        assert_eq!(drain(&mut session, later(due, Duration::ZERO)), [Event::Repeated { sequence, tries }]);
        assert_eq!(session.output(), bytes);
        sent(&mut session);
        assert_eq!(session.unanswered().collect::<Vec<_>>(), [sequence]);
    }
    let end = later(now, T * 3);
    assert_eq!(drain(&mut session, end), [Event::Unanswered { sequence }]);
    assert_eq!(sent(&mut session), []);
    assert_eq!((session.free(), session.unanswered().count()), (4, 0));
    assert!(session.is_up(), "the session goes on");

    session.receive(&frame(sequence, &Pdu::Answer(7)));
    let stray = Oddity::Stray { sequence, command: command(&Pdu::Answer(7)) };
    assert_eq!(drain(&mut session, end), [Event::Oddity(stray)], "its answer comes too late");
}

#[test]
fn a_repeated_request_is_answered_once_with_its_tries_and_the_time_since_the_first() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let sequence = request(&mut session, 7, now);
    let again = later(now, T);
    assert_eq!(drain(&mut session, again), [Event::Repeated { sequence, tries: 2 }]);
    session.receive(&frame(sequence, &Pdu::Answer(8)));
    let answered =
        Event::Answered { sequence, pdu: Pdu::Answer(8), took: T + Duration::from_secs(1), tries: 2 };
    assert_eq!(drain(&mut session, later(again, Duration::from_secs(1))), [answered]);
}

#[test]
fn each_deadline_is_that_of_the_request_that_waits_longest() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    let second = Duration::from_secs(1);
    let first = request(&mut session, 0, now);
    let last = request(&mut session, 1, later(now, second));
    assert_eq!(session.deadline(), Some((now.instant) + T));
    assert_eq!(drain(&mut session, later(now, T)), [Event::Repeated { sequence: first, tries: 2 }]);
    assert_eq!(session.deadline(), Some(now.instant + second + T));
    session.receive(&frame(last, &Pdu::Answer(0)));
    assert_eq!(drain(&mut session, later(now, T)).len(), 1);
    assert_eq!(session.deadline(), Some(now.instant + T + T));
}

#[test]
fn an_answer_that_nobody_waits_for_is_dropped() {
    let now = start();
    let mut session = up::<true>(limits(), now);
    for pdu in
        [Pdu::Answer(1), Pdu::ProbeAnswer, Pdu::TerminateAnswer, Pdu::LoginAnswer { status: 1, proof: 0 }]
    {
        session.receive(&frame(12345, &pdu));
        let stray = Oddity::Stray { sequence: 12345, command: command(&pdu) };
        assert_eq!(drain(&mut session, now), [Event::Oddity(stray)]);
    }
    assert!(session.is_up());
    assert_eq!(sent(&mut session), []);
}

#[test]
fn tries_and_windows_of_zero_are_survived() {
    let now = start();
    let mut session = up::<true>(Limits { tries: 0, ..limits() }, now);
    let sequence = request(&mut session, 0, now);
    assert_eq!(drain(&mut session, later(now, T)), [Event::Unanswered { sequence }]);

    let mut session = up::<true>(Limits { window: 0, inbound: 0, ..limits() }, now);
    assert_eq!(session.request(1, Pdu::Request(0), now), Err(NotSent::WindowFull));
    session.receive(&frame(1, &Pdu::Request(0)));
    let excess = Event::Oddity(Oddity::WindowExceeded { sequence: 1 });
    assert_eq!(drain(&mut session, now), [excess]);
}

#[test]
fn a_clock_that_goes_back_is_taken_to_stand_still() {
    let start = start();
    let now = later(start, Duration::from_secs(100));
    let mut session = up::<true>(limits(), now);
    let first = request(&mut session, 0, now);
    let second = request(&mut session, 1, start);
    assert_eq!(session.deadline(), Some(now.instant + T));
    session.receive(&frame(second, &Pdu::Answer(0)));
    let took = Duration::ZERO;
    assert_eq!(
        drain(&mut session, start),
        [Event::Answered { sequence: second, pdu: Pdu::Answer(0), took, tries: 1 }]
    );
    assert_eq!(drain(&mut session, later(now, T)), [Event::Repeated { sequence: first, tries: 2 }]);
}

#[test]
fn a_wait_too_long_for_the_clock_is_no_limit() {
    let now = start();
    let forever =
        Limits { answer: Duration::MAX, idle: Some(Duration::MAX), login: Duration::MAX, ..limits() };
    let mut session = up::<true>(forever, now);
    request(&mut session, 0, now);
    assert_eq!(session.deadline(), None);
    session.terminate(now);
    assert_eq!(session.deadline(), None);
}
