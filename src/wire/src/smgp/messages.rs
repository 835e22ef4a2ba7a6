//! SMGP as a gateway and a carrier see it.

use domain::event::ReportState;
use domain::{Meaning, Stamp};

use crate::counted::Counted;
use crate::error::DecodeError;
use crate::exchange::{Answer, Incoming, MessageId, Mo, Profile, Report, Submit};
use crate::protocol::Messages;
use crate::smgp::deliver::{Deliver, DeliverResp, REPORT};
use crate::smgp::msg_id::MsgId;
use crate::smgp::pdu::Pdu;
use crate::smgp::receipt::Receipt;
use crate::smgp::submit::{MT, Submit as SubmitPdu, SubmitResp};
use crate::smgp::tlv::{self, Tlvs};
use crate::smgp::{Smgp, codes};
use crate::text::Text;

impl Messages for Smgp {
    fn submit(submit: &Submit, profile: &Profile) -> Pdu {
        Pdu::Submit(SubmitPdu {
            msg_type: MT,
            need_report: submit.report.flag(),
            priority: to_priority(submit.priority),
            service_id: profile.service,
            fee_type: profile.fee_type.or(b"00"),
            fee_code: profile.fee_code.or(b"000000"),
            fixed_fee: Text::from_field(*b"000000"),
            msg_format: submit.coding,
            valid_time: submit.valid_until,
            at_time: Text::EMPTY,
            src_term_id: submit.source,
            charge_term_id: Text::EMPTY,
            dest_term_ids: submit.destinations.clone(),
            msg_content: Counted::cut(submit.content.iter().copied()),
            reserve: [0; 8],
            tlvs: submit_tlvs(submit, profile),
        })
    }

    fn read_submit(pdu: &Pdu) -> Option<Submit> {
        let Pdu::Submit(submit) = pdu else { return None };
        // 0 is the word of some senders for a message of one part.
        let count = |tag| submit.tlvs.number(tag).unwrap_or(1).max(1);
        Some(Submit {
            source: submit.src_term_id,
            destinations: submit.dest_term_ids.clone(),
            coding: submit.msg_format,
            header: has_header(&submit.tlvs),
            part: count(tlv::PK_NUMBER),
            parts: count(tlv::PK_TOTAL),
            content: submit.msg_content.to_vec(),
            report: (submit.need_report == 1).into(),
            priority: from_priority(submit.priority),
            valid_until: submit.valid_time,
        })
    }

    fn answer(answer: &Answer) -> Pdu {
        let msg_id = answer.id.map_or(MsgId::NONE, MsgId::from);
        Pdu::SubmitResp(SubmitResp { msg_id, status: answer.code })
    }

    fn read_answer(_sequence: u32, pdu: &Pdu) -> Option<Answer> {
        let Pdu::SubmitResp(answer) = pdu else { return None };
        let id = (answer.msg_id != MsgId::NONE).then(|| answer.msg_id.into());
        Some(Answer { code: answer.status, id })
    }

    fn deliver(incoming: &Incoming, stamp: Stamp) -> Option<Pdu> {
        match incoming {
            Incoming::Report(report) => Some(Pdu::Deliver(deliver_report(report, stamp))),
            Incoming::Mo(mo) => Some(Pdu::Deliver(deliver_mo(mo, stamp))),
            Incoming::UserState { .. } => None,
        }
    }

    fn read_deliver(_sequence: u32, pdu: &Pdu) -> Option<Result<Incoming, DecodeError>> {
        let Pdu::Deliver(deliver) = pdu else { return None };
        Some(if deliver.is_report == REPORT {
            read_report(deliver).map(Incoming::Report)
        } else {
            Ok(Incoming::Mo(read_mo(deliver)))
        })
    }

    fn deliver_answer(request: &Pdu, code: u32) -> Pdu {
        let msg_id = match request {
            Pdu::Deliver(deliver) => deliver.msg_id,
            _ => MsgId::NONE,
        };
        Pdu::DeliverResp(DeliverResp { msg_id, status: code })
    }

    fn read_deliver_answer(pdu: &Pdu) -> Option<u32> {
        let Pdu::DeliverResp(answer) = pdu else { return None };
        Some(answer.status)
    }

    fn message_id(_sequence: u32, carrier: u32, count: u32, stamp: Stamp) -> MessageId {
        MsgId::new(carrier, stamp, count).into()
    }

    fn busy() -> u32 {
        codes::BUSY
    }

    fn is_repeat(code: u32) -> bool {
        code == codes::SEQUENCE
    }

