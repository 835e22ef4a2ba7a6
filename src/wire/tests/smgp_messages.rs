//! SMGP: what a gateway and a carrier say to each other arrives as it was said.

use domain::Stamp;
use domain::event::ReportState;
use proptest::collection::vec;
use proptest::prelude::*;
use wire::counted::Counted;
use wire::exchange::{Answer, Incoming, MessageId, Mo, Profile, Report, Submit};
use wire::protocol::{Cannot, Credentials, Messages, Protocol, Refusal, Role, Secret, Version};
use wire::smgp::deliver::{Deliver, DeliverResp, REPORT};
use wire::smgp::msg_id::MsgId;
use wire::smgp::pdu::Pdu;
use wire::smgp::tlv::{self, Tlvs};
use wire::smgp::{Smgp, V1_3, V3_0, codes, command};
use wire::text::Text;

const STAMP: Stamp = Stamp { year: 2026, month: 3, day: 1, hour: 9, minute: 47, second: 31 };

proptest! {
    #[test]
    fn a_submit_arrives_as_it_was_said(submit in submit(), profile in profile(), old: bool) {
        let pdu = over_the_wire(&Smgp::submit(&submit, &profile), if old { V1_3 } else { V3_0 });
        prop_assert_eq!(Smgp::read_submit(&pdu), Some(submit));
    }

    #[test]
    fn an_answer_arrives_as_it_was_said(code: u32, id: Option<[u8; 10]>) {
        let id = id.filter(|id| *id != [0; 10]).map(MessageId::new);
        let pdu = over_the_wire(&Smgp::answer(&Answer { code, id }), V3_0);
        prop_assert_eq!(Smgp::read_answer(1, &pdu), Some(Answer { code, id }));
    }

    #[test]
    fn a_report_arrives_as_it_was_said(report in report()) {
        let incoming = Incoming::Report(report);
        let pdu = over_the_wire(&Smgp::deliver(&incoming, STAMP).unwrap(), V3_0);
        prop_assert_eq!(Smgp::read_deliver(1, &pdu), Some(Ok(incoming)));
    }

    #[test]
    fn a_users_message_arrives_as_it_was_said(mo in mo()) {
        let incoming = Incoming::Mo(mo);
        let pdu = over_the_wire(&Smgp::deliver(&incoming, STAMP).unwrap(), V3_0);
        prop_assert_eq!(Smgp::read_deliver(1, &pdu), Some(Ok(incoming)));
    }

    #[test]
    fn the_answer_to_a_delivery_has_its_id(mo in mo(), code: u32) {
        let request = Smgp::deliver(&Incoming::Mo(mo.clone()), STAMP).unwrap();
        let answer = over_the_wire(&Smgp::deliver_answer(&request, code), V3_0);
        prop_assert_eq!(Smgp::read_deliver_answer(&answer), Some(code));
        let Pdu::DeliverResp(answer) = answer else { panic!("no DELIVER_RESP") };
        prop_assert_eq!(MessageId::from(answer.msg_id), mo.id);
    }

    #[test]
    fn a_login_proves_its_secret_and_no_other(
        id in "[0-9]{1,8}", secret in "[ -~]{1,15}", wrong in "[ -~]{1,15}", mode in 0..3_u8,
    ) {
        prop_assume!(secret != wrong);
        let (secret, wrong) = (Secret(secret), Secret(wrong));
        let id = id.parse().unwrap();
        let credentials = Credentials { id, secret: secret.clone(), version: V3_0, mode, node: 0 };
        let login = over_the_wire(&Smgp::login(&credentials, STAMP), V3_0);
        prop_assert!(Smgp::proves(&login, &secret) && !Smgp::proves(&login, &wrong));
        let read = Smgp::read_login(&login).unwrap();
        prop_assert_eq!((read.id, read.version, read.mode), (id, V3_0, mode));

        let welcome = over_the_wire(&Smgp::welcome(&login, 0, V3_0, &secret), V3_0);
        prop_assert!(Smgp::read_welcome(&login, &welcome, &secret).unwrap().authentic);
        prop_assert!(!Smgp::read_welcome(&login, &welcome, &wrong).unwrap().authentic);
    }
}

#[test]
fn a_login_over_the_padded_name_is_believed_too() {
    let secret = Secret("1234".to_owned());
    let credentials = Credentials {
        id: "901234".parse().unwrap(),
        secret: secret.clone(),
        version: V3_0,
        mode: 2,
        node: 0,
    };
    let Pdu::Login(mut login) = Smgp::login(&credentials, STAMP) else { panic!("no LOGIN") };
    login.authenticator =
        wire::smgp::auth::Authenticator::client_padded(&login.client_id, &secret, login.timestamp);
    assert!(Smgp::proves(&Pdu::Login(login), &secret));
}

