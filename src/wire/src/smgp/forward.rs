//! FORWARD and FORWARD_RESP, which gateways send each other.

use std::fmt;

use crate::counted::Counted;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::smgp::msg_id::MsgId;
use crate::smgp::tlv::Tlvs;
use crate::text::Text;

/// A message or report on its way between two gateways.
///
/// | field                                      | bytes    | content                              |
/// |--------------------------------------------|----------|--------------------------------------|
/// | MsgID                                      | 10       |                                      |
/// | DestSMGWNo, SrcSMGWNo, SMCNo               | 6 each   | numbers of gateways and centre       |
/// | MsgType                                    | 1        | as in SUBMIT                         |
/// | ReportFlag                                 | 1        | 0 a report, 1 wanted, 2 not wanted   |
/// | Priority                                   | 1        | 0 low to 3 high                      |
/// | ServiceID                                  | 10       | as in SUBMIT, as are the next        |
/// | FeeType, FeeCode, FixedFee                 | 2, 6, 6  |                                      |
/// | MsgFormat                                  | 1        |                                      |
/// | ValidTime, AtTime                          | 17 each  |                                      |
/// | SrcTermID, DestTermID, ChargeTermID        | 21 each  |                                      |
/// | MsgLength, MsgContent                      | 1, L     |                                      |
/// | Reserve                                    | 8        |                                      |
/// | TLVs                                       |          | optional, in any order               |
#[derive(Clone, PartialEq, Eq)]
pub struct Forward {
    pub msg_id: MsgId,
    pub dest_smgw_no: Text<6>,
    pub src_smgw_no: Text<6>,
    pub smc_no: Text<6>,
    pub msg_type: u8,
    pub report_flag: u8,
    pub priority: u8,
    pub service_id: Text<10>,
    pub fee_type: Text<2>,
    pub fee_code: Text<6>,
    pub fixed_fee: Text<6>,
    pub msg_format: u8,
    pub valid_time: Text<17>,
    pub at_time: Text<17>,
    pub src_term_id: Text<21>,
    pub dest_term_id: Text<21>,
    pub charge_term_id: Text<21>,
    pub msg_content: Counted<u8>,
    pub reserve: [u8; 8],
    pub tlvs: Tlvs,
}

impl Forward {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            msg_id: MsgId(body.array("MsgID")?),
            dest_smgw_no: body.text("DestSMGWNo")?,
            src_smgw_no: body.text("SrcSMGWNo")?,
            smc_no: body.text("SMCNo")?,
            msg_type: body.u8("MsgType")?,
            report_flag: body.u8("ReportFlag")?,
            priority: body.u8("Priority")?,
            service_id: body.text("ServiceID")?,
            fee_type: body.text("FeeType")?,
            fee_code: body.text("FeeCode")?,
            fixed_fee: body.text("FixedFee")?,
            msg_format: body.u8("MsgFormat")?,
            valid_time: body.text("ValidTime")?,
            at_time: body.text("AtTime")?,
            src_term_id: body.text("SrcTermID")?,
            dest_term_id: body.text("DestTermID")?,
            charge_term_id: body.text("ChargeTermID")?,
            msg_content: Counted::read(body, "MsgContent")?,
            reserve: body.array("Reserve")?,
            tlvs: Tlvs::read(body)?,
        })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.msg_id.0);
        out.text(&self.dest_smgw_no);
        out.text(&self.src_smgw_no);
        out.text(&self.smc_no);
        out.u8(self.msg_type);
        out.u8(self.report_flag);
        out.u8(self.priority);
        out.text(&self.service_id);
        out.text(&self.fee_type);
        out.text(&self.fee_code);
        out.text(&self.fixed_fee);
        out.u8(self.msg_format);
        out.text(&self.valid_time);
        out.text(&self.at_time);
        out.text(&self.src_term_id);
        out.text(&self.dest_term_id);
        out.text(&self.charge_term_id);
        self.msg_content.write(out);
        out.bytes(&self.reserve);
        self.tlvs.write(out);
    }
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward")
            .field("msg_id", &self.msg_id)
            .field("dest_smgw_no", &self.dest_smgw_no)
            .field("src_smgw_no", &self.src_smgw_no)
            .field("report_flag", &self.report_flag)
            .field("msg_format", &self.msg_format)
            .field("msg_length", &self.msg_content.len())
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

/// The answer of the gateway that was asked.
///
/// | field  | bytes | content                          |
/// |--------|-------|----------------------------------|
/// | MsgID  | 10    | of the FORWARD                   |
/// | Status | 4     | 0 or a code of [`super::codes`]  |
/// | TLVs   |       | `PkTotal`, `PkNumber`            |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardResp {
    pub msg_id: MsgId,
    pub status: u32,
    pub tlvs: Tlvs,
}

impl ForwardResp {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { msg_id: MsgId(body.array("MsgID")?), status: body.u32("Status")?, tlvs: Tlvs::read(body)? })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.msg_id.0);
        out.u32(self.status);
        self.tlvs.write(out);
    }
}
