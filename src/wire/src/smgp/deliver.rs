//! DELIVER and DELIVER_RESP.

use std::fmt;

use crate::counted::Counted;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::smgp::msg_id::MsgId;
use crate::smgp::tlv::Tlvs;
use crate::text::Text;

/// `IsReport` of a report: the content is a [`super::receipt::Receipt`].
pub const REPORT: u8 = 1;

/// A message of a user, or a report.
///
/// | field      | bytes | content                                                                   |
/// |------------|-------|---------------------------------------------------------------------------|
/// | MsgID      | 10    | of this PDU; what a report is about stands in its text                    |
/// | IsReport   | 1     | 0 a message, [`REPORT`]                                                   |
/// | MsgFormat  | 1     | data coding, as in SUBMIT; does not count in a report                     |
/// | RecvTime   | 14    | YYYYMMDDHHMMSS                                                            |
/// | SrcTermID  | 21    | the user                                                                  |
/// | DestTermID | 21    | access number                                                             |
/// | MsgLength  | 1     | L                                                                         |
/// | MsgContent | L     |                                                                           |
/// | Reserve    | 8     |                                                                           |
/// | TLVs       |       | optional, in any order                                                    |
#[derive(Clone, PartialEq, Eq)]
pub struct Deliver {
    pub msg_id: MsgId,
    pub is_report: u8,
    pub msg_format: u8,
    pub recv_time: Text<14>,
    pub src_term_id: Text<21>,
    pub dest_term_id: Text<21>,
    pub msg_content: Counted<u8>,
    pub reserve: [u8; 8],
    pub tlvs: Tlvs,
}

impl Deliver {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            msg_id: MsgId(body.array("MsgID")?),
            is_report: body.u8("IsReport")?,
            msg_format: body.u8("MsgFormat")?,
            recv_time: body.text("RecvTime")?,
            src_term_id: body.text("SrcTermID")?,
            dest_term_id: body.text("DestTermID")?,
            msg_content: Counted::read(body, "MsgContent")?,
            reserve: body.array("Reserve")?,
            tlvs: Tlvs::read(body)?,
        })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.msg_id.0);
        out.u8(self.is_report);
        out.u8(self.msg_format);
        out.text(&self.recv_time);
        out.text(&self.src_term_id);
        out.text(&self.dest_term_id);
        self.msg_content.write(out);
        out.bytes(&self.reserve);
        self.tlvs.write(out);
    }
}

impl fmt::Debug for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliver")
            .field("msg_id", &self.msg_id)
            .field("is_report", &self.is_report)
            .field("msg_format", &self.msg_format)
            .field("recv_time", &self.recv_time)
            .field("msg_length", &self.msg_content.len())
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

/// The SP's answer.
///
/// | field  | bytes | content                          |
/// |--------|-------|----------------------------------|
/// | MsgID  | 10    | of the DELIVER                   |
/// | Status | 4     | 0 or a code of [`super::codes`]  |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverResp {
    pub msg_id: MsgId,
    pub status: u32,
}

impl DeliverResp {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { msg_id: MsgId(body.array("MsgID")?), status: body.u32("Status")? })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.msg_id.0);
        out.u32(self.status);
    }
}