#[test]
fn who_is_refused_gets_no_authenticator_and_the_standards_code() {
    let secret = Secret("1234".to_owned());
    let credentials =
        Credentials { id: Text::EMPTY, secret: secret.clone(), version: V3_0, mode: 2, node: 0 };
    let login = Smgp::login(&credentials, STAMP);
    for (why, code) in [
        (Refusal::Authentication, 21),
        (Refusal::Mode, 21),
        (Refusal::Version, 22),
        (Refusal::TooManyConnections, 2),
        (Refusal::Repeated, 11),
        (Refusal::Address, 20),
    ] {
        assert_eq!(Smgp::refusal(why), code);
        let Pdu::LoginResp(answer) = Smgp::welcome(&login, code, V3_0, &secret) else {
            panic!("no LOGIN_RESP")
        };
        assert_eq!((answer.status, answer.authenticator.0), (code, [0; 16]));
    }
}

#[test]
fn a_plain_short_message_has_no_optional_parameters() {
    let plain = plain();
    let Pdu::Submit(pdu) = Smgp::submit(&plain, &Profile::default()) else { panic!("no SUBMIT") };
    assert!(pdu.tlvs.is_empty());
    assert_eq!((pdu.msg_type, pdu.fee_type.field(), pdu.fee_code.field()), (6, b"00", b"000000"));
    assert_eq!(pdu.fixed_fee.field(), b"000000");
}

#[test]
fn the_accounts_codes_are_padded_and_parts_are_numbered() {
    let profile = Profile {
        enterprise: "1234".parse().unwrap(),
        product: "112000000000061090527".parse().unwrap(),
        ..Profile::default()
    };
    let part = Submit { header: true, part: 2, parts: 3, ..plain() };
    let Pdu::Submit(pdu) = Smgp::submit(&part, &profile) else { panic!("no SUBMIT") };
    let tlvs: Vec<_> = pdu.tlvs.iter().collect();
    let expected: [(u16, &[u8]); 5] = [
        (tlv::TP_UDHI.0, &[1]),
        (tlv::PK_TOTAL.0, &[3]),
        (tlv::PK_NUMBER.0, &[2]),
        (tlv::MSG_SRC.0, b"1234\0\0\0\0"),
        (tlv::M_SERVICE_ID.0, b"112000000000061090527"),
    ];
    assert_eq!(tlvs, expected);
}

#[test]
fn no_part_of_none_is_the_only_part() {
    let Pdu::Submit(mut pdu) = Smgp::submit(&plain(), &Profile::default()) else { panic!("no SUBMIT") };
    pdu.tlvs.push_number(tlv::PK_TOTAL, 0);
    pdu.tlvs.push_number(tlv::PK_NUMBER, 0);
    let read = Smgp::read_submit(&Pdu::Submit(pdu)).unwrap();
    assert_eq!((read.part, read.parts, read.header), (1, 1, false));
}

#[test]
fn priorities_from_0_to_9_are_four() {
    let priority = |priority| match Smgp::submit(&Submit { priority, ..plain() }, &Profile::default()) {
        Pdu::Submit(pdu) => pdu.priority,
        other => panic!("{other:?}"),
    };
    assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 255].map(priority), [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3]);
}

#[test]
fn whether_a_users_message_has_a_header_says_the_parameter_and_not_the_bytes() {
    let mut deliver = deliver(b"\x05\x00\x03\x01\x02\x01ab");
    let header = |deliver: &Deliver| match Smgp::read_deliver(1, &Pdu::Deliver(deliver.clone())) {
        Some(Ok(Incoming::Mo(mo))) => mo.header,
        other => panic!("{other:?}"),
    };
    assert!(!header(&deliver));
    deliver.tlvs.push_number(tlv::TP_UDHI, 1);
    assert!(header(&deliver));
}

#[test]
fn a_report_that_nobody_can_read_is_an_error() {
    let mut deliver = deliver(b"id:0123456789 sub:001");
    deliver.is_report = REPORT;
    assert!(matches!(Smgp::read_deliver(1, &Pdu::Deliver(deliver)), Some(Err(_))));
}

#[test]
fn a_report_without_an_id_of_its_own_has_that_of_the_submit() {
    let about = MessageId::new([7; 10]);
    let pdu = Smgp::deliver(
        &Incoming::Report(Report {
            about,
            id: None,
            state: ReportState::Delivered,
            word: "DELIVRD".parse().unwrap(),
            error: "000".parse().unwrap(),
            destination: Text::EMPTY,
            source: Text::EMPTY,
            submitted: Text::EMPTY,
            done: Text::EMPTY,
        }),
        STAMP,
    )
    .unwrap();
    let Some(Ok(Incoming::Report(report))) = Smgp::read_deliver(1, &pdu) else { panic!("no report") };
    assert_eq!((report.about, report.id), (about, Some(about)));
}

