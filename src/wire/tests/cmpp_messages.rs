//! CMPP in the common words: what one end says is what the other end reads, over the bytes of both versions.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use domain::event::ReportState;
use domain::{Disposition, Stamp};
use wire::cmpp::auth::Authenticator;
use wire::cmpp::connect::ConnectResp;
use wire::cmpp::deliver::{Content, Deliver, DeliverResp};
use wire::cmpp::msg_id::MsgId;
use wire::cmpp::{Cmpp, Pdu, command};
use wire::counted::Counted;
use wire::error::DecodeError;
use wire::exchange::{Answer, Incoming, MessageId, Mo, Profile, Report, Submit};
use wire::protocol::{Cannot, Credentials, Messages, Protocol, Refusal, Role, Secret, Version};
use wire::text::Text;

const VERSIONS: [Version; 3] = [Version(0x20), Version(0x21), Version(0x30)];
const STAMP: Stamp = Stamp { year: 2026, month: 3, day: 1, hour: 9, minute: 46, second: 37 };

#[test]
fn a_carrier_reads_the_submit_that_a_customer_writes() {
    let whole = submit();
    let part = Submit {
        destinations: vec![text("13800138000"), text("8613800138001")],
        coding: 8,
        header: true,
        part: 2,
        parts: 3,
        content: vec![5, 0, 3, 7, 3, 2, 0, 0],
        report: false.into(),
        priority: 0,
        valid_until: text("261123094637032+"),
        ..submit()
    };
    let most = Submit { destinations: vec![text("1"); 99], content: vec![b'x'; 159], ..submit() };
    for version in VERSIONS {
        for submit in [&whole, &part, &most] {
            let pdu = over_the_wire(version, Cmpp::submit(submit, &profile()));
            assert_eq!(Cmpp::read_submit(&pdu).as_ref(), Some(submit));
            assert_eq!(Cmpp::role(&pdu), Role::Request);
        }
    }
}

#[test]
fn a_submit_says_what_its_account_says() {
    let Pdu::Submit(named) = Cmpp::submit(&submit(), &profile()) else { panic!("a submit") };
    assert_eq!(named.msg_src.as_bytes(), b"901234");
    assert_eq!(named.service_id.as_bytes(), b"svc");
    assert_eq!((named.fee_type.as_bytes(), named.fee_code.as_bytes()), (b"02" as &[u8], b"10" as &[u8]));

    let Pdu::Submit(free) = Cmpp::submit(&submit(), &Profile::default()) else { panic!("a submit") };
    assert_eq!((free.fee_type.as_bytes(), free.fee_code.as_bytes()), (b"01" as &[u8], b"000000" as &[u8]));
    assert_eq!((free.fee_user_type, free.msg_id.0), (2, 0));
}

#[test]
fn a_submit_that_leaves_its_parts_at_zero_is_whole() {
    let Pdu::Submit(mut pdu) = Cmpp::submit(&submit(), &profile()) else { panic!("a submit") };
    (pdu.pk_number, pdu.pk_total) = (0, 0);
    assert_eq!(Cmpp::read_submit(&pdu.into()), Some(submit()));
}

#[test]
fn a_customer_reads_the_answer_that_a_carrier_writes() {
    let id = Cmpp::message_id(7, 1001, 65_536 + 5, STAMP);
    assert_eq!(id, Cmpp::message_id(8, 1001, 5, STAMP));
    for version in VERSIONS {
        for (code, id) in [(0, Some(id)), (8, None), (107, Some(id)), (255, None)] {
            let answer = Answer { code, id };
            let pdu = over_the_wire(version, Cmpp::answer(&answer));
            assert_eq!(Cmpp::read_answer(7, &pdu), Some(answer));
            assert_eq!(Cmpp::role(&pdu), Role::Answer);
        }
    }
}

#[test]
fn a_customer_reads_the_report_that_a_carrier_writes() {
    for version in VERSIONS {
        for (state, word) in [
            (ReportState::Delivered, "DELIVRD"),
            (ReportState::Waiting, "ACCEPTD"),
            (ReportState::Failed, "MB:0069"),
            (ReportState::Failed, "EXPIRED"),
        ] {
            let incoming = Incoming::Report(Report { state, word: text(word), ..report() });
            let pdu = over_the_wire(version, Cmpp::deliver(&incoming, STAMP).unwrap());
            assert_eq!(Cmpp::read_deliver(1, &pdu), Some(Ok(incoming)));
            assert_eq!(Cmpp::role(&pdu), Role::Request);
        }
    }
}

#[test]
fn a_report_gets_the_word_of_its_state_and_the_time_if_it_has_none() {
    let bare = Report { word: Text::EMPTY, done: Text::EMPTY, id: None, ..report() };
    for (state, word) in [
        (ReportState::Delivered, "DELIVRD"),
        (ReportState::Waiting, "ACCEPTD"),
        (ReportState::Failed, "UNDELIV"),
    ] {
        assert_eq!(Cmpp::state_word(state), (text(word), Text::EMPTY));
        let pdu = Cmpp::deliver(&Incoming::Report(Report { state, ..bare.clone() }), STAMP).unwrap();
        let read = Report { state, word: text(word), done: text("2603010946"), ..bare.clone() };
        assert_eq!(Cmpp::read_deliver(1, &pdu), Some(Ok(Incoming::Report(read))));
    }
}

