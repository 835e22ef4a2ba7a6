//! Every golden PDU of SMGP.

mod vectors;

use wire::protocol::{Messages, Protocol, Secret, Version};
use wire::smgp::deliver::{Deliver, REPORT};
use wire::smgp::pdu::Pdu;
use wire::smgp::receipt::Receipt;
use wire::smgp::submit::Submit;
use wire::smgp::tlv::{self, Tlvs};
use wire::smgp::{Smgp, V1_3, V2_0, V3_0};

type Fields = Vec<(&'static str, String)>;

#[test]
fn every_pdu_decodes_to_its_fields() {
    for (version, vector) in golden() {
        let pdu = Smgp::decode(version, &vector.bytes).unwrap();
        let (sequence, command) = Smgp::header(&vector.bytes);
        assert_eq!(command, pdu.command(), "{}", vector.name);

        let mut read: Fields = vec![
            ("PacketLength", vector.bytes.len().to_string()),
            ("RequestID", format!("{command:#010x}")),
            ("SequenceID", sequence.to_string()),
        ];
        read.extend(body(version, &pdu));
        let read: Vec<_> = read.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
        let (direction, listed) = vector.fields.split_first().unwrap();
        assert_eq!(direction.0, "direction", "{}", vector.name);
        assert_eq!(read, listed, "{}", vector.name);
    }
}

/// Without an exception.
#[test]
fn every_pdu_encodes_to_its_bytes() {
    for (version, vector) in golden() {
        let pdu = Smgp::decode(version, &vector.bytes).unwrap();
        let mut out = Vec::new();
        Smgp::encode(version, Smgp::header(&vector.bytes).0, &pdu, &mut out);
        assert_eq!(vectors::hex(&out), vectors::hex(&vector.bytes), "{}", vector.name);
    }
}

#[test]
fn every_part_and_every_extension_of_a_pdu_is_read_or_refused() {
    let (mut read, mut refused) = (0, 0);
    for (version, vector) in golden() {
        let mut count = |frame: &[u8]| match Smgp::decode(version, frame) {
            Ok(pdu) => {
                read += 1;
                let _ = Smgp::read_deliver(0, &pdu);
            }
            Err(_) => refused += 1,
        };
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
fn a_body_where_there_should_be_none_is_passed_over() {
    for pdu in [Smgp::probe(), Smgp::probe_answer(), Some(Smgp::terminate()), Some(Smgp::terminate_answer())]
    {
        let pdu = pdu.unwrap();
        let mut frame = Vec::new();
        Smgp::encode(V3_0, 1, &pdu, &mut frame);
        assert_eq!(frame.len(), 12);
        for _ in 0..9 {
            frame.push(7);
            assert_eq!(Smgp::decode(V3_0, &frame), Ok(pdu.clone()));
        }
    }
}

#[test]
fn up_to_three_bytes_behind_the_parameters_are_left_out() {
    let mut seen = 0;
    for (version, vector) in golden() {
        let pdu = Smgp::decode(version, &vector.bytes);
        if !matches!(pdu, Ok(Pdu::Submit(_) | Pdu::Deliver(_))) {
            continue;
        }
        for extra in 1..=3 {
            let longer = [vector.bytes.as_slice(), &vec![0x55; extra]].concat();
            assert_eq!(Smgp::decode(version, &longer), pdu, "{}", vector.name);
        }
        seen += 1;
    }
    assert!(seen >= 17);
}

/// A sender in the field counts 115 bytes for a receipt and writes 122: the rest lies where reserve and parameters
/// are.
#[test]
fn a_receipt_that_is_longer_than_its_length_is_read() {
    let (version, vector) =
        golden().into_iter().find(|(_, vector)| vector.name == "captured.deliver").unwrap();
    let mut bytes = vector.bytes;
    bytes[12 + 10 + 1 + 1 + 14 + 21 + 21] = 115;
    let Pdu::Deliver(deliver) = Smgp::decode(version, &bytes).unwrap() else { panic!("no DELIVER") };
    let receipt = Receipt::read(&deliver.msg_content).unwrap();
    assert_eq!(
        (receipt.stat.to_string(), receipt.text.to_string()),
        ("DELIVRD".into(), "010hello smgp".into())
    );
}

#[test]
fn the_logins_prove_their_secret_and_the_welcome_is_authentic() {
    let (secret, wrong) = (Secret("1234".to_owned()), Secret("12345".to_owned()));
    let golden = golden();
    let pdu = |name: &str| {
        let (version, vector) = golden.iter().find(|(_, vector)| vector.name == name).unwrap();
        Smgp::decode(*version, &vector.bytes).unwrap()
    };
    for name in ["captured.login", "captured_v13.login", "derived.login"] {
        assert!(Smgp::proves(&pdu(name), &secret) && !Smgp::proves(&pdu(name), &wrong), "{name}");
    }
    let (login, answer) = (pdu("captured.login"), pdu("captured.login_resp"));
    assert_eq!(Smgp::welcome(&login, 0, V3_0, &secret), answer);
    assert!(Smgp::read_welcome(&login, &answer, &secret).unwrap().authentic);
    assert!(!Smgp::read_welcome(&login, &answer, &wrong).unwrap().authentic);
}

#[test]
fn only_version_1_has_no_fixed_fee() {
    for (_, vector) in golden().iter().filter(|(version, _)| *version == V3_0) {
        assert_eq!(Smgp::decode(V2_0, &vector.bytes), Smgp::decode(V3_0, &vector.bytes), "{}", vector.name);
    }
}

fn golden() -> Vec<(Version, vectors::Vector)> {
    let vectors = vectors::read(include_str!("vectors/smgp.txt"));
    assert!(vectors.len() >= 31);
    let version =
        |vector: &vectors::Vector| if vector.name.starts_with("captured_v13.") { V1_3 } else { V3_0 };
    vectors.into_iter().map(|vector| (version(&vector), vector)).collect()
}

fn body(version: Version, pdu: &Pdu) -> Fields {
    match pdu {
        Pdu::Login(login) => vec![
            ("ClientID", login.client_id.to_string()),
            ("AuthenticatorClient", vectors::hex(&login.authenticator.0)),
            ("LoginMode", login.mode.to_string()),
            ("TimeStamp", login.timestamp.to_string()),
            ("ClientVersion", format!("{:#04x}", login.version.0)),
        ],
        Pdu::LoginResp(resp) => vec![
            ("Status", resp.status.to_string()),
            ("AuthenticatorServer", vectors::hex(&resp.authenticator.0)),
            ("ServerVersion", format!("{:#04x}", resp.version.0)),
        ],
        Pdu::Submit(submit) => submit_fields(version, submit),
        Pdu::SubmitResp(resp) => {
            vec![("MsgID", resp.msg_id.to_string()), ("Status", resp.status.to_string())]
        }
        Pdu::Deliver(deliver) => deliver_fields(deliver),
        Pdu::DeliverResp(resp) => {
            vec![("MsgID", resp.msg_id.to_string()), ("Status", resp.status.to_string())]
        }
        Pdu::ActiveTest(_) | Pdu::ActiveTestResp(_) | Pdu::Exit(_) | Pdu::ExitResp(_) => Vec::new(),
        other => panic!("no golden PDU is a {other:?}"),
    }
}

fn submit_fields(version: Version, submit: &Submit) -> Fields {
    let destinations: Vec<_> = submit.dest_term_ids.iter().map(|number| format!("'{number}'")).collect();
    let header = submit.tlvs.number(tlv::TP_UDHI) == Some(1);
    let mut fields = vec![
        ("MsgType", submit.msg_type.to_string()),
        ("NeedReport", submit.need_report.to_string()),
        ("Priority", submit.priority.to_string()),
        ("ServiceID", submit.service_id.to_string()),
        ("FeeType", submit.fee_type.to_string()),
        ("FeeCode", submit.fee_code.to_string()),
        ("FixedFee", submit.fixed_fee.to_string()),
        ("MsgFormat", submit.msg_format.to_string()),
        ("ValidTime", submit.valid_time.to_string()),
        ("AtTime", submit.at_time.to_string()),
        ("SrcTermID", submit.src_term_id.to_string()),
        ("ChargeTermID", submit.charge_term_id.to_string()),
        ("DestTermIDCount", destinations.len().to_string()),
        ("DestTermID", format!("[{}]", destinations.join(", "))),
        ("MsgLength", submit.msg_content.len().to_string()),
        ("MsgContent", vectors::content(submit.msg_format, header, &submit.msg_content)),
        ("Reserve", reserve(submit.reserve)),
        ("TLV", tlvs(&submit.tlvs)),
    ];
    if version == V1_3 {
        fields.retain(|(name, _)| *name != "FixedFee");
    }
    fields
}

fn deliver_fields(deliver: &Deliver) -> Fields {
    let header = deliver.tlvs.number(tlv::TP_UDHI) == Some(1);
    let content = if deliver.is_report == REPORT {
        ("MsgContent(report)", receipt(&deliver.msg_content))
    } else {
        ("MsgContent", vectors::content(deliver.msg_format, header, &deliver.msg_content))
    };
    vec![
        ("MsgID", deliver.msg_id.to_string()),
        ("IsReport", deliver.is_report.to_string()),
        ("MsgFormat", deliver.msg_format.to_string()),
        ("RecvTime", deliver.recv_time.to_string()),
        ("SrcTermID", deliver.src_term_id.to_string()),
        ("DestTermID", deliver.dest_term_id.to_string()),
        ("MsgLength", deliver.msg_content.len().to_string()),
        content,
        ("Reserve", reserve(deliver.reserve)),
        ("TLV", tlvs(&deliver.tlvs)),
    ]
}

/// In the spelling of the peer that sent the golden one.
fn receipt(content: &[u8]) -> String {
    let Receipt { msg_id, sub, dlvrd, submit_date, done_date, stat, err, text } =
        Receipt::read(content).expect("fits the field");
    let nuls = "\\0".repeat(20 - text.as_bytes().len());
    format!(
        "id:<{msg_id}> sub:{sub} dlvrd:{dlvrd} submit date:{submit_date} done date:{done_date} stat:{stat} \
         err:{err} text:{text}{nuls}"
    )
}

fn reserve(bytes: [u8; 8]) -> String {
    wire::text::Text::from_field(bytes).to_string()
}

fn tlvs(tlvs: &Tlvs) -> String {
    let shown: Vec<_> = tlvs
        .iter()
        .map(|(tag, value)| {
            let (name, hex) = (tlv::name(tag).expect("fits the field"), vectors::hex(value));
            let text = match name {
                "LinkID" => tlvs.text(tlv::LINK_ID).expect("fits the field").to_string(),
                "MsgSrc" => tlvs.text(tlv::MSG_SRC).expect("fits the field").to_string(),
                "MServiceID" => tlvs.text(tlv::M_SERVICE_ID).expect("fits the field").to_string(),
                _ => return format!("'{name}={hex}'"),
            };
            format!("\"{name}={hex}('{text}')\"")
        })
        .collect();
    format!("[{}]", shown.join(", "))
}
