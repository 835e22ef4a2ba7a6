//! Bytes that anybody may send: into the codecs, and into a session in each of its states.

use std::fmt::Write as _;
use std::sync::Arc;

use domain::Stamp;
use wire::cmpp::Cmpp;
use wire::exchange::{Incoming, Profile, Submit};
use wire::frame::Frames;
use wire::protocol::{Messages, Moment, Version};
use wire::session::{Event, Limits, Numbers, Session};
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use super::{Choices, credentials, encoded, limits, secret, start};

/// The first byte chooses protocol and version, the second the session, the third how the stream is cut; the limits
/// follow, then the stream.
pub fn bytes(input: &[u8]) {
    let mut choices = Choices::new(input);
    match choices.below(6) {
        0 => stream::<Cmpp>(Version(0x20), choices),
        1 => stream::<Cmpp>(Version(0x30), choices),
        2 => stream::<Sgip>(Version(0x12), choices),
        3 => stream::<Smgp>(Version(0x13), choices),
        4 => stream::<Smgp>(Version(0x20), choices),
        _ => stream::<Smgp>(Version(0x30), choices),
    }
}

fn stream<P: Messages>(version: Version, mut choices: Choices<'_>) {
    let place = choices.below(5);
    let cut = usize::from(choices.byte()) + 1;
    let limits = limits(&mut choices);
    let stream = choices.rest();

    pdu::<P>(version, stream);
    let mut frames = Frames::new(P::HEADER, P::LONGEST);
    frames.extend(stream);
    while let Ok(Some(frame)) = frames.take() {
        pdu::<P>(version, frame);
    }

    let now = start();
    let numbers = || Arc::new(Numbers::starting_at(7));
    let mut client = Session::<P>::client(credentials(version, 1), limits, numbers(), now);
    let mut server = Session::<P>::server(version, 2, limits, numbers(), now);
    if place > 1 {
        log_in(&mut client, &mut server, version, limits, now);
    }
    if place == 4 {
        client.terminate(now);
    }
    let session = if matches!(place, 0 | 3) { &mut server } else { &mut client };
    for piece in stream.chunks(cut) {
        session.receive(piece);
        while let Some(event) = session.poll(now) {
            answer(session, event, version, limits, now);
        }
        assert!(session.deadline().is_none_or(|deadline| deadline > now.instant));
    }
    // What it has to say can be read.
    let mut said = Frames::new(P::HEADER, P::LONGEST);
    said.extend(session.output());
    while let Some(frame) = said.take().expect("a frame of a length in range") {
        P::decode(version, frame).expect("a frame that can be read");
    }
    assert_eq!(said.buffered(), 0);
}

/// Checks one frame; it may be anything.
fn pdu<P: Messages>(version: Version, frame: &[u8]) {
    let (sequence, command) = P::header(frame);
    let Ok(pdu) = P::decode(version, frame) else {
        return;
    };
    let again = encoded::<P>(version, sequence, &pdu);
    assert_eq!(P::header(&again), (sequence, command));
    let once = P::decode(version, &again).expect("what we send can be read");
    if once != pdu {
        // An answer may have the layout of CMPP 3.0, with a code that 2.0 cannot say: 255 there.
        let answer = command & 0x8000_0000 != 0;
        assert!(P::NAME == "CMPP" && version < Version(0x30) && answer, "what was read comes back");
        let twice = P::decode(version, &encoded::<P>(version, sequence, &once));
        assert!(twice.as_ref() == Ok(&once));
    }
    if frame.len() <= P::LONGEST as usize {
        assert!(again.len() <= P::LONGEST as usize, "{} bytes of {}", again.len(), frame.len());
    }
    let mut shown = String::new();
    write!(shown, "{pdu:?}").expect("into a string");
    assert!(!shown.is_empty());
    messages::<P>(version, sequence, &once);
}

/// What the common words say of a PDU, made a PDU again, says the same.
fn messages<P: Messages>(version: Version, sequence: P::Sequence, pdu: &P::Pdu) {
    let again = |pdu: &P::Pdu| {
        let frame = encoded::<P>(version, sequence, pdu);
        P::decode(version, &frame).expect("what we send can be read")
    };
    if let Some(submit) = P::read_submit(pdu) {
        let profile = Profile::default();
        // Numbers take the standard's form, priorities the protocol's range: once.
        let once = P::read_submit(&again(&P::submit(&submit, &profile))).expect("a submit");
        assert_eq!(once.destinations.len(), submit.destinations.len());
        let (destinations, priority) = (once.destinations.clone(), once.priority);
        // A part beyond the last is of no message.
        let part = if submit.part > submit.parts { once.part } else { submit.part };
        assert!(once == Submit { destinations, priority, part, ..submit });
        let twice = P::read_submit(&again(&P::submit(&once, &profile))).expect("a submit");
        assert!(twice == once);
    }
    if let Some(answer) = P::read_answer(sequence, pdu) {
        let once = P::read_answer(sequence, &again(&P::answer(&answer))).expect("an answer");
        assert_eq!(once, answer);
        assert!(!P::meaning(answer.code).english.is_empty());
    }
    if let Some(Ok(incoming)) = P::read_deliver(sequence, pdu) {
        let read = |pdu: &P::Pdu| P::read_deliver(sequence, pdu).map(|read| read.expect("a whole receipt"));
        let written =
            |incoming: &Incoming| P::deliver(incoming, Stamp::default()).expect("what was read can be said");
        if let Some(once) = read(&again(&written(&incoming))) {
            let twice = read(&again(&written(&once)));
            assert!(twice.as_ref() == Some(&once));
            match (&incoming, &once) {
                (Incoming::Report(report), Incoming::Report(once)) => {
                    assert_eq!((once.about, once.state), (report.about, report.state));
                    assert!(once.destination == report.destination);
                }
                (one, other) => assert!(one == other),
            }
        }
    }
    if let Some(code) = P::read_deliver_answer(pdu) {
        let once = P::read_deliver_answer(&again(&P::deliver_answer(pdu, code)));
        assert_eq!(once, Some(code));
    }
}

fn log_in<P: Messages>(
    client: &mut Session<P>,
    server: &mut Session<P>,
    version: Version,
    limits: Limits,
    now: Moment,
) {
    server.receive(client.output());
    client.sent(client.output().len());
    while let Some(event) = server.poll(now) {
        answer(server, event, version, limits, now);
    }
    client.receive(server.output());
    server.sent(server.output().len());
    while client.poll(now).is_some() {}
    assert!(client.is_up() && server.is_up());
}

fn answer<P: Messages>(
    session: &mut Session<P>,
    event: Event<P>,
    version: Version,
    limits: Limits,
    now: Moment,
) {
    match event {
        // Refused if the secret is wrong.
        Event::Login(_) => drop(session.accept(&secret(), version, limits, now)),
        Event::Request { sequence, pdu } => session.respond(sequence, &P::deliver_answer(&pdu, 0)),
        _ => {}
    }
}
