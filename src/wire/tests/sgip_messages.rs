//! SGIP in the three protocols' common words: logins, submits, reports, messages of users.

use domain::event::ReportState;
use domain::{Disposition, Stamp};
use proptest::collection::vec;
use proptest::prelude::*;
use wire::exchange::{Answer, Incoming, MessageId, Mo, Profile, Report, ReportWish, Submit};
use wire::protocol::{Cannot, Credentials, Messages, Protocol, Refusal, Role, Secret};
use wire::sgip::resp::Resp;
use wire::sgip::unbind::UnbindResp;
use wire::sgip::{Pdu, Sequence, Sgip, VERSION, command, submit};
use wire::text::Text;

const STAMP: Stamp = Stamp { year: 2026, month: 11, day: 23, hour: 9, minute: 48, second: 34 };
const SEQUENCE: Sequence = Sequence { node: 3_010_012_345, time: 1_123_094_834, number: 7 };

#[test]
fn a_login_proves_its_password_and_no_other() {
    let login = Sgip::login(&credentials("1234"), STAMP);
    let read = Sgip::read_login(&login).unwrap();
    assert_eq!((read.id, read.version, read.mode), (text("901234"), VERSION, 1));
    assert!(Sgip::proves(&login, &secret("1234")));
    for wrong in ["", "123", "12345", "1234\0", "1234 "] {
        assert!(!Sgip::proves(&login, &secret(wrong)), "{wrong:?}");
    }
    assert!(!Sgip::proves(&Sgip::login(&credentials(""), STAMP), &secret("\0")));
    assert!(!Sgip::proves(&Sgip::terminate(), &secret("")));
}

#[test]
fn a_password_is_as_long_as_its_field() {
    let login = Sgip::login(&credentials("0123456789abcdef and more"), STAMP);
    assert!(Sgip::proves(&login, &secret("0123456789abcdef and more")));
    assert!(!Sgip::proves(&login, &secret("0123456789abcde")));
}

#[test]
fn a_login_does_not_show_its_password() {
    let shown = format!("{:?}", Sgip::login(&credentials("sesame"), STAMP));
    assert!(shown.contains("901234") && !shown.contains("sesame"), "{shown}");
}

#[test]
fn a_server_says_what_is_wrong_with_a_login() {
    let login = Sgip::login(&credentials("1234"), STAMP);
    for (why, status) in [
        (Refusal::Authentication, 1),
        (Refusal::Version, 1),
        (Refusal::Address, 1),
        (Refusal::Repeated, 2),
        (Refusal::TooManyConnections, 3),
        (Refusal::Mode, 4),
    ] {
        assert_eq!(Sgip::refusal(why), status);
        let answer = Sgip::welcome(&login, status, VERSION, &secret("1234"));
        let welcome = Sgip::read_welcome(&login, &answer, &secret("1234")).unwrap();
        assert_eq!((welcome.status, welcome.version, welcome.authentic), (status, None, true));
        assert_ne!(Sgip::login_meaning(status).disposition, Disposition::Accepted);
    }
    assert!(Sgip::read_welcome(&login, &Pdu::SubmitResp(Resp::new(0)), &secret("")).is_err());
}

#[test]
fn there_is_no_heartbeat_and_unbind_ends() {
    assert_eq!((Sgip::probe(), Sgip::probe_answer()), (None, None));
    assert_eq!(Sgip::role(&Sgip::terminate()), Role::Terminate);
    assert_eq!(Sgip::role(&Sgip::terminate_answer()), Role::TerminateAnswer);
}

#[test]
fn every_request_of_the_standard_has_an_answer_that_says_no() {
    for id in (command::BIND..=command::USERRPT).chain([command::TRACE]) {
        let answer = Sgip::cannot(id, &[], Cannot::Serve).unwrap();
        assert_eq!(answer.command(), id | command::RESP);
        assert!(matches!(Sgip::role(&answer), Role::Answer | Role::LoginAnswer | Role::TerminateAnswer));
        assert_eq!(Sgip::cannot(id | command::RESP, &[], Cannot::Read), None);
    }
    assert_eq!(Sgip::cannot(0x12, &[], Cannot::Serve), None);
    assert_eq!(Sgip::cannot(command::UNBIND, &[], Cannot::Read), Some(Pdu::UnbindResp(UnbindResp)));
    for (why, result) in [(Cannot::Read, 5), (Cannot::Serve, 7), (Cannot::Sequence, 9), (Cannot::Window, 88)]
    {
        assert_eq!(Sgip::cannot(command::SUBMIT, &[], why), Some(Pdu::SubmitResp(Resp::new(result))));
    }
}

