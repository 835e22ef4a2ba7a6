//! What gateways and carriers need of SGIP: its PDUs as the three protocols' common words, and back.

use domain::event::ReportState;
use domain::text::header;
use domain::{Disposition, Meaning, Number, Stamp};

use super::deliver::Deliver;
use super::pdu::Pdu;
use super::private::{Content, UserNumber};
use super::protocol::narrow;
use super::report::{self, Report};
use super::resp::Resp;
use super::sequence::Sequence;
use super::submit::{self, Submit};
use super::userrpt::UserRpt;
use super::{Sgip, codes};
use crate::error::DecodeError;
use crate::exchange::{self, Answer, Incoming, MessageId, Mo, Profile, ReportWish};
use crate::protocol::Messages;
use crate::text::Text;

impl Messages for Sgip {
    fn submit(submit: &exchange::Submit, profile: &Profile) -> Pdu {
        Pdu::Submit(Submit {
            sp_number: submit.source,
            charge_number: sp_pays(),
            users: submit.destinations.iter().map(with_country_code).collect(),
            corp_id: Text::cut(profile.enterprise.as_bytes()),
            service_type: profile.service,
            fee_type: decimal(&profile.fee_type).unwrap_or(FREE),
            fee_value: profile.fee_code.or(b"0"),
            given_value: Text::cut(b"0"),
            agent_flag: RECEIVABLE,
            more_late_to_mt: NOT_AFTER_MO,
            priority: submit.priority.min(9),
            expire_time: Text::cut(submit.valid_until.as_bytes()),
            schedule_time: Text::EMPTY,
            report_flag: match submit.report {
                ReportWish::Never => submit::REPORT_NEVER,
                ReportWish::OnFailure => submit::REPORT_ON_FAILURE,
                ReportWish::Always => submit::REPORT_ALWAYS,
            },
            tp_pid: 0,
            tp_udhi: u8::from(submit.header),
            coding: submit.coding,
            message_type: 0,
            content: Content(submit.content.clone()),
            reserve: Text::EMPTY,
        })
    }

    fn read_submit(pdu: &Pdu) -> Option<exchange::Submit> {
        let Pdu::Submit(submit) = pdu else { return None };
        let header = submit.tp_udhi != 0;
        let (part, parts) = if header { part_of(&submit.content.0) } else { WHOLE };
        Some(exchange::Submit {
            source: submit.sp_number,
            destinations: submit.users.iter().map(|user| user.0).collect(),
            coding: submit.coding,
            header,
            part,
            parts,
            content: submit.content.0.clone(),
            report: match submit.report_flag {
                submit::REPORT_ALWAYS => ReportWish::Always,
                submit::REPORT_ON_FAILURE => ReportWish::OnFailure,
                _ => ReportWish::Never,
            },
            priority: submit.priority,
            valid_until: Text::cut(submit.expire_time.as_bytes()),
        })
    }

    fn answer(answer: &Answer) -> Pdu {
        Pdu::SubmitResp(Resp::new(narrow(answer.code)))
    }

    fn read_answer(sequence: Sequence, pdu: &Pdu) -> Option<Answer> {
        let Pdu::SubmitResp(resp) = pdu else { return None };
        Some(Answer { code: u32::from(resp.result), id: Some(sequence.into()) })
    }

    fn deliver(incoming: &Incoming, _: Stamp) -> Option<Pdu> {
        Some(match incoming {
            Incoming::Report(report) => Pdu::Report(Report {
                submit_sequence: report.about.into(),
                report_type: 0,
                user: UserNumber(Text::cut(report.destination.as_bytes())),
                state: state(report.state),
                error: decimal(&report.error).unwrap_or(0),
                reserve: Text::EMPTY,
            }),
            Incoming::Mo(mo) => Pdu::Deliver(Deliver {
                user: UserNumber(Text::cut(mo.source.as_bytes())),
                sp_number: mo.destination,
                tp_pid: 0,
                tp_udhi: u8::from(mo.header),
                coding: mo.coding,
                content: Content(mo.content.clone()),
                reserve: Text::cut(mo.link_id.as_bytes()),
            }),
            Incoming::UserState { user, condition } => Pdu::UserRpt(UserRpt {
                sp_number: Text::EMPTY,
                user: UserNumber(*user),
                condition: *condition,
                reserve: Text::EMPTY,
            }),
        })
    }

