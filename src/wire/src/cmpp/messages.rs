//! What a gateway and a carrier need.

use domain::event::ReportState;
use domain::{Meaning, Stamp};

use super::deliver::{Content, Deliver, DeliverResp, RECEIPT};
use super::layout::{Layout, digits};
use super::msg_id::MsgId;
use super::receipt::Receipt;
use super::submit::{Submit, SubmitResp};
use super::{Cmpp, Pdu, codes};
use crate::counted::Counted;
use crate::error::DecodeError;
use crate::exchange::{self, Answer, Incoming, MessageId, Mo, Profile, Report};
use crate::protocol::Messages;
use crate::text::Text;

impl Messages for Cmpp {
    /// The customer pays. More than 99 destinations are written as they are, for the carrier to refuse, and more than
    /// 255 destinations or bytes of content are cut: a caller asks for no such thing.
    fn submit(submit: &exchange::Submit, profile: &Profile) -> Pdu {
        Submit {
            pk_total: submit.parts,
            pk_number: submit.part,
            registered_delivery: submit.report.flag(),
            msg_level: submit.priority.min(9),
            service_id: profile.service,
            fee_user_type: CUSTOMER_PAYS,
            tp_udhi: submit.header.into(),
            msg_fmt: submit.coding,
            msg_src: Text::cut(profile.enterprise.as_bytes()),
            fee_type: profile.fee_type.or(FREE),
            fee_code: profile.fee_code.or(b"000000"),
            valid_time: submit.valid_until,
            src_id: submit.source,
            destinations: Counted::cut(submit.destinations.iter().map(|to| Text::cut(to.as_bytes()))),
            content: Counted::cut(submit.content.iter().copied()),
            ..Submit::default()
        }
        .into()
    }

    /// Destinations of more than 21 characters, which no number has, are cut.
    fn read_submit(pdu: &Pdu) -> Option<exchange::Submit> {
        let Pdu::Submit(submit) = pdu else { return None };
        Some(exchange::Submit {
            source: submit.src_id,
            destinations: submit.destinations.iter().map(|to| Text::cut(to.as_bytes())).collect(),
            coding: submit.msg_fmt,
            header: submit.tp_udhi != 0,
            // Some leave both at zero for a message in one piece.
            part: submit.pk_number.max(1),
            parts: submit.pk_total.max(1),
            content: submit.content.to_vec(),
            report: (submit.registered_delivery == RECEIPT).into(),
            priority: submit.msg_level,
            valid_until: submit.valid_time,
        })
    }

    fn answer(answer: &Answer) -> Pdu {
        let msg_id = answer.id.map(MsgId::from).unwrap_or_default();
        SubmitResp { msg_id, result: answer.code }.into()
    }

    fn read_answer(_: u32, pdu: &Pdu) -> Option<Answer> {
        let Pdu::SubmitResp(answer) = pdu else { return None };
        Some(Answer { code: answer.result, id: unless_zero(answer.msg_id) })
    }

    /// A report without a word or without a time gets the state's word and `stamp`.
    fn deliver(incoming: &Incoming, stamp: Stamp) -> Option<Pdu> {
        match incoming {
            Incoming::Report(report) => Some(report_pdu(report, stamp).into()),
            Incoming::Mo(mo) => Some(mo_pdu(mo).into()),
            Incoming::UserState { .. } => None,
        }
    }

    fn read_deliver(_: u32, pdu: &Pdu) -> Option<Result<Incoming, DecodeError>> {
        let Pdu::Deliver(deliver) = pdu else { return None };
        Some(match &deliver.content {
            Content::Receipt(receipt) => Ok(Incoming::Report(report(deliver, receipt))),
            // Any layout: only the length matters, and it is wrong.
            Content::Octets { registered_delivery: RECEIPT, octets } => {
                Receipt::read(Layout::Two, octets).map(|receipt| Incoming::Report(report(deliver, &receipt)))
            }
            Content::Octets { octets, .. } => Ok(Incoming::Mo(mo(deliver, octets))),
        })
    }

    fn deliver_answer(request: &Pdu, code: u32) -> Pdu {
        let msg_id = match request {
            Pdu::Deliver(deliver) => deliver.msg_id,
            _ => MsgId::default(),
        };
        DeliverResp { msg_id, result: code }.into()
    }