#[test]
fn a_delivery_tells_when_it_came() {
    let Pdu::Deliver(pdu) = Smgp::deliver(
        &Incoming::Mo(Mo {
            id: MessageId::new([1; 10]),
            source: Text::EMPTY,
            destination: Text::EMPTY,
            coding: 0,
            header: false,
            content: Vec::new(),
            link_id: Text::EMPTY,
        }),
        STAMP,
    )
    .unwrap() else {
        panic!("no DELIVER")
    };
    assert_eq!(pdu.recv_time.as_bytes(), b"20260301094731");
    assert!(pdu.tlvs.is_empty());
}

#[test]
fn the_state_of_a_user_has_no_pdu() {
    let incoming = Incoming::UserState { user: Text::EMPTY, condition: 0 };
    assert_eq!(Smgp::deliver(&incoming, STAMP), None);
}

#[test]
fn the_carriers_words_for_a_state_are_read_as_that_state() {
    for state in [ReportState::Delivered, ReportState::Failed, ReportState::Waiting] {
        let (word, error) = Smgp::state_word(state);
        let pdu =
            Smgp::deliver(&Incoming::Report(Report { word, error, state, ..a_report() }), STAMP).unwrap();
        let Some(Ok(Incoming::Report(read))) = Smgp::read_deliver(1, &pdu) else { panic!("no report") };
        assert_eq!((read.state, read.word, read.error), (state, word, error));
        let disposition = Smgp::report_meaning(&read).disposition;
        assert_eq!(disposition == domain::Disposition::Final, state == ReportState::Failed);
    }
}

#[test]
fn ids_of_a_carrier_count_up_in_decimal() {
    let ids = [9, 10, 999_999, 1_000_000].map(|count| Smgp::message_id(1, 10_061, count, STAMP).to_string());
    let expected =
        ["01006103010947000009", "01006103010947000010", "01006103010947999999", "01006103010947000000"];
    assert_eq!(ids, expected);
}

#[test]
fn what_cannot_be_served_is_answered_in_kind() {
    for (why, code) in [
        (Cannot::Read, codes::STRUCTURE),
        (Cannot::Serve, codes::REQUEST_ID),
        (Cannot::Sequence, codes::SEQUENCE),
        (Cannot::Window, codes::BUSY),
    ] {
        let submit = Smgp::cannot(command::SUBMIT, &[], why).unwrap();
        assert_eq!(Smgp::read_answer(1, &submit), Some(Answer { code, id: None }));
        let deliver = Smgp::cannot(command::DELIVER, &[], why).unwrap();
        assert_eq!(Smgp::read_deliver_answer(&deliver), Some(code));
        for request in [command::LOGIN, command::SUBMIT, command::DELIVER, command::FORWARD] {
            assert_eq!(Smgp::cannot(request, &[], why).unwrap().command(), request | command::RESPONSE);
        }
    }
    for command in [command::QUERY, command::ACTIVE_TEST, command::SUBMIT_RESP, 0, 0x12, 0x99] {
        assert_eq!(Smgp::cannot(command, &[], Cannot::Serve), None);
    }
    assert_eq!(Smgp::busy(), codes::BUSY);
}

#[test]
fn a_delivery_that_cannot_be_read_is_named_if_its_id_is_there() {
    for (body, msg_id) in [(&[7; 40][..], MsgId([7; 10])), (&[7; 9], MsgId::NONE)] {
        let refusal = Pdu::DeliverResp(DeliverResp { msg_id, status: 10 });
        assert_eq!(Smgp::cannot(command::DELIVER, body, Cannot::Read), Some(refusal));
    }
}

#[test]
fn what_only_gateways_say_to_each_other_is_unknown_and_its_answers_are_answers() {
    let unknown = |command| Smgp::role(&Pdu::Unknown { command, body: Vec::new() });
    assert_eq!((unknown(0x0d), unknown(0x8000_000d)), (Role::Unknown, Role::Answer));
    let probe = [Smgp::probe(), Smgp::probe_answer()].map(|pdu| Smgp::role(&pdu.unwrap()));
    assert_eq!(probe, [Role::Probe, Role::ProbeAnswer]);
    let end = [Smgp::terminate(), Smgp::terminate_answer()].map(|pdu| Smgp::role(&pdu));
    assert_eq!(end, [Role::Terminate, Role::TerminateAnswer]);
}