#[test]
fn only_a_command_that_nobody_has_is_unknown() {
    let role = |command| {
        let unknown = Pdu::Unknown { command, body: Default::default() };
        Sgip::role(&unknown)
    };
    assert_eq!(role(0x12), Role::Unknown);
    assert_eq!(role(0x12 | command::RESP), Role::Answer);
    let mut frame = Vec::new();
    let body = wire::sgip::private::Content(vec![0; 50]);
    Sgip::encode(VERSION, SEQUENCE, &Pdu::Unknown { command: command::ADDSP, body }, &mut frame);
    assert_eq!(Sgip::role(&Sgip::decode(VERSION, &frame).unwrap()), Role::Request);
}

#[test]
fn a_sequence_is_made_of_node_time_and_number_and_is_the_message_id() {
    assert_eq!(Sgip::sequence(7, 3_010_012_345, STAMP), SEQUENCE);
    let id = Sgip::message_id(SEQUENCE, 1, 2, STAMP);
    assert_eq!(id, MessageId::from(SEQUENCE));
    let answer = Answer { code: 0, id: None };
    assert_eq!(Sgip::read_answer(SEQUENCE, &Sgip::answer(&answer)), Some(Answer { code: 0, id: Some(id) }));
}

#[test]
fn a_mobile_number_gets_its_country_code_and_others_do_not() {
    for (given, sent) in [
        ("13800138000", "8613800138000"),
        ("8613800138000", "8613800138000"),
        ("10690000001", "8610690000001"),
        ("1069000001", "1069000001"),
        ("1380013800x", "1380013800x"),
        ("", ""),
    ] {
        let Pdu::Submit(submit) = Sgip::submit(&message(given), &profile()) else { panic!() };
        assert_eq!(submit.users[0].0.to_string(), sent);
    }
}

#[test]
fn a_profile_fills_what_a_submit_says_of_its_account() {
    let Pdu::Submit(full) = Sgip::submit(&message("13800138000"), &profile()) else { panic!() };
    assert_eq!((full.corp_id, full.service_type), (text("12345"), text("svc")));
    assert_eq!((full.fee_type, full.fee_value, full.given_value), (2, text("10"), text("0")));
    assert_eq!(full.charge_number.0.to_string(), "0".repeat(21));
    let Pdu::Submit(bare) = Sgip::submit(&message("13800138000"), &Profile::default()) else { panic!() };
    assert_eq!((bare.fee_type, bare.fee_value), (1, text("0")));
}

#[test]
fn a_submit_wishes_for_no_report_for_that_of_a_failure_or_for_any() {
    let Pdu::Submit(mut pdu) = Sgip::submit(&message("13800138000"), &profile()) else { panic!() };
    assert_eq!(pdu.report_flag, submit::REPORT_ALWAYS);
    let wishes = [ReportWish::OnFailure, ReportWish::Always, ReportWish::Never, ReportWish::Never];
    for (flag, wish) in (0..).zip(wishes) {
        pdu.report_flag = flag;
        let read = Sgip::read_submit(&Pdu::Submit(pdu.clone())).unwrap();
        assert_eq!(read.report, wish, "{flag}");
        let Pdu::Submit(again) = Sgip::submit(&read, &profile()) else { panic!() };
        assert_eq!(again.report_flag, flag.min(2), "{flag}");
    }
    let silent = Submit { report: false.into(), ..message("13800138000") };
    let Pdu::Submit(pdu) = Sgip::submit(&silent, &profile()) else { panic!() };
    assert_eq!(pdu.report_flag, submit::REPORT_NEVER);
}

