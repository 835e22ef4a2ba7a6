//! Every golden PDU of SGIP.

mod vectors;

use wire::protocol::Protocol;
use wire::sgip::deliver::Deliver;
use wire::sgip::private::{Content, UserNumber};
use wire::sgip::report::Report;
use wire::sgip::submit::Submit;
use wire::sgip::{Pdu, Sequence, Sgip, VERSION};

type Fields = Vec<(&'static str, String)>;

#[test]
fn every_pdu_decodes_to_its_fields() {
    for vector in golden() {
        let pdu = Sgip::decode(VERSION, &vector.bytes).unwrap();
        let (sequence, command) = Sgip::header(&vector.bytes);
        assert_eq!(command, pdu.command(), "{}", vector.name);

        let mut read: Fields = vec![
            ("Message_Length", vector.bytes.len().to_string()),
            ("Command_Id", format!("{command:#010x}")),
            ("Sequence", sequence_text(sequence)),
        ];
        read.extend(body(&pdu));
        let read: Vec<_> = read.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
        let (direction, listed) = vector.fields.split_first().unwrap();
        assert_eq!(direction.0, "direction", "{}", vector.name);
        assert_eq!(read, listed, "{}", vector.name);
    }
}

/// Without an exception: all of them are in the standard's form.
#[test]
fn every_pdu_encodes_to_its_bytes() {
    for vector in golden() {
        let pdu = Sgip::decode(VERSION, &vector.bytes).unwrap();
        let mut out = Vec::new();
        Sgip::encode(VERSION, Sgip::header(&vector.bytes).0, &pdu, &mut out);
        assert_eq!(vectors::hex(&out), vectors::hex(&vector.bytes), "{}", vector.name);
    }
}

#[test]
fn every_part_and_every_extension_of_a_pdu_is_read_or_refused() {
    let (mut read, mut refused) = (0, 0);
    let mut count = |frame: &[u8]| match Sgip::decode(VERSION, frame) {
        Ok(_) => read += 1,
        Err(_) => refused += 1,
    };
    for vector in golden() {
        for length in 0..vector.bytes.len() {
            count(&vector.bytes[..length]);
        }
        for extra in 1..200 {
            for byte in [0, 1, 0xff] {
                let mut longer = vector.bytes.clone();
                longer.resize(vector.bytes.len() + extra, byte);
                count(&longer);
            }
        }
    }
    assert!(read > 0 && refused > 0);
}

#[test]
fn a_second_reserve_behind_any_pdu_is_left_out() {
    for vector in golden() {
        let longer = [vector.bytes.as_slice(), &[0; 8]].concat();
        assert_eq!(Sgip::decode(VERSION, &longer), Sgip::decode(VERSION, &vector.bytes), "{}", vector.name);
    }
}

#[test]
fn any_pdu_may_lack_its_reserve() {
    let (mut requests, mut answers) = (0, 0);
    for vector in golden() {
        let pdu = Sgip::decode(VERSION, &vector.bytes).unwrap();
        let (body, reserve) = vector.bytes.split_at(vector.bytes.len().saturating_sub(8));
        // one that is said to be empty, so that nothing is lost with it
        if reserve != [0; 8] || body.len() <= 20 {
            continue;
        }
        assert_eq!(Sgip::decode(VERSION, body), Ok(pdu.clone()), "{}", vector.name);
        *if pdu.is_answer() { &mut answers } else { &mut requests } += 1;
    }
    assert!(requests >= 4 && answers >= 6, "{requests} requests, {answers} answers");
}

fn golden() -> Vec<vectors::Vector> {
    let vectors = vectors::read(include_str!("vectors/sgip.txt"));
    assert!(vectors.len() >= 26);
    vectors
}

fn body(pdu: &Pdu) -> Fields {
    match pdu {
        Pdu::Bind(bind) => vec![
            ("Login_Type", bind.login_type.to_string()),
            ("Login_Name", bind.login_name.to_string()),
            ("Login_Password", bind.login_password.0.to_string()),
            ("Reserve", bind.reserve.to_string()),
        ],
        Pdu::BindResp(resp) | Pdu::SubmitResp(resp) | Pdu::DeliverResp(resp) | Pdu::ReportResp(resp) => {
            vec![("Result", resp.result.to_string()), ("Reserve", resp.reserve.to_string())]
        }
        Pdu::Unbind(_) | Pdu::UnbindResp(_) => Vec::new(),
        Pdu::Submit(submit) => submit_fields(submit),
        Pdu::Deliver(deliver) => deliver_fields(deliver),
        Pdu::Report(report) => report_fields(report),
        other => panic!("no golden PDU is a {other:?}"),
    }
}

fn submit_fields(submit: &Submit) -> Fields {
    let users: Vec<_> = submit.users.iter().map(|UserNumber(user)| format!("'{user}'")).collect();
    let Content(content) = &submit.content;
    vec![
        ("SPNumber", submit.sp_number.to_string()),
        ("ChargeNumber", submit.charge_number.0.to_string()),
        ("UserCount", users.len().to_string()),
        ("UserNumber", format!("[{}]", users.join(", "))),
        ("CorpId", submit.corp_id.to_string()),
        ("ServiceType", submit.service_type.to_string()),
        ("FeeType", submit.fee_type.to_string()),
        ("FeeValue", submit.fee_value.to_string()),
        ("GivenValue", submit.given_value.to_string()),
        ("AgentFlag", submit.agent_flag.to_string()),
        ("MorelatetoMTFlag", submit.more_late_to_mt.to_string()),
        ("Priority", submit.priority.to_string()),
        ("ExpireTime", submit.expire_time.to_string()),
        ("ScheduleTime", submit.schedule_time.to_string()),
        ("ReportFlag", submit.report_flag.to_string()),
        ("TP_pid", submit.tp_pid.to_string()),
        ("TP_udhi", submit.tp_udhi.to_string()),
        ("MessageCoding", submit.coding.to_string()),
        ("MessageType", submit.message_type.to_string()),
        ("MessageLength", content.len().to_string()),
        ("MessageContent", vectors::content(submit.coding, submit.tp_udhi == 1, content)),
        ("Reserve", submit.reserve.to_string()),
    ]
}

fn deliver_fields(deliver: &Deliver) -> Fields {
    let Content(content) = &deliver.content;
    vec![
        ("UserNumber", deliver.user.0.to_string()),
        ("SPNumber", deliver.sp_number.to_string()),
        ("TP_pid", deliver.tp_pid.to_string()),
        ("TP_udhi", deliver.tp_udhi.to_string()),
        ("MessageCoding", deliver.coding.to_string()),
        ("MessageLength", content.len().to_string()),
        ("MessageContent", vectors::content(deliver.coding, deliver.tp_udhi == 1, content)),
        ("Reserve", deliver.reserve.to_string()),
    ]
}

fn report_fields(report: &Report) -> Fields {
    vec![
        ("SubmitSequenceNumber", sequence_text(report.submit_sequence)),
        ("ReportType", report.report_type.to_string()),
        ("UserNumber", report.user.0.to_string()),
        ("State", report.state.to_string()),
        ("ErrorCode", report.error.to_string()),
        ("Reserve", report.reserve.to_string()),
    ]
}

fn sequence_text(sequence: Sequence) -> String {
    format!("node {} time {} seq {}", sequence.node, sequence.time, sequence.number)
}