#[test]
fn a_receipt_of_60_bytes_in_version_3_is_read_and_one_of_neither_length_is_an_error() {
    let Pdu::Deliver(mut deliver) = Cmpp::deliver(&Incoming::Report(report()), STAMP).unwrap() else {
        panic!("a deliver")
    };
    let Content::Receipt(receipt) = &mut deliver.content else { panic!("a receipt") };
    receipt.foreign = true;
    let version = Version(0x30);
    let pdu = over_the_wire(version, deliver.clone().into());
    assert_eq!(encoded(version, &pdu).len(), 109 + 60);
    assert_eq!(Cmpp::read_deliver(1, &pdu), Some(Ok(Incoming::Report(report()))));

    let octets = Counted::cut(vec![b'x'; 59]);
    let broken = Deliver { content: Content::Octets { registered_delivery: 1, octets }, ..deliver };
    let pdu = over_the_wire(version, broken.into());
    let error = DecodeError::Short { field: "receipt", need: 60, have: 59 };
    assert_eq!(Cmpp::read_deliver(1, &pdu), Some(Err(error)));
}

#[test]
fn a_customer_reads_the_message_of_a_user_and_the_carrier_its_answer() {
    let message = Mo {
        id: id(2),
        source: text("13800138000"),
        destination: text("1069000001"),
        coding: 15,
        header: true,
        content: vec![b'T', b'D', 0, 0xff],
        link_id: text("0000"),
    };
    let incoming = Incoming::Mo(message);
    for version in VERSIONS {
        let request = over_the_wire(version, Cmpp::deliver(&incoming, STAMP).unwrap());
        assert_eq!(Cmpp::read_deliver(1, &request), Some(Ok(incoming.clone())));
        for code in [0, 9] {
            let pdu = over_the_wire(version, Cmpp::deliver_answer(&request, code));
            assert_eq!(Cmpp::read_deliver_answer(&pdu), Some(code));
            let (Pdu::Deliver(request), Pdu::DeliverResp(answer)) = (&request, &pdu) else { panic!("both") };
            assert_eq!(answer.msg_id, request.msg_id);
        }
    }
}

#[test]
fn a_pdu_of_another_kind_is_none_of_these() {
    let probe = Cmpp::probe().unwrap();
    assert_eq!(Cmpp::read_submit(&probe), None);
    assert_eq!(Cmpp::read_answer(1, &probe), None);
    assert_eq!(Cmpp::read_deliver(1, &probe), None);
    assert_eq!(Cmpp::read_deliver_answer(&probe), None);
    assert_eq!(Cmpp::read_login(&probe), None);
    assert!(Cmpp::read_welcome(&probe, &probe, &secret()).is_err());
    assert!(!Cmpp::proves(&probe, &secret()));
    // The state of a user has no PDU.
    let state = Incoming::UserState { user: text("1"), condition: 0 };
    assert_eq!(Cmpp::deliver(&state, STAMP), None);
}

#[test]
fn a_server_knows_its_customer_and_the_customer_its_server() {
    for version in VERSIONS {
        for id in ["901234", "9012"] {
            let login = over_the_wire(version, Cmpp::login(&credentials(id, version), STAMP));
            let read = Cmpp::read_login(&login).unwrap();
            assert_eq!((read.id, read.version), (text(id), version));
            assert!(Cmpp::proves(&login, &secret()));
            assert!(!Cmpp::proves(&login, &Secret("other".to_owned())));

            let answer = over_the_wire(version, Cmpp::welcome(&login, 0, version, &secret()));
            let welcome = Cmpp::read_welcome(&login, &answer, &secret()).unwrap();
            assert_eq!((welcome.status, welcome.version, welcome.authentic), (0, Some(version), true));
            let other = Cmpp::read_welcome(&login, &answer, &Secret("other".to_owned())).unwrap();
            assert!(!other.authentic);
        }
    }
}

#[test]
fn a_refusal_has_the_layout_that_the_client_knows() {
    for (client, server) in [(Version(0x20), Version(0x30)), (Version(0x30), Version(0x20))] {
        let login = over_the_wire(client, Cmpp::login(&credentials("901234", client), STAMP));
        let status = Cmpp::refusal(Refusal::Version);
        let answer = encoded(server, &Cmpp::welcome(&login, status, server, &secret()));
        assert_eq!(answer.len(), if client == Version(0x20) { 30 } else { 33 });
        let Ok(Pdu::ConnectResp(ConnectResp { status, version, foreign, .. })) =
            Cmpp::decode(client, &answer)
        else {
            panic!("an answer to a login");
        };
        assert_eq!((status, version, foreign), (4, server, false));
    }
}