#[test]
fn part_and_parts_are_read_from_the_user_data_header() {
    for (content, expected) in [
        (&[5, 0, 3, 94, 3, 2, b'x'][..], (2, 3)),
        (&[6, 8, 4, 0x12, 0x34, 2, 1, b'x'], (1, 2)),
        (&[6, 0, 4, 0x12, 0x34, 2, 1, b'x'], (1, 2)),
        (&[9, 1, 2, 0, 0, 0, 3, 7, 4, 4, b'x'], (4, 4)),
        (&[5, 0, 3, 94, 3, 0], (1, 1)),
        (&[5, 0, 3, 94, 3, 4], (1, 1)),
        (&[5, 0, 200, 94, 3, 1], (1, 1)),
        (&[3, 0, 3, 94, 3, 1], (1, 1)),
        (&[255, 0], (1, 1)),
        (&[], (1, 1)),
    ] {
        let submit = Submit { header: true, content: content.to_vec(), ..message("13800138000") };
        let read = Sgip::read_submit(&Sgip::submit(&submit, &profile())).unwrap();
        assert_eq!((read.part, read.parts), expected, "{content:?}");
    }
}

#[test]
fn a_report_says_its_state_and_error() {
    for (state, word, error, english) in [
        (ReportState::Delivered, "0:0", "0", "delivered"),
        (ReportState::Waiting, "1:0", "0", "on its way"),
        (ReportState::Failed, "2:25", "25", "user unreachable"),
    ] {
        assert_eq!(Sgip::state_word(state), (text(word), text(error)));
        let report = report(state);
        assert_eq!(report.word.to_string(), word);
        let pdu = Sgip::deliver(&Incoming::Report(report.clone()), STAMP).unwrap();
        assert_eq!(Sgip::read_deliver(SEQUENCE, &pdu), Some(Ok(Incoming::Report(report.clone()))));
        assert_eq!(Sgip::report_meaning(&report).english, english);
    }
}

#[test]
fn a_state_that_is_not_known_has_failed_and_keeps_its_word() {
    let Pdu::Report(mut pdu) = Sgip::deliver(&Incoming::Report(report(ReportState::Failed)), STAMP).unwrap()
    else {
        panic!()
    };
    (pdu.state, pdu.error) = (255, 200);
    let Some(Ok(Incoming::Report(read))) = Sgip::read_deliver(SEQUENCE, &Pdu::Report(pdu)) else { panic!() };
    assert_eq!((read.state, read.word), (ReportState::Failed, text("255:200")));
    assert_eq!(Sgip::report_meaning(&read).disposition, Disposition::Final);
}

#[test]
fn whatever_comes_from_the_carrier_gets_its_own_answer() {
    let user = text("8613800138000");
    let requests = [
        (Incoming::Report(report(ReportState::Delivered)), command::REPORT_RESP),
        (Incoming::Mo(mo(b"TD".to_vec(), false)), command::DELIVER_RESP),
        (Incoming::UserState { user, condition: 2 }, command::USERRPT_RESP),
    ];
    for (incoming, expected) in requests {
        let request = Sgip::deliver(&incoming, STAMP).unwrap();
        assert_eq!(Sgip::read_deliver(SEQUENCE, &request), Some(Ok(incoming)));
        for (code, sent) in [(0, 0), (Sgip::busy(), 88), (1000, 255)] {
            let answer = Sgip::deliver_answer(&request, code);
            assert_eq!(answer.command(), expected);
            assert_eq!(Sgip::read_deliver_answer(&answer), Some(sent));
        }
    }
    assert_eq!(Sgip::read_deliver(SEQUENCE, &Sgip::terminate()), None);
    assert_eq!(Sgip::read_deliver_answer(&Pdu::SubmitResp(Resp::new(0))), None);
    assert_eq!(Sgip::meaning(Sgip::busy()).disposition, Disposition::SlowDown);
}