    fn meaning(code: u32) -> Meaning {
        codes::meaning(code)
    }

    fn report_meaning(report: &Report) -> Meaning {
        codes::report_meaning(report.word.as_bytes(), report.error.as_bytes())
    }

    fn state_word(state: ReportState) -> (Text<10>, Text<3>) {
        let (stat, err) = codes::report_words(state);
        (Text::cut(stat.as_bytes()), Text::cut(err.as_bytes()))
    }
}

/// 0 to 9 as 0 to 3.
fn to_priority(priority: u8) -> u8 {
    priority.min(9) * 4 / 10
}

/// The other way, so that the way back gives the same.
fn from_priority(priority: u8) -> u8 {
    priority.min(3) * 3
}

/// A plain short message needs none; what is the account's is said only where the account has it.
fn submit_tlvs(submit: &Submit, profile: &Profile) -> Tlvs {
    let mut tlvs = Tlvs::default();
    if submit.header {
        tlvs.push_number(tlv::TP_UDHI, 1);
    }
    if submit.parts > 1 {
        tlvs.push_number(tlv::PK_TOTAL, submit.parts);
        tlvs.push_number(tlv::PK_NUMBER, submit.part);
    }
    if !profile.enterprise.is_empty() {
        tlvs.push_text(tlv::MSG_SRC, &profile.enterprise);
    }
    if !profile.product.is_empty() {
        tlvs.push_text(tlv::M_SERVICE_ID, &profile.product);
    }
    tlvs
}

fn has_header(tlvs: &Tlvs) -> bool {
    tlvs.number(tlv::TP_UDHI) == Some(1)
}

fn deliver_report(report: &Report, stamp: Stamp) -> Deliver {
    let delivered = if report.state == ReportState::Delivered { b"001" } else { b"000" };
    let receipt = Receipt {
        msg_id: report.about.into(),
        sub: Text::from_field(*b"001"),
        dlvrd: Text::from_field(*delivered),
        submit_date: report.submitted,
        done_date: report.done,
        stat: Text::cut(report.word.as_bytes()),
        err: report.error,
        text: Text::cut(b"000"),
    };
    Deliver {
        msg_id: report.id.unwrap_or(report.about).into(),
        is_report: REPORT,
        msg_format: 0,
        recv_time: recv_time(stamp),
        src_term_id: Text::cut(report.destination.as_bytes()),
        dest_term_id: report.source,
        msg_content: Counted::cut(receipt.write()),
        reserve: [0; 8],
        tlvs: Tlvs::default(),
    }
}

fn deliver_mo(mo: &Mo, stamp: Stamp) -> Deliver {
    let mut tlvs = Tlvs::default();
    if mo.header {
        tlvs.push_number(tlv::TP_UDHI, 1);
    }
    if !mo.link_id.is_empty() {
        tlvs.push_text(tlv::LINK_ID, &mo.link_id);
    }
    Deliver {
        msg_id: mo.id.into(),
        is_report: 0,
        msg_format: mo.coding,
        recv_time: recv_time(stamp),
        src_term_id: Text::cut(mo.source.as_bytes()),
        dest_term_id: mo.destination,
        msg_content: Counted::cut(mo.content.iter().copied()),
        reserve: [0; 8],
        tlvs,
    }
}

fn read_report(deliver: &Deliver) -> Result<Report, DecodeError> {
    let receipt = Receipt::read(&deliver.msg_content)?;
    Ok(Report {
        about: receipt.msg_id.into(),
        id: Some(deliver.msg_id.into()),
        state: codes::report_state(receipt.stat.as_bytes()),
        word: Text::cut(receipt.stat.as_bytes()),
        error: receipt.err,
        destination: Text::cut(deliver.src_term_id.as_bytes()),
        source: deliver.dest_term_id,
        submitted: receipt.submit_date,
        done: receipt.done_date,
    })
}

fn read_mo(deliver: &Deliver) -> Mo {
    Mo {
        id: deliver.msg_id.into(),
        source: Text::cut(deliver.src_term_id.as_bytes()),
        destination: deliver.dest_term_id,
        coding: deliver.msg_format,
        header: has_header(&deliver.tlvs),
        content: deliver.msg_content.to_vec(),
        link_id: deliver.tlvs.text(tlv::LINK_ID).unwrap_or_default(),
    }
}

/// YYYYMMDDHHMMSS.
fn recv_time(stamp: Stamp) -> Text<14> {
    Text::cut(format!("{:04}{:010}", stamp.year, stamp.month_to_second()).as_bytes())
}