#[test]
fn no_number_and_no_text_shows_in_a_log() {
    let submit = Submit { content: b"TOPSECRET".to_vec(), ..plain() };
    let mo = Incoming::Mo(Mo {
        id: MessageId::new([1; 10]),
        source: "13800138000".parse().unwrap(),
        destination: Text::EMPTY,
        coding: 0,
        header: false,
        content: b"TOPSECRET".to_vec(),
        link_id: Text::EMPTY,
    });
    let report = Incoming::Report(Report { destination: "13800138000".parse().unwrap(), ..a_report() });
    let unknown = Pdu::Unknown { command: command::RESPONSE | 0x0c, body: b"13800138000".to_vec() };
    for pdu in [
        Smgp::submit(&submit, &Profile::default()),
        Smgp::deliver(&mo, STAMP).unwrap(),
        Smgp::deliver(&report, STAMP).unwrap(),
        unknown,
    ] {
        let shown = format!("{pdu:?}");
        assert!(!shown.contains("13800138000") && !shown.contains("SECRET"), "{shown}");
        assert!(!shown.contains("49, 51, 56") && !shown.contains("84, 79, 80"), "{shown}");
    }
}

fn over_the_wire(pdu: &Pdu, version: Version) -> Pdu {
    let mut frame = Vec::new();
    Smgp::encode(version, 7, pdu, &mut frame);
    assert!(frame.len() <= Smgp::LONGEST as usize);
    Smgp::decode(version, &frame).expect("what was written")
}

fn plain() -> Submit {
    Submit {
        source: "1069000001".parse().expect("fits the field"),
        destinations: vec!["13800138000".parse().expect("fits the field")],
        coding: 0,
        header: false,
        part: 1,
        parts: 1,
        content: b"hello".to_vec(),
        report: true.into(),
        priority: 0,
        valid_until: Text::EMPTY,
    }
}

fn deliver(content: &[u8]) -> Deliver {
    Deliver {
        msg_id: MsgId([1; 10]),
        is_report: 0,
        msg_format: 0,
        recv_time: Text::EMPTY,
        src_term_id: Text::EMPTY,
        dest_term_id: Text::EMPTY,
        msg_content: Counted::cut(content.iter().copied()),
        reserve: [0; 8],
        tlvs: Tlvs::default(),
    }
}

fn a_report() -> Report {
    Report {
        about: MessageId::new([7; 10]),
        id: Some(MessageId::new([8; 10])),
        state: ReportState::Delivered,
        word: "DELIVRD".parse().expect("fits the field"),
        error: "000".parse().expect("fits the field"),
        destination: "1".parse().expect("fits the field"),
        source: "2".parse().expect("fits the field"),
        submitted: "2603010947".parse().expect("fits the field"),
        done: "2603010948".parse().expect("fits the field"),
    }
}

fn text<const N: usize>(longest: usize) -> impl Strategy<Value = Text<N>> {
    vec(b'!'..=b'~', 0..=longest).prop_map(|bytes| Text::new(&bytes).expect("fits the field"))
}

fn id() -> impl Strategy<Value = MessageId> {
    any::<[u8; 10]>().prop_map(MessageId::new)
}

fn submit() -> impl Strategy<Value = Submit> {
    (
        text(21),
        vec(text(21), 0..=100),
        any::<u8>(),
        any::<[bool; 2]>(),
        (1..=255_u8, 1..=255_u8),
        vec(any::<u8>(), 0..=255),
        0..4_u8,
        text(17),
    )
        .prop_map(
            |(source, destinations, coding, [header, report], parts, content, level, valid_until)| {
                Submit {
                    source,
                    destinations,
                    coding,
                    header,
                    part: parts.0.min(parts.1),
                    parts: parts.1,
                    content,
                    report: report.into(),
                    // One of each of the protocol's four.
                    priority: 3 * level,
                    valid_until,
                }
            },
        )
}

fn profile() -> impl Strategy<Value = Profile> {
    (text(8), text(10), text(21), text(2), text(6)).prop_map(
        |(enterprise, service, product, fee_type, fee_code)| Profile {
            enterprise,
            service,
            product,
            fee_type,
            fee_code,
            node: 0,
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let stat = prop_oneof![Just("DELIVRD"), Just("ACCEPTD"), Just("EXPIRED"), Just("MB:0069")];
    (id(), id(), stat, text(3), text(21), text(21), text(10), text(10)).prop_map(
        |(about, id, stat, error, destination, source, submitted, done)| Report {
            about,
            id: Some(id),
            state: codes::report_state(stat.as_bytes()),
            word: stat.parse().expect("fits the field"),
            error,
            destination,
            source,
            submitted,
            done,
        },
    )
}

fn mo() -> impl Strategy<Value = Mo> {
    (id(), text(21), text(21), any::<u8>(), any::<bool>(), vec(any::<u8>(), 0..=255), text(20)).prop_map(
        |(id, source, destination, coding, header, content, link_id)| Mo {
            id,
            source,
            destination,
            coding,
            header,
            content,
            link_id,
        },
    )
}