#[test]
fn a_report_that_comes_as_a_deliver_is_a_report_and_is_answered_as_a_deliver() {
    let report = Incoming::Report(report(ReportState::Delivered));
    let mut frame = Vec::new();
    Sgip::encode(VERSION, SEQUENCE, &Sgip::deliver(&report, STAMP).unwrap(), &mut frame);
    assert_eq!((frame.len(), frame[7]), (64, 5));
    frame[7] = 4;
    let request = Sgip::decode(VERSION, &frame).unwrap();
    assert_eq!(Sgip::role(&request), Role::Request);
    assert_eq!(Sgip::read_deliver(SEQUENCE, &request), Some(Ok(report)));
    assert_eq!(Sgip::deliver_answer(&request, 0), Pdu::DeliverResp(Resp::new(0)));
}

#[test]
fn numbers_and_texts_are_not_shown() {
    let pdus = [
        Sgip::submit(&message("13912345678"), &profile()),
        Sgip::deliver(&Incoming::Mo(mo(b"hello".to_vec(), false)), STAMP).unwrap(),
        Sgip::deliver(&Incoming::Report(report(ReportState::Delivered)), STAMP).unwrap(),
    ];
    for pdu in pdus {
        let shown = format!("{pdu:?}");
        assert!(!shown.contains("13912345678") && !shown.contains("104, 101"), "{shown}");
    }
}

proptest! {
    #[test]
    fn any_submit_comes_back_as_it_was(
        (source, destinations) in (digits(), vec(digits(), 1..=100)),
        (coding, report, priority) in (any::<u8>(), any::<bool>(), 0_u8..=9),
        content in vec(any::<u8>(), 0..=140),
        parts in 1_u8..=20,
    ) {
        let part = parts.div_ceil(2);
        let header = parts > 1;
        let content = if header { [&[5, 0, 3, 94, parts, part], content.as_slice()].concat() } else { content };
        let submit = Submit {
            source, destinations, coding, header, part, parts, content, priority,
            report: report.into(),
            valid_until: text("260301120000032+"),
        };
        prop_assert_eq!(Sgip::read_submit(&Sgip::submit(&submit, &profile())), Some(submit));
    }

    #[test]
    fn any_message_of_a_user_comes_back_as_it_was(content in vec(any::<u8>(), 0..=140), header: bool) {
        let mo = Incoming::Mo(mo(content, header));
        prop_assert_eq!(Sgip::read_deliver(SEQUENCE, &Sgip::deliver(&mo, STAMP).unwrap()), Some(Ok(mo)));
    }

    #[test]
    fn any_answer_comes_back_with_the_sequence_as_its_id(code in 0_u32..=255) {
        let answer = Answer { code, id: Some(SEQUENCE.into()) };
        prop_assert_eq!(Sgip::read_answer(SEQUENCE, &Sgip::answer(&answer)), Some(answer));
    }
}

/// Of a length that no mobile number without a country code has.
fn digits() -> impl Strategy<Value = Text<21>> {
    "[0-9]{12,21}".prop_map(|digits| digits.parse().expect("fits the field"))
}

fn text<const N: usize>(text: &str) -> Text<N> {
    text.parse().expect("fits the field")
}

fn secret(text: &str) -> Secret {
    Secret(text.to_owned())
}

fn credentials(password: &str) -> Credentials {
    let node = SEQUENCE.node;
    Credentials { id: text("901234"), secret: secret(password), version: VERSION, mode: 1, node }
}

fn profile() -> Profile {
    Profile {
        enterprise: text("12345"),
        service: text("svc"),
        product: Text::EMPTY,
        fee_type: text("2"),
        fee_code: text("10"),
        node: SEQUENCE.node,
    }
}

fn message(to: &str) -> Submit {
    Submit {
        source: text("1069000001"),
        destinations: vec![text(to)],
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

fn mo(content: Vec<u8>, header: bool) -> Mo {
    Mo {
        id: SEQUENCE.into(),
        source: text("8613912345678"),
        destination: text("1069000001"),
        coding: 8,
        header,
        content,
        link_id: text("link-id8"),
    }
}

fn report(state: ReportState) -> Report {
    let (word, error) = Sgip::state_word(state);
    Report {
        about: Sequence { number: 3, ..SEQUENCE }.into(),
        id: Some(SEQUENCE.into()),
        state,
        word,
        error,
        destination: text("8613912345678"),
        source: Text::EMPTY,
        submitted: Text::EMPTY,
        done: Text::EMPTY,
    }
}
