//! Every golden PDU of CMPP decodes to the fields that its file lists, and encodes back to the same bytes.

mod vectors;

use vectors::{Vector, content, hex};
use wire::cmpp::connect::{Connect, ConnectResp};
use wire::cmpp::deliver::{Content, Deliver};
use wire::cmpp::layout::Layout;
use wire::cmpp::msg_id::MsgId;
use wire::cmpp::query::{Query, QueryResp};
use wire::cmpp::receipt::Receipt;
use wire::cmpp::submit::Submit;
use wire::cmpp::{Cmpp, Pdu, command};
use wire::protocol::{Protocol, Secret, Version};

const FILES: [(Version, &str); 2] =
    [(Version(0x20), include_str!("vectors/cmpp2.txt")), (Version(0x30), include_str!("vectors/cmpp3.txt"))];

#[test]
fn every_golden_pdu_decodes_to_the_fields_listed_with_it() {
    for (version, vector) in golden() {
        let pdu = decode(version, &vector);
        // Who sent it stands in no field.
        let listed: Vec<_> = vector.fields.iter().filter(|(name, _)| name != "direction").cloned().collect();
        assert_eq!(fields(version, &vector.bytes, &pdu), listed, "{} of {version:?}", vector.name);
    }
}

#[test]
fn every_golden_pdu_encodes_back_to_its_bytes() {
    for (version, vector) in golden() {
        let (sequence, command) = Cmpp::header(&vector.bytes);
        let pdu = decode(version, &vector);
        assert_eq!(pdu.command(), command);
        let mut out = Vec::new();
        Cmpp::encode(version, sequence, &pdu, &mut out);
        assert_eq!(hex(&out), hex(&vector.bytes), "{} of {version:?}", vector.name);
    }
}

#[test]
fn a_golden_pdu_cut_or_longer_is_an_error_unless_its_answer_has_that_length_in_a_version_or_it_has_no_body() {
    let mut errors = 0;
    for (version, vector) in golden() {
        let (_, command) = Cmpp::header(&vector.bytes);
        let known: &[usize] = match command {
            command::CONNECT_RESP => &[30, 33],
            command::SUBMIT_RESP | command::DELIVER_RESP => &[21, 24],
            command::CANCEL_RESP => &[13, 16],
            _ => &[vector.bytes.len()],
        };
        let bodiless = [command::ACTIVE_TEST, command::TERMINATE].contains(&(command & !command::RESPONSE));
        for length in 0..vector.bytes.len() + 50 {
            let mut bytes = vector.bytes.clone();
            bytes.resize(length, 0);
            let read = Cmpp::decode(version, &bytes);
            let known = if bodiless { length >= 12 } else { known.contains(&length) };
            assert_eq!(read.is_ok(), known, "{} in {length} bytes: {read:?}", vector.name);
            errors += usize::from(read.is_err());
        }
    }
    assert!(errors > 10_000, "{errors}");
}

#[test]
fn a_golden_pdu_shows_neither_number_nor_text() {
    let number = b"13800138000";
    let mut seen = 0;
    for (version, vector) in golden() {
        let shown = format!("{:?}", decode(version, &vector));
        assert!(!shown.contains("1380") && !shown.contains("hello"), "{shown}");
        seen += usize::from(vector.bytes.windows(number.len()).any(|window| window == number));
    }
    assert_eq!(seen, 24);
}

#[test]
fn the_golden_logins_prove_their_secret_and_are_answered_as_captured() {
    let secret = Secret("1234".to_owned());
    let mut seen = (0, 0);
    for (version, text) in FILES {
        let mut last_login = None;
        for vector in vectors::read(text) {
            let pdu = decode(version, &vector);
            match &pdu {
                Pdu::Connect(_) => {
                    assert!(Cmpp::proves(&pdu, &secret), "{} of {version:?}", vector.name);
                    assert!(!Cmpp::proves(&pdu, &Secret("4321".to_owned())));
                    seen.0 += 1;
                    last_login = Some(pdu);
                }
                Pdu::ConnectResp(_) => {
                    let login = last_login.as_ref().expect("a login before its answer");
                    let welcome = Cmpp::read_welcome(login, &pdu, &secret).expect("an answer to a login");
                    assert!(welcome.authentic, "{} of {version:?}", vector.name);
                    assert_eq!((welcome.status, welcome.version), (0, Some(version)));
                    seen.1 += 1;
                }
                _ => {}
            }
        }
    }
    assert_eq!(seen, (4, 2));
}