    fn read_deliver_answer(pdu: &Pdu) -> Option<u32> {
        let Pdu::DeliverResp(answer) = pdu else { return None };
        Some(answer.result)
    }

    /// Unique while `count` grows by less than 65536 a second.
    fn message_id(_: u32, carrier: u32, count: u32, stamp: Stamp) -> MessageId {
        #[allow(clippy::cast_possible_truncation)] // it wraps, as the standard has it
        let sequence = count as u16;
        MsgId::new(stamp, carrier, sequence).into()
    }

    fn busy() -> u32 {
        codes::TOO_FAST
    }

    fn is_repeat(code: u32) -> bool {
        code == codes::REPEATED_SEQUENCE
    }

    fn meaning(code: u32) -> Meaning {
        codes::submit(code)
    }

    fn report_meaning(report: &Report) -> Meaning {
        codes::stat(report.word.as_bytes())
    }

    fn state_word(state: ReportState) -> (Text<10>, Text<3>) {
        let word: &[u8] = match state {
            ReportState::Delivered => b"DELIVRD",
            ReportState::Failed => b"UNDELIV",
            ReportState::Waiting => b"ACCEPTD",
        };
        (Text::cut(word), Text::EMPTY)
    }
}

/// `Fee_UserType`.
const CUSTOMER_PAYS: u8 = 2;
/// `FeeType`.
const FREE: &[u8] = b"01";

fn report_pdu(report: &Report, stamp: Stamp) -> Deliver {
    let (word, _) = Cmpp::state_word(report.state);
    let receipt = Receipt {
        msg_id: report.about.into(),
        stat: Text::cut(report.word.or(word.as_bytes()).as_bytes()),
        submit_time: report.submitted,
        done_time: report.done.or(&year_to_minute(stamp)),
        destination: report.destination,
        smsc_sequence: 0,
        foreign: false,
    };
    Deliver {
        msg_id: report.id.map(MsgId::from).unwrap_or_default(),
        dest_id: report.source,
        service_id: Text::EMPTY,
        tp_pid: 0,
        tp_udhi: 0,
        msg_fmt: 0,
        src_terminal_id: report.destination,
        src_terminal_type: 0,
        content: Content::Receipt(receipt),
        link_id: Text::EMPTY,
    }
}

fn mo_pdu(mo: &Mo) -> Deliver {
    Deliver {
        msg_id: mo.id.into(),
        dest_id: mo.destination,
        service_id: Text::EMPTY,
        tp_pid: 0,
        tp_udhi: mo.header.into(),
        msg_fmt: mo.coding,
        src_terminal_id: mo.source,
        src_terminal_type: 0,
        content: Content::Octets { registered_delivery: 0, octets: Counted::cut(mo.content.iter().copied()) },
        link_id: mo.link_id,
    }
}

fn report(deliver: &Deliver, receipt: &Receipt) -> Report {
    let destination =
        if receipt.destination.is_empty() { deliver.src_terminal_id } else { receipt.destination };
    Report {
        about: receipt.msg_id.into(),
        id: unless_zero(deliver.msg_id),
        state: match receipt.stat.as_bytes() {
            b"DELIVRD" => ReportState::Delivered,
            b"ACCEPTD" => ReportState::Waiting,
            _ => ReportState::Failed,
        },
        word: Text::cut(receipt.stat.as_bytes()),
        error: Text::EMPTY,
        destination,
        source: deliver.dest_id,
        submitted: receipt.submit_time,
        done: receipt.done_time,
    }
}

fn mo(deliver: &Deliver, octets: &[u8]) -> Mo {
    Mo {
        id: deliver.msg_id.into(),
        source: deliver.src_terminal_id,
        destination: deliver.dest_id,
        coding: deliver.msg_fmt,
        header: deliver.tp_udhi != 0,
        content: octets.to_vec(),
        link_id: deliver.link_id,
    }
}

fn unless_zero(id: MsgId) -> Option<MessageId> {
    (id != MsgId::default()).then(|| id.into())
}

/// YYMMDDhhmm.
fn year_to_minute(stamp: Stamp) -> [u8; 10] {
    let Stamp { year, month, day, hour, minute, .. } = stamp;
    let number = [month, day, hour, minute]
        .into_iter()
        .fold(u64::from(year % 100), |number, part| number * 100 + u64::from(part % 100));
    digits(number)
}
