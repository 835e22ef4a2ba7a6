//! The PDUs that a message causes.

use domain::Stamp;
use domain::event::ReportState;
use wire::exchange::{Answer, Incoming, Mo, Profile, Report, Submit};
use wire::protocol::Messages;
use wire::text::Text;

/// One PDU.
pub struct Sample<P: Messages> {
    pub name: &'static str,
    pub sequence: P::Sequence,
    pub pdu: P::Pdu,
}

const STAMP: Stamp = Stamp { year: 2026, month: 3, day: 1, hour: 12, minute: 30, second: 15 };

/// A full message of 70 characters to one number, its answer, its report and a short message of a user.
pub fn all<P: Messages>() -> Vec<Sample<P>> {
    let sequence = P::sequence(4_711, 3_010_012_345, STAMP);
    let id = P::message_id(sequence, 1_001, 17, STAMP);
    let number = |digits: &str| Text::cut(digits.as_bytes());
    let submit = Submit {
        source: number("1065800001"),
        destinations: vec![number("8613800138000")],
        coding: 8,
        header: false,
        part: 1,
        parts: 1,
        content: [0x88, 0x4c].repeat(70),
        report: true.into(),
        priority: 1,
        valid_until: Text::EMPTY,
    };
    let profile = Profile {
        enterprise: Text::cut(b"901234"),
        service: Text::cut(b"BANK"),
        node: 3_010_012_345,
        ..Profile::default()
    };
    let report = Report {
        about: id,
        id: Some(id),
        state: ReportState::Delivered,
        word: Text::cut(b"DELIVRD"),
        error: Text::cut(b"000"),
        destination: Text::cut(b"8613800138000"),
        source: number("1065800001"),
        submitted: Text::cut(b"2603011230"),
        done: Text::cut(b"2603011230"),
    };
    let mo = Mo {
        id,
        source: Text::cut(b"8613800138000"),
        destination: number("1065800001"),
        coding: 8,
        header: false,
        content: [0x88, 0x4c].repeat(12),
        link_id: Text::EMPTY,
    };
    let sample = |name, pdu: Option<P::Pdu>| pdu.map(|pdu| Sample { name, sequence, pdu });
    let samples = [
        sample("submit", Some(P::submit(&submit, &profile))),
        sample("submit answer", Some(P::answer(&Answer { code: 0, id: Some(id) }))),
        sample("deliver", P::deliver(&Incoming::Mo(mo), STAMP)),
        sample("report", P::deliver(&Incoming::Report(report), STAMP)),
    ];
    samples.into_iter().flatten().collect()
}