fn golden() -> Vec<(Version, Vector)> {
    let of = |(version, text)| vectors::read(text).into_iter().map(move |vector| (version, vector));
    let all: Vec<_> = FILES.into_iter().flat_map(of).collect();
    assert_eq!(all.len(), 58);
    assert!(all.iter().all(|(_, vector)| vector.fields.len() >= 4));
    all
}

fn decode(version: Version, vector: &Vector) -> Pdu {
    Cmpp::decode(version, &vector.bytes).unwrap_or_else(|error| panic!("{}: {error}", vector.name))
}

/// A PDU as the files list it.
struct Listing {
    layout: Layout,
    fields: Vec<(String, String)>,
}

fn fields(version: Version, frame: &[u8], pdu: &Pdu) -> Vec<(String, String)> {
    let mut list = Listing { layout: Layout::of(version), fields: Vec::new() };
    list.add("Total_Length", frame.len());
    list.add("Command_Id", format!("{:#010x}", pdu.command()));
    list.add("Sequence_Id", Cmpp::header(frame).0);
    match pdu {
        Pdu::Connect(connect) => list.connect(connect),
        Pdu::ConnectResp(answer) => list.connect_resp(answer),
        Pdu::Submit(submit) => list.submit(submit),
        Pdu::Deliver(deliver) => list.deliver(deliver),
        Pdu::SubmitResp(answer) => list.answer(answer.msg_id, answer.result),
        Pdu::DeliverResp(answer) => list.answer(answer.msg_id, answer.result),
        Pdu::Query(query) => list.query(query),
        Pdu::QueryResp(answer) => list.query_resp(answer),
        Pdu::Cancel(cancel) => list.add("Msg_Id", explained(cancel.msg_id)),
        Pdu::CancelResp(answer) => {
            let width = list.layout.or_other(answer.foreign).code_width();
            list.add(&format!("Success_Id({width})"), answer.success);
        }
        Pdu::ActiveTestResp(answer) => list.add("Reserved", answer.reserved.expect("a byte")),
        Pdu::ActiveTest(_) | Pdu::Terminate(_) | Pdu::TerminateResp(_) => {}
        Pdu::Fwd(_) | Pdu::FwdResp(_) | Pdu::Unknown { .. } => panic!("not in the files: {pdu:?}"),
    }
    list.fields
}

impl Listing {
    fn add(&mut self, name: &str, value: impl ToString) {
        self.fields.push((name.to_owned(), value.to_string()));
    }

    /// A field that only 3.0 has.
    fn add_type(&mut self, name: &str, value: u8) {
        match self.layout {
            Layout::Two => assert_eq!(value, 0),
            Layout::Three => self.add(name, value),
        }
    }

    fn add_link_id(&mut self, reserved: &str, value: impl ToString) {
        match self.layout {
            Layout::Two => self.add(reserved, value),
            Layout::Three => self.add("LinkID", value),
        }
    }

    fn connect(&mut self, connect: &Connect) {
        self.add("Source_Addr", connect.source_addr);
        self.add("AuthenticatorSource", hex(&connect.authenticator.0));
        self.add("Version", format!("{:#04x}", connect.version.0));
        self.add("Timestamp", connect.timestamp);
    }

    fn connect_resp(&mut self, answer: &ConnectResp) {
        self.add("Status", answer.status);
        self.add("AuthenticatorISMG", hex(&answer.authenticator.0));
        self.add("Version", format!("{:#04x}", answer.version.0));
    }

