//! The PDU: what follows the header.
//!
//! The header, 20 bytes:
//!
//! | field          | size | meaning |
//! |----------------|------|---------|
//! | Message_Length | 4    | of the whole PDU |
//! | Command_Id     | 4    | see [`super::command`] |
//! | Sequence       | 12   | see [`Sequence`] |

use super::bind::Bind;
use super::command::{
    BIND, BIND_RESP, DELIVER, DELIVER_RESP, REPORT, REPORT_RESP, RESP, SUBMIT, SUBMIT_RESP, TRACE,
    TRACE_RESP, UNBIND, UNBIND_RESP, USERRPT, USERRPT_RESP,
};
use super::deliver::Deliver;
use super::field::Field;
use super::private::Content;
use super::report::{self, Report};
use super::resp::Resp;
use super::routing::Routing;
use super::sequence::Sequence;
use super::submit::Submit;
use super::trace::{Hop, Trace, TraceResp};
use super::unbind::{Unbind, UnbindResp};
use super::userrpt::UserRpt;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

/// Length, command id and sequence, in bytes.
pub const HEADER: u32 = 20;

/// A PDU without its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pdu {
    Bind(Bind),
    BindResp(Resp),
    Unbind(Unbind),
    UnbindResp(UnbindResp),
    Submit(Submit),
    SubmitResp(Resp),
    Deliver(Deliver),
    DeliverResp(Resp),
    Report(Report),
    /// A report that comes as a `DELIVER`, as one gateway of the field sends it; it is answered as one.
    ReportAsDeliver(Report),
    ReportResp(Resp),
    UserRpt(UserRpt),
    UserRptResp(Resp),
    Trace(Trace),
    TraceResp(TraceResp),
    Routing(Routing),
    /// A command that the standard does not have.
    Unknown {
        command: u32,
        body: Content,
    },
}

impl Pdu {
    #[must_use]
    pub fn command(&self) -> u32 {
        match self {
            Self::Bind(_) => BIND,
            Self::BindResp(_) => BIND_RESP,
            Self::Unbind(_) => UNBIND,
            Self::UnbindResp(_) => UNBIND_RESP,
            Self::Submit(_) => SUBMIT,
            Self::SubmitResp(_) => SUBMIT_RESP,
            Self::Deliver(_) | Self::ReportAsDeliver(_) => DELIVER,
            Self::DeliverResp(_) => DELIVER_RESP,
            Self::Report(_) => REPORT,
            Self::ReportResp(_) => REPORT_RESP,
            Self::UserRpt(_) => USERRPT,
            Self::UserRptResp(_) => USERRPT_RESP,
            Self::Trace(_) => TRACE,
            Self::TraceResp(_) => TRACE_RESP,
            Self::Routing(routing) => routing.command(),
            Self::Unknown { command, .. } => *command,
        }
    }

    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.command() & RESP != 0
    }

    /// The answer to the request `command` that says `result` and nothing more; `None` if `command` is none of
    /// the standard's requests.
    #[must_use]
    pub fn answer(command: u32, result: u8) -> Option<Self> {
        let resp = Resp::new(result);
        Some(match command {
            BIND => Self::BindResp(resp),
            UNBIND => Self::UnbindResp(UnbindResp),
            SUBMIT => Self::SubmitResp(resp),
            DELIVER => Self::DeliverResp(resp),
            REPORT => Self::ReportResp(resp),
            USERRPT => Self::UserRptResp(resp),
            TRACE => Self::TraceResp(TraceResp { hops: vec![Hop { result, ..Hop::default() }] }),
            _ => return Routing::answer(command, result).map(Self::Routing),
        })
    }

    pub(super) fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(frame);
        let (_, command) = read_header(&mut reader)?;
        let pdu = Self::read(command, &mut reader)?;
        reader.finish()?;
        Ok(pdu)
    }

    pub(super) fn encode(&self, sequence: Sequence, out: &mut Vec<u8>) {
        let mut writer = Writer::frame(out);
        writer.u32(self.command());
        sequence.write(&mut writer);
        self.write(&mut writer);
        writer.finish();
    }

    fn read(command: u32, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match command {
            BIND => Bind::read(reader).map(Self::Bind),
            BIND_RESP => Resp::read(reader).map(Self::BindResp),
            UNBIND => Unbind::read(reader).map(Self::Unbind),
            UNBIND_RESP => UnbindResp::read(reader).map(Self::UnbindResp),
            SUBMIT => Submit::read(reader).map(Self::Submit),
            SUBMIT_RESP => Resp::read(reader).map(Self::SubmitResp),
            // shorter than any message of a user
            DELIVER if reader.remaining() == report::SIZE => Report::read(reader).map(Self::ReportAsDeliver),
            DELIVER => Deliver::read(reader).map(Self::Deliver),
            DELIVER_RESP => Resp::read(reader).map(Self::DeliverResp),
            REPORT => Report::read(reader).map(Self::Report),
            REPORT_RESP => Resp::read(reader).map(Self::ReportResp),
            USERRPT => UserRpt::read(reader).map(Self::UserRpt),
            USERRPT_RESP => Resp::read(reader).map(Self::UserRptResp),
            TRACE => Trace::read(reader).map(Self::Trace),
            TRACE_RESP => TraceResp::read(reader).map(Self::TraceResp),
            _ => match Routing::read(command, reader) {
                Some(routing) => routing.map(Self::Routing),
                None => {
                    let body = reader.slice("body", reader.remaining())?;
                    Ok(Self::Unknown { command, body: Content(body.to_vec()) })
                }
            },
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Bind(bind) => bind.write(writer),
            Self::Submit(submit) => submit.write(writer),
            Self::Deliver(deliver) => deliver.write(writer),
            Self::Report(report) | Self::ReportAsDeliver(report) => report.write(writer),
            Self::UserRpt(userrpt) => userrpt.write(writer),
            Self::Trace(trace) => trace.write(writer),
            Self::TraceResp(resp) => resp.write(writer),
            Self::Routing(routing) => routing.write(writer),
            Self::Unknown { body, .. } => writer.bytes(&body.0),
            Self::Unbind(Unbind) | Self::UnbindResp(UnbindResp) => {}
            Self::BindResp(resp)
            | Self::SubmitResp(resp)
            | Self::DeliverResp(resp)
            | Self::ReportResp(resp)
            | Self::UserRptResp(resp) => resp.write(writer),
        }
    }
}

/// Sequence and command id; the length is the frame's own.
pub(super) fn read_header(reader: &mut Reader<'_>) -> Result<(Sequence, u32), DecodeError> {
    reader.u32("Message_Length")?;
    let command = reader.u32("Command_Id")?;
    let sequence = Sequence::read(reader, "Sequence")?;
    Ok((sequence, command))
}
