//! What each event does in each state.

use std::fmt::Write;
use std::time::Duration;

use super::pair::{C, T, VERSION, client, drain, later, limits, request, secret, sent, server, start, up};
use super::toy::{Pdu, Toy, frame};
use crate::protocol::{Moment, Refusal};
use crate::session::{Limits, Session};

type Toys = Session<Toy<true>>;
type Make = fn(Moment) -> Toys;
type Do = fn(&mut Toys, Moment);

const LOGIN: Duration = Duration::from_secs(10);

const STATES: [(&str, Make); 8] = [
    ("LoggingIn (client)", |now| client(limits(), now)),
    ("AwaitingLogin (server)", |now| server(limits(), now)),
    ("Deciding (server)", deciding),
    ("Up (client)", |now| up(limits(), now)),
    ("Up (server)", |now| {
        let mut session = deciding(now);
        session.accept(&secret(), VERSION, limits(), now).unwrap();
        drain(&mut session, now);
        session
    }),
    ("Up, all unanswered", unanswered),
    ("Ending, all unanswered", |now| {
        let mut session = unanswered(now);
        session.terminate(now);
        session
    }),
    ("Over", |now| {
        let mut session = client(limits(), now);
        session.terminate(now);
        drain(&mut session, now);
        session
    }),
];

const EVENTS: [(&str, Do); 21] = [
    ("login", |session, _| session.receive(&frame(9, &login()))),
    ("login answer 0", |session, _| session.receive(&frame(9, &Pdu::LoginAnswer { status: 0, proof: 0 }))),
    ("login answer 1", |session, _| session.receive(&frame(9, &Pdu::LoginAnswer { status: 1, proof: 0 }))),
    ("probe", |session, _| session.receive(&frame(9, &Pdu::Probe))),
    ("probe answer", |session, _| session.receive(&frame(101, &Pdu::ProbeAnswer))),
    ("terminate", |session, _| session.receive(&frame(9, &Pdu::Terminate))),
    ("terminate answer", |session, _| session.receive(&frame(9, &Pdu::TerminateAnswer))),
    ("request", |session, _| session.receive(&frame(9, &Pdu::Request(1)))),
    ("request 8, repeated", |session, _| session.receive(&frame(8, &Pdu::Request(1)))),
    ("request 8, other", |session, _| session.receive(&frame(8, &Pdu::Request(2)))),
    ("answer 102", |session, _| session.receive(&frame(102, &Pdu::Answer(1)))),
    ("unknown", |session, _| session.receive(&frame(9, &Pdu::Unknown(0x99)))),
    ("malformed", |session, _| session.receive(&[0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 9])),
    ("bad length", |session, _| session.receive(&[0xff; 4])),
    ("call accept", |session, now| _ = session.accept(&secret(), VERSION, limits(), now)),
    ("call refuse", |session, now| session.refuse(Refusal::Mode, now)),
    ("call request", |session, now| _ = session.request(300, Pdu::Request(3), now)),
    ("call respond", |session, _| session.respond(8, &Pdu::Answer(3))),
    ("call terminate", |session, now| session.terminate(now)),
    ("time", |session, now| {
        let due = session.deadline().map_or(Duration::ZERO, |deadline| deadline - now.instant);
        session.tick(later(now, due));
    }),
    ("time for all", |session, now| session.tick(later(now, LOGIN + C + T * 4))),
];

#[test]
fn every_event_has_its_effect_in_every_state() {
    let mut table = String::new();
    for (state, make) in STATES {
        writeln!(table, "{state}").unwrap();
        for (event, apply) in EVENTS {
            let now = start();
            let mut session = make(now);
            sent(&mut session);
            apply(&mut session, now);
            let told = drain(&mut session, now);
            let name = session.state.name();
            let sent = sent(&mut session);
            writeln!(table, "    {event}: {name}\n        told {told:?}\n        sent {sent:?}").unwrap();
        }
    }
    insta::assert_snapshot!("states_and_events", table);
}

fn login() -> Pdu {
    Pdu::Login { id: "901234".parse().unwrap(), proof: 202 }
}

fn deciding(now: Moment) -> Toys {
    let mut session = server(limits(), now);
    session.receive(&frame(7, &login()));
    drain(&mut session, now);
    session
}

/// Request 8 of the peer, our probe 101 and our request 102 are open; another of each would be too many.
fn unanswered(now: Moment) -> Toys {
    let mut session = up(Limits { window: 1, inbound: 1, ..limits() }, now);
    session.receive(&frame(8, &Pdu::Request(1)));
    drain(&mut session, now);
    let now = later(now, C);
    drain(&mut session, now);
    assert_eq!(request(&mut session, 1, now), 102);
    session
}
