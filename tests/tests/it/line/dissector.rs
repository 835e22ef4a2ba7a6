//! CMPP 3.0 in the eyes of Wireshark, which nobody here wrote. It knows no other of the carriers' protocols. Two things
//! it reads otherwise than the standard: it takes the gateway's number of a message id for one of 16 bits, and it shows
//! neither an authenticator nor a content, of which only the bytes are compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use domain::Stamp;
use domain::event::ReportState;
use serde_json::Value;
use wire::cmpp::cancel::{Cancel, CancelResp};
use wire::cmpp::query::{Query, QueryResp};
use wire::cmpp::{Cmpp, Pdu};
use wire::exchange::{Answer, Incoming, MessageId, Mo, Profile, Report, Submit};
use wire::protocol::{Credentials, Messages, Protocol, Secret, Version};
use wire::text::Text;

const VERSION: Version = Version(0x30);
const PORT: u16 = 7890;
const STAMP: Stamp = Stamp { year: 2026, month: 3, day: 1, hour: 12, minute: 30, second: 15 };
/// [`STAMP`] as Wireshark writes it.
const WHEN: &str = "03/01 12:30:15";

/// A field of Wireshark's and all its values in a frame.
type Field = (&'static str, &'static [&'static str]);

/// A PDU and what Wireshark must read in it, but for the header; in `bytes` what stands in the field, in hexadecimal.
struct Sent {
    pdu: Pdu,
    fields: Vec<Field>,
    bytes: Vec<(&'static str, String)>,
}

#[test]
fn wireshark_reads_in_each_pdu_of_cmpp_3_what_was_written() {
    let sent: Vec<Sent> = [login(), submits(), from_the_carrier(), rest()].into_iter().flatten().collect();
    let frames: Vec<Vec<u8>> = (101..)
        .zip(&sent)
        .map(|(sequence, Sent { pdu, .. })| {
            let mut frame = Vec::new();
            Cmpp::encode(VERSION, sequence, pdu, &mut frame);
            frame
        })
        .collect();
    let dissected = dissect(&frames);
    assert_eq!(dissected.len(), sent.len());
    for (((sequence, sent), frame), read) in (101..).zip(&sent).zip(&frames).zip(dissected) {
        let header = [
            ("cmpp.Total_Length", frame.len().to_string()),
            ("cmpp.Command_Id", format!("{:#010x}", sent.pdu.command())),
            ("cmpp.Sequence_Id", sequence.to_string()),
        ];
        let mut expected: BTreeMap<String, Vec<String>> =
            header.into_iter().map(|(name, value)| (name.to_owned(), vec![value])).collect();
        for (name, values) in &sent.fields {
            expected.insert((*name).to_owned(), values.iter().map(|&value| value.to_owned()).collect());
        }
        let (mut shown, raw): (BTreeMap<_, _>, BTreeMap<_, _>) =
            read.into_iter().partition(|(name, _)| !name.ends_with("_raw"));
        shown.remove("cmpp.Msg_Id.ismg_code");
        assert_eq!(shown, expected, "{:?}", sent.pdu);
        for (name, bytes) in &sent.bytes {
            assert_eq!(raw[&format!("{name}_raw")], std::slice::from_ref(bytes), "{name} of {:?}", sent.pdu);
        }
    }
}

fn login() -> Vec<Sent> {
    let secret = Secret("shared".to_owned());
    let id = "901234".parse().unwrap();
    let credentials = Credentials { id, secret: secret.clone(), version: VERSION, mode: 0, node: 0 };
    let connect = Cmpp::login(&credentials, STAMP);
    let welcome = Cmpp::welcome(&connect, 0, VERSION, &secret);
    let (Pdu::Connect(asked), Pdu::ConnectResp(answered)) = (&connect, &welcome) else {
        panic!("{connect:?} and {welcome:?}");
    };
    let of_client = hex(&asked.authenticator.0);
    let of_server = hex(&answered.authenticator.0);
    vec![
        Sent {
            fields: vec![
                ("cmpp.connect.Source_Addr", &["901234"]),
                ("cmpp.connect.AuthenticatorSource", &["MD5 Hash"]),
                ("cmpp.Version", &["03.00"]),
                ("cmpp.connect.Timestamp", &[WHEN]),
            ],
            bytes: vec![("cmpp.connect.AuthenticatorSource", of_client)],
            pdu: connect,
        },
        Sent {
            fields: vec![
                ("cmpp.connect_resp.Status", &["0"]),
                ("cmpp.connect_resp.AuthenticatorISMG", &["MD5 Hash"]),
                ("cmpp.Version", &["03.00"]),
            ],
            bytes: vec![("cmpp.connect_resp.AuthenticatorISMG", of_server)],
            pdu: welcome,
        },
    ]
}

/// One part of a long message to three numbers, and its answers.
fn submits() -> Vec<Sent> {
    let text: Vec<u8> = "银行".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let content = [&[5, 0, 3, 0xab, 2, 1][..], &text].concat();
    let submit = Submit {
        source: "1065800001".parse().unwrap(),
        destinations: ["13800138000", "13800138001", "8613800138002"].map(|to| to.parse().unwrap()).to_vec(),
        coding: 8,
        header: true,
        part: 1,
        parts: 2,
        content: content.clone(),
        report: true.into(),
        priority: 3,
        valid_until: "260302123015032+".parse().unwrap(),
    };
    let profile = Profile {
        enterprise: "901234".parse().unwrap(),
        service: "BANK".parse().unwrap(),
        fee_type: "02".parse().unwrap(),
        fee_code: "000010".parse().unwrap(),
        ..Profile::default()
    };
    let answer = |code| Cmpp::answer(&Answer { code, id: Some(id()) });
    vec![
        Sent {
            pdu: Cmpp::submit(&submit, &profile),
            fields: vec![
                ("cmpp.Msg_Id", &["0x0000000000000000"]),
                ("cmpp.Msg_Id.timestamp", &["00/00 00:00:00"]),
                ("cmpp.Msg_Id.sequence_id", &["0"]),
                ("cmpp.submit.Pk_total", &["2"]),
                ("cmpp.submit.Pk_number", &["1"]),
                ("cmpp.submit.Registered_Delivery", &["1"]),
                ("cmpp.submit.Msg_level", &["3"]),
                ("cmpp.Servicd_Id", &["BANK"]),
                ("cmpp.submit.Fee_UserType", &["2"]),
                ("cmpp.submit.Fee_terminal_Id", &[""]),
                ("cmpp.submit.Fee_terminal_type", &["0"]),
                ("cmpp.TP_pId", &["0"]),
                ("cmpp.TP_udhi", &["1"]),
                ("cmpp.Msg_Fmt", &["8"]),
                ("cmpp.submit.Msg_src", &["901234"]),
                ("cmpp.submit.FeeType", &["02"]),
                ("cmpp.submit.FeeCode", &["000010"]),
                ("cmpp.submit.Valld_Time", &["260302123015032+"]),
                ("cmpp.submit.At_time", &[""]),
                ("cmpp.submit.Src_Id", &["1065800001"]),
                ("cmpp.submit.DestUsr_tl", &["3"]),
                ("cmpp.Dest_terminal_Id", &["13800138000", "13800138001", "8613800138002"]),
                ("cmpp.submit.Dest_terminal_type", &["0"]),
                ("cmpp.Msg_Length", &["10"]),
                ("cmpp.Msg_Content", &["SMS Messages"]),
                ("cmpp.LinkID", &[""]),
            ],
            bytes: vec![("cmpp.Msg_Content", hex(&content))],
        },
        Sent { pdu: answer(0), fields: about("cmpp.submit_resp.Result", &["0"]), bytes: Vec::new() },
        Sent { pdu: answer(8), fields: about("cmpp.submit_resp.Result", &["8"]), bytes: Vec::new() },
    ]
}

/// A message of a user and a report, and the answer to each.
fn from_the_carrier() -> Vec<Sent> {
    let content = [0x62, 0x11, 0x4e, 0xec];
    let mo = Cmpp::deliver(
        &Incoming::Mo(Mo {
            id: id(),
            source: "8613800138000".parse().unwrap(),
            destination: "106580000123".parse().unwrap(),
            coding: 8,
            header: false,
            content: content.to_vec(),
            link_id: "link-7".parse().unwrap(),
        }),
        STAMP,
    )
    .unwrap();
    let report = Cmpp::deliver(
        &Incoming::Report(Report {
            about: id(),
            id: Some(Cmpp::message_id(0, 1_001, 18, STAMP)),
            state: ReportState::Failed,
            word: "MK:0001".parse().unwrap(),
            error: Text::EMPTY,
            destination: "13800138000".parse().unwrap(),
            source: "1065800001".parse().unwrap(),
            submitted: "2603011230".parse().unwrap(),
            done: "2603011231".parse().unwrap(),
        }),
        STAMP,
    )
    .unwrap();
    let answer = |pdu, fields| Sent { pdu: Cmpp::deliver_answer(pdu, 0), fields, bytes: Vec::new() };
    let of_report: Vec<Field> = vec![
        ("cmpp.Msg_Id", &["0x30b1e3c003e90012"]),
        ("cmpp.Msg_Id.timestamp", &[WHEN]),
        ("cmpp.Msg_Id.sequence_id", &["18"]),
        ("cmpp.deliver_resp.Result", &["0"]),
    ];
    let answers = [answer(&mo, about("cmpp.deliver_resp.Result", &["0"])), answer(&report, of_report)];
    let mut mo_fields = about("cmpp.Msg_Content", &["SMS Messages"]);
    mo_fields.extend::<[Field; 10]>([
        ("cmpp.deliver.Dest_Id", &["106580000123"]),
        ("cmpp.Servicd_Id", &[""]),
        ("cmpp.TP_pId", &["0"]),
        ("cmpp.TP_udhi", &["0"]),
        ("cmpp.Msg_Fmt", &["8"]),
        ("cmpp.deliver.Src_terminal_Id", &["8613800138000"]),
        ("cmpp.deliver.Src_terminal_type", &["0"]),
        ("cmpp.deliver.Registered_Delivery", &["0"]),
        ("cmpp.Msg_Length", &["4"]),
        ("cmpp.LinkID", &["link-7"]),
    ]);
    let report_fields: Vec<Field> = vec![
        ("cmpp.Msg_Id", &["0x30b1e3c003e90012", "0x30b1e3c003e90011"]),
        ("cmpp.Msg_Id.timestamp", &[WHEN, WHEN]),
        ("cmpp.Msg_Id.sequence_id", &["18", "17"]),
        ("cmpp.deliver.Dest_Id", &["1065800001"]),
        ("cmpp.Servicd_Id", &[""]),
        ("cmpp.TP_pId", &["0"]),
        ("cmpp.TP_udhi", &["0"]),
        ("cmpp.Msg_Fmt", &["0"]),
        ("cmpp.deliver.Src_terminal_Id", &["13800138000"]),
        ("cmpp.deliver.Src_terminal_type", &["0"]),
        ("cmpp.deliver.Registered_Delivery", &["1"]),
        ("cmpp.Msg_Length", &["71"]),
        ("cmpp.deliver.Report.Status", &["MK:0001"]),
        ("cmpp.deliver.Report.Submit_time", &["2603011230"]),
        ("cmpp.deliver.Report.Done_time", &["2603011231"]),
        ("cmpp.Dest_terminal_Id", &["13800138000"]),
        ("cmpp.Report.SMSC_sequence", &["0"]),
        ("cmpp.LinkID", &[""]),
    ];
    let mo = Sent { pdu: mo, fields: mo_fields, bytes: vec![("cmpp.Msg_Content", hex(&content))] };
    let report = Sent { pdu: report, fields: report_fields, bytes: Vec::new() };
    [mo, report].into_iter().chain(answers).collect()
}

/// PDUs of which Wireshark reads the header only.
fn rest() -> Vec<Sent> {
    let query = Query {
        time: "20260301".parse().unwrap(),
        query_type: 1,
        query_code: "BANK".parse().unwrap(),
        reserve: Text::EMPTY,
    };
    let counts = QueryResp {
        time: query.time,
        query_type: 1,
        query_code: query.query_code,
        mt_tl_msg: 1,
        mt_tl_usr: 2,
        mt_scs: 3,
        mt_wt: 4,
        mt_fl: 5,
        mo_scs: 6,
        mo_wt: 7,
        mo_fl: 8,
    };
    let probe = [Cmpp::probe(), Cmpp::probe_answer()].map(|pdu| pdu.expect("CMPP has probes"));
    let pdus = [query.into(), counts.into(), Cancel { msg_id: id().into() }.into()]
        .into_iter()
        .chain([CancelResp { success: 0, foreign: false }.into()])
        .chain(probe)
        .chain([Cmpp::terminate(), Cmpp::terminate_answer()]);
    pdus.map(|pdu| Sent { pdu, fields: Vec::new(), bytes: Vec::new() }).collect()
}

fn id() -> MessageId {
    Cmpp::message_id(0, 1_001, 17, STAMP)
}

/// A field of an answer about [`id`], and the id.
fn about(field: &'static str, value: &'static [&'static str]) -> Vec<Field> {
    vec![
        ("cmpp.Msg_Id", &["0x30b1e3c003e90011"]),
        ("cmpp.Msg_Id.timestamp", &[WHEN]),
        ("cmpp.Msg_Id.sequence_id", &["17"]),
        (field, value),
    ]
}

/// All fields of each frame, with what Wireshark shows; under the name and `_raw`, with what stands there.
fn dissect(frames: &[Vec<u8>]) -> Vec<BTreeMap<String, Vec<String>>> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cmpp.pcap");
    fs::write(&file, pcap(frames)).unwrap();
    let output = tshark(&file);
    let packets: Vec<Value> = serde_json::from_slice(&output).unwrap();
    let layers = packets.iter().map(|packet| &packet["_source"]["layers"]);
    layers
        .map(|layers| {
            assert!(layers.get("_ws.malformed").is_none(), "{layers:#}");
            let mut fields = BTreeMap::new();
            flatten(layers.get("cmpp").unwrap_or_else(|| panic!("not CMPP: {layers:#}")), &mut fields);
            fields
        })
        .collect()
}

fn tshark(file: &Path) -> Vec<u8> {
    let decode_as = format!("tcp.port=={PORT},cmpp");
    let mut command = Command::new("tshark");
    command.args(["-n", "-d", &decode_as, "-T", "json", "-x", "--no-duplicate-keys", "-r"]).arg(file);
    let output = command.output().expect("tshark: run tests/setup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn flatten(value: &Value, fields: &mut BTreeMap<String, Vec<String>>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let all = match value {
            // One field as it stands is an array with the bytes in front, several are an array of those.
            Value::Array(all) if name.ends_with("_raw") && all[0].is_string() => &all[..1],
            Value::Array(all) => all,
            one => std::slice::from_ref(one),
        };
        for value in all {
            match value {
                Value::Object(_) => flatten(value, fields),
                Value::Array(raw) => fields.entry(name.clone()).or_default().push(text(&raw[0])),
                value => fields.entry(name.clone()).or_default().push(text(value)),
            }
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A file of TCP segments over IPv4, a frame in each.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    // Magic, version 2.4, no correction of time, longest packet, packets begin with IP.
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101] {
        file.extend(word.to_be_bytes());
    }
    let mut position: u32 = 1;
    for (second, frame) in (0_u32..).zip(frames) {
        let total = u16::try_from(40 + frame.len()).unwrap();
        let mut packet = vec![0x45, 0];
        packet.extend(total.to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        packet.extend(50_000_u16.to_be_bytes());
        packet.extend(PORT.to_be_bytes());
        packet.extend(position.to_be_bytes());
        packet.extend([0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(frame);
        for word in [second, 0, u32::from(total), u32::from(total)] {
            file.extend(word.to_be_bytes());
        }
        file.extend(packet);
        position += u32::try_from(frame.len()).unwrap();
    }
    file
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