#[test]
fn a_welcome_in_another_versions_layout_is_an_error_and_a_refusal_in_it_says_its_status() {
    for (client, server) in [(Version(0x20), Version(0x30)), (Version(0x30), Version(0x20))] {
        let login = Cmpp::login(&credentials("901234", client), STAMP);
        let answer = |status| {
            let answer =
                ConnectResp { status, authenticator: Authenticator::ZERO, version: server, foreign: false };
            Cmpp::decode(client, &encoded(server, &answer.into())).unwrap()
        };
        let why = Cmpp::read_welcome(&login, &answer(0), &secret()).unwrap_err();
        assert!(why.contains("another version's layout"), "{why}");
        assert_eq!(Cmpp::read_welcome(&login, &answer(3), &secret()).unwrap().status, 3);
    }
}

#[test]
fn what_cannot_be_served_is_answered_in_its_kind() {
    let code = |command, why| match Cmpp::cannot(command, &[], why) {
        Some(Pdu::SubmitResp(answer)) => Some((command::SUBMIT, answer.result)),
        Some(Pdu::DeliverResp(answer)) => Some((command::DELIVER, answer.result)),
        Some(Pdu::FwdResp(answer)) => Some((command::FWD, answer.result)),
        Some(Pdu::CancelResp(answer)) => Some((command::CANCEL, answer.success)),
        Some(Pdu::ConnectResp(answer)) => Some((command::CONNECT, answer.status)),
        Some(pdu) => panic!("{pdu:?}"),
        None => None,
    };
    for (why, result) in [(Cannot::Read, 1), (Cannot::Serve, 2), (Cannot::Sequence, 3), (Cannot::Window, 8)] {
        assert_eq!(code(command::SUBMIT, why), Some((command::SUBMIT, result)));
        assert_eq!(code(command::DELIVER, why), Some((command::DELIVER, result)));
        assert_eq!(code(command::CANCEL, why), Some((command::CANCEL, 1)));
    }
    assert_eq!(code(command::FWD, Cannot::Serve), Some((command::FWD, 9)));
    assert_eq!(code(command::CONNECT, Cannot::Read), Some((command::CONNECT, 1)));
    assert_eq!(code(command::QUERY, Cannot::Serve), None);
    assert_eq!(code(0x10, Cannot::Serve), None);
}

#[test]
fn a_delivery_that_cannot_be_read_is_named_if_its_id_is_there() {
    for (body, msg_id) in [(&[7; 40][..], MsgId(0x0707_0707_0707_0707)), (&[7; 7], MsgId(0))] {
        let refusal = DeliverResp { msg_id, result: 1 };
        assert_eq!(Cmpp::cannot(command::DELIVER, body, Cannot::Read), Some(refusal.into()));
    }
}

#[test]
fn a_busy_end_asks_to_slow_down() {
    assert_eq!(Cmpp::meaning(Cmpp::busy()).disposition, Disposition::SlowDown);
    assert_eq!(Cmpp::report_meaning(&report()).disposition, Disposition::Accepted);
    assert_eq!(Cmpp::login_meaning(Cmpp::refusal(Refusal::Authentication)).english, "authentication failed");
}

#[test]
fn a_command_between_gateways_is_not_for_us_and_its_answer_is_nobodys() {
    let unknown = |command| Cmpp::role(&Pdu::Unknown { command, body: Vec::new() });
    assert_eq!(unknown(0x10), Role::Unknown);
    assert_eq!(unknown(command::response(0x10)), Role::Answer);
}

/// `pdu` as the other end has it.
fn over_the_wire(version: Version, pdu: Pdu) -> Pdu {
    let read = Cmpp::decode(version, &encoded(version, &pdu)).unwrap();
    assert_eq!(read, pdu);
    read
}

fn encoded(version: Version, pdu: &Pdu) -> Vec<u8> {
    let mut out = Vec::new();
    Cmpp::encode(version, 7, pdu, &mut out);
    out
}

fn submit() -> Submit {
    Submit {
        source: text("1069000001"),
        destinations: vec![text("13800138000")],
        coding: 0,
        header: false,
        part: 1,
        parts: 1,
        content: b"hello".to_vec(),
        report: true.into(),
        priority: 9,
        valid_until: Text::EMPTY,
    }
}

fn profile() -> Profile {
    Profile {
        enterprise: text("901234"),
        service: text("svc"),
        fee_type: text("02"),
        fee_code: text("10"),
        ..Profile::default()
    }
}

fn report() -> Report {
    Report {
        about: id(1),
        id: Some(id(2)),
        state: ReportState::Delivered,
        word: text("DELIVRD"),
        error: Text::EMPTY,
        destination: text("13800138000"),
        source: text("1069000001"),
        submitted: text("2611230946"),
        done: text("2611230947"),
    }
}

fn credentials(id: &str, version: Version) -> Credentials {
    Credentials { id: text(id), secret: secret(), version, mode: 0, node: 0 }
}

fn secret() -> Secret {
    Secret("1234".to_owned())
}

fn id(sequence: u64) -> MessageId {
    MessageId::new(sequence.to_be_bytes())
}

fn text<const N: usize>(text: &str) -> Text<N> {
    text.parse().unwrap()
}