    fn submit(&mut self, submit: &Submit) {
        self.add("Msg_Id", submit.msg_id.0);
        self.add("Pk_total", submit.pk_total);
        self.add("Pk_number", submit.pk_number);
        self.add("Registered_Delivery", submit.registered_delivery);
        self.add("Msg_level", submit.msg_level);
        self.add("Service_Id", submit.service_id);
        self.add("Fee_UserType", submit.fee_user_type);
        self.add("Fee_terminal_Id", submit.fee_terminal_id);
        self.add_type("Fee_terminal_type", submit.fee_terminal_type);
        self.add("TP_pId", submit.tp_pid);
        self.add("TP_udhi", submit.tp_udhi);
        self.add("Msg_Fmt", submit.msg_fmt);
        self.add("Msg_src", submit.msg_src);
        self.add("FeeType", submit.fee_type);
        self.add("FeeCode", submit.fee_code);
        self.add("ValId_Time", submit.valid_time);
        self.add("At_Time", submit.at_time);
        self.add("Src_Id", submit.src_id);
        self.add("DestUsr_tl", submit.destinations.len());
        let quoted: Vec<_> = submit.destinations.iter().map(|number| format!("'{number}'")).collect();
        self.add("Dest_terminal_Id", format!("[{}]", quoted.join(", ")));
        self.add_type("Dest_terminal_type", submit.dest_terminal_type);
        self.add("Msg_Length", submit.content.len());
        self.add("Msg_Content", content(submit.msg_fmt, submit.tp_udhi == 1, &submit.content));
        self.add_link_id("Reserve", submit.link_id);
    }

    fn deliver(&mut self, deliver: &Deliver) {
        self.add("Msg_Id", explained(deliver.msg_id));
        self.add("Dest_Id", deliver.dest_id);
        self.add("Service_Id", deliver.service_id);
        self.add("TP_pid", deliver.tp_pid);
        self.add("TP_udhi", deliver.tp_udhi);
        self.add("Msg_Fmt", deliver.msg_fmt);
        self.add("Src_terminal_Id", deliver.src_terminal_id);
        self.add_type("Src_terminal_type", deliver.src_terminal_type);
        match &deliver.content {
            Content::Receipt(receipt) => self.receipt(receipt),
            Content::Octets { registered_delivery, octets } => {
                self.add("Registered_Delivery", registered_delivery);
                self.add("Msg_Length", octets.len());
                self.add("Msg_Content", content(deliver.msg_fmt, deliver.tp_udhi == 1, octets));
            }
        }
        self.add_link_id("Reserved", deliver.link_id);
    }

    fn receipt(&mut self, receipt: &Receipt) {
        let width = self.layout.or_other(receipt.foreign).number_width();
        self.add("Registered_Delivery", 1);
        self.add("Msg_Length", 39 + width);
        self.add("report.Msg_Id", explained(receipt.msg_id));
        self.add("report.Stat", receipt.stat);
        self.add("report.Submit_time", receipt.submit_time);
        self.add("report.Done_time", receipt.done_time);
        self.add(&format!("report.Dest_terminal_Id({width})"), receipt.destination);
        self.add("report.SMSC_sequence", receipt.smsc_sequence);
    }

    fn answer(&mut self, msg_id: MsgId, result: u32) {
        self.add("Msg_Id", explained(msg_id));
        self.add("Result", result);
    }

    fn query(&mut self, query: &Query) {
        self.add("Time", query.time);
        self.add("Query_Type", query.query_type);
        self.add("Query_Code", query.query_code);
        self.add("Reserve", query.reserve);
    }

    fn query_resp(&mut self, answer: &QueryResp) {
        self.add("Time", answer.time);
        self.add("Query_Type", answer.query_type);
        self.add("Query_Code", answer.query_code);
        self.add("MT_TLMsg", answer.mt_tl_msg);
        self.add("MT_Tlusr", answer.mt_tl_usr);
        self.add("MT_Scs", answer.mt_scs);
        self.add("MT_WT", answer.mt_wt);
        self.add("MT_FL", answer.mt_fl);
        self.add("MO_Scs", answer.mo_scs);
        self.add("MO_WT", answer.mo_wt);
        self.add("MO_FL", answer.mo_fl);
    }
}

fn explained(id: MsgId) -> String {
    let parts = id.parts();
    format!(
        "{:#018x} (month {} day {} hour {} min {} sec {} gateway {} seq {})",
        id.0, parts.month, parts.day, parts.hour, parts.minute, parts.second, parts.gateway, parts.sequence,
    )
}