    fn read_deliver(sequence: Sequence, pdu: &Pdu) -> Option<Result<Incoming, DecodeError>> {
        Some(Ok(match pdu {
            Pdu::Report(report) | Pdu::ReportAsDeliver(report) => {
                Incoming::Report(read_report(sequence, report))
            }
            Pdu::Deliver(deliver) => Incoming::Mo(Mo {
                id: sequence.into(),
                source: Text::cut(deliver.user.0.as_bytes()),
                destination: deliver.sp_number,
                coding: deliver.coding,
                header: deliver.tp_udhi != 0,
                content: deliver.content.0.clone(),
                link_id: Text::cut(deliver.reserve.as_bytes()),
            }),
            Pdu::UserRpt(userrpt) => {
                Incoming::UserState { user: userrpt.user.0, condition: userrpt.condition }
            }
            _ => return None,
        }))
    }

    fn deliver_answer(request: &Pdu, code: u32) -> Pdu {
        let result = narrow(code);
        Pdu::answer(request.command(), result).unwrap_or_else(|| Pdu::DeliverResp(Resp::new(result)))
    }

    fn read_deliver_answer(pdu: &Pdu) -> Option<u32> {
        match pdu {
            Pdu::DeliverResp(resp) | Pdu::ReportResp(resp) | Pdu::UserRptResp(resp) => {
                Some(u32::from(resp.result))
            }
            _ => None,
        }
    }

    fn message_id(sequence: Sequence, _: u32, _: u32, _: Stamp) -> MessageId {
        sequence.into()
    }

    fn busy() -> u32 {
        u32::from(codes::FLOW_CONTROL)
    }

    fn is_repeat(code: u32) -> bool {
        code == u32::from(codes::SEQUENCE)
    }

    fn meaning(code: u32) -> Meaning {
        codes::meaning(code)
    }

    fn report_meaning(report: &exchange::Report) -> Meaning {
        match report.state {
            ReportState::Delivered => {
                Meaning { disposition: Disposition::Accepted, chinese: "已送达", english: "delivered" }
            }
            ReportState::Waiting => {
                Meaning { disposition: Disposition::Accepted, chinese: "等待发送", english: "on its way" }
            }
            ReportState::Failed => match decimal(&report.error) {
                None | Some(codes::OK) => {
                    Meaning { disposition: Disposition::Final, chinese: "发送失败", english: "failed" }
                }
                Some(error) => {
                    Meaning { disposition: Disposition::Final, ..codes::meaning(u32::from(error)) }
                }
            },
        }
    }

    fn state_word(state: ReportState) -> (Text<10>, Text<3>) {
        let error = if state == ReportState::Failed { codes::USER_UNREACHABLE } else { codes::OK };
        words(self::state(state), error)
    }
}

/// `FeeType`
const FREE: u8 = 1;
/// `AgentFlag`
const RECEIVABLE: u8 = 0;
/// `MorelatetoMTFlag`
const NOT_AFTER_MO: u8 = 2;
/// The part and the parts of a message that is not split.
const WHOLE: (u8, u8) = (1, 1);

/// `ChargeNumber`
fn sp_pays() -> UserNumber {
    UserNumber(Text::from_field([b'0'; 21]))
}

/// A Chinese mobile number gets its 86; anything else goes as it is.
fn with_country_code(number: &Text<21>) -> UserNumber {
    let number = match number.to_text().parse::<Number>() {
        Ok(number) => Text::cut(number.international().as_bytes()),
        Err(_) => *number,
    };
    UserNumber(number)
}

fn decimal<const N: usize>(text: &Text<N>) -> Option<u8> {
    std::str::from_utf8(text.as_bytes()).ok()?.parse().ok()
}

/// Part and parts out of the user data header, SGIP's only place for them.
fn part_of(content: &[u8]) -> (u8, u8) {
    header::read(content).part.map_or(WHOLE, |part| (part.part(), part.parts()))
}

fn read_report(sequence: Sequence, report: &Report) -> exchange::Report {
    let (word, error) = words(report.state, report.error);
    exchange::Report {
        about: report.submit_sequence.into(),
        id: Some(sequence.into()),
        state: match report.state {
            report::DELIVERED => ReportState::Delivered,
            report::WAITING => ReportState::Waiting,
            // What is neither here nor on its way has failed; the word keeps the state as it came.
            _ => ReportState::Failed,
        },
        word,
        error,
        destination: Text::cut(report.user.0.as_bytes()),
        source: Text::EMPTY,
        submitted: Text::EMPTY,
        done: Text::EMPTY,
    }
}

fn state(state: ReportState) -> u8 {
    match state {
        ReportState::Delivered => report::DELIVERED,
        ReportState::Waiting => report::WAITING,
        ReportState::Failed => report::FAILED,
    }
}

/// `state:error`, and the error alone; both are shorter than their fields.
fn words(state: u8, error: u8) -> (Text<10>, Text<3>) {
    let word = format!("{state}:{error}").parse().unwrap_or_default();
    (word, error.to_string().parse().unwrap_or_default())
}
