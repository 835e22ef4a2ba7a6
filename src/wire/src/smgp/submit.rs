//! SUBMIT and SUBMIT_RESP.

use std::fmt;

use crate::counted::Counted;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::Version;
use crate::smgp::msg_id::MsgId;
use crate::smgp::tlv::Tlvs;
use crate::text::Text;

/// The most destinations of one SUBMIT.
pub const MOST_DESTINATIONS: usize = 100;
/// `MsgType` of a message from the SP to a handset.
pub const MT: u8 = 6;

/// A message from the SP.
///
/// | field           | bytes  | content                                                             |
/// |-----------------|--------|---------------------------------------------------------------------|
/// | MsgType         | 1      | [`MT`]; 0 from a handset, 7 point to point                          |
/// | NeedReport      | 1      | 0, 1                                                                |
/// | Priority        | 1      | 0 low to 3 high                                                     |
/// | ServiceID       | 10     | service code (the mobile network has `MServiceID`)                  |
/// | FeeType         | 2      | 00 free, 01 each message, 02 monthly, 03 capped                     |
/// | FeeCode         | 6      | fen                                                                 |
/// | FixedFee        | 6      | fen a month, or the cap; not in version 1                           |
/// | MsgFormat       | 1      | data coding: 0 ASCII, 4 binary, 8 UCS2, 15 GB18030                  |
/// | ValidTime       | 17     | expiry in SMPP form; empty: the carrier's default                   |
/// | AtTime          | 17     | not before, in the same form; empty: at once                        |
/// | SrcTermID       | 21     | access number                                                       |
/// | ChargeTermID    | 21     | who pays; empty: the destination                                    |
/// | DestTermIDCount | 1      | n, at most 100                                                      |
/// | DestTermID      | 21 × n |                                                                     |
/// | MsgLength       | 1      | L; 140 at most in the standard, any length is read                  |
/// | MsgContent      | L      |                                                                     |
/// | Reserve         | 8      |                                                                     |
/// | TLVs            |        | optional, in any order                                              |
///
/// Destinations beyond [`MOST_DESTINATIONS`] have no place in it and are not written.
#[derive(Clone, PartialEq, Eq)]
pub struct Submit {
    pub msg_type: u8,
    pub need_report: u8,
    pub priority: u8,
    pub service_id: Text<10>,
    pub fee_type: Text<2>,
    pub fee_code: Text<6>,
    /// Empty in version 1.
    pub fixed_fee: Text<6>,
    pub msg_format: u8,
    pub valid_time: Text<17>,
    pub at_time: Text<17>,
    pub src_term_id: Text<21>,
    pub charge_term_id: Text<21>,
    pub dest_term_ids: Vec<Text<21>>,
    pub msg_content: Counted<u8>,
    pub reserve: [u8; 8],
    pub tlvs: Tlvs,
}

impl Submit {
    pub(super) fn read(version: Version, body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            msg_type: body.u8("MsgType")?,
            need_report: body.u8("NeedReport")?,
            priority: body.u8("Priority")?,
            service_id: body.text("ServiceID")?,
            fee_type: body.text("FeeType")?,
            fee_code: body.text("FeeCode")?,
            fixed_fee: if has_fixed_fee(version) { body.text("FixedFee")? } else { Text::EMPTY },
            msg_format: body.u8("MsgFormat")?,
            valid_time: body.text("ValidTime")?,
            at_time: body.text("AtTime")?,
            src_term_id: body.text("SrcTermID")?,
            charge_term_id: body.text("ChargeTermID")?,
            dest_term_ids: read_destinations(body)?,
            msg_content: Counted::read(body, "MsgContent")?,
            reserve: body.array("Reserve")?,
            tlvs: Tlvs::read(body)?,
        })
    }

    pub(super) fn write(&self, version: Version, out: &mut Writer<'_>) {
        out.u8(self.msg_type);
        out.u8(self.need_report);
        out.u8(self.priority);
        out.text(&self.service_id);
        out.text(&self.fee_type);
        out.text(&self.fee_code);
        if has_fixed_fee(version) {
            out.text(&self.fixed_fee);
        }
        out.u8(self.msg_format);
        out.text(&self.valid_time);
        out.text(&self.at_time);
        out.text(&self.src_term_id);
        out.text(&self.charge_term_id);
        write_destinations(&self.dest_term_ids, out);
        self.msg_content.write(out);
        out.bytes(&self.reserve);
        self.tlvs.write(out);
    }
}

impl fmt::Debug for Submit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submit")
            .field("msg_type", &self.msg_type)
            .field("need_report", &self.need_report)
            .field("priority", &self.priority)
            .field("service_id", &self.service_id)
            .field("msg_format", &self.msg_format)
            .field("destinations", &self.dest_term_ids.len())
            .field("msg_length", &self.msg_content.len())
            .field("tlvs", &self.tlvs)
            .finish_non_exhaustive()
    }
}

fn has_fixed_fee(version: Version) -> bool {
    version.0 >> 4 != 1
}

fn read_destinations(body: &mut Reader<'_>) -> Result<Vec<Text<21>>, DecodeError> {
    let count = body.u8("DestTermIDCount")?;
    if usize::from(count) > MOST_DESTINATIONS {
        return Err(DecodeError::Limit {
            field: "DestTermIDCount",
            value: count.into(),
            limit: MOST_DESTINATIONS as u32,
        });
    }
    let fields = body.slice("DestTermID", 21 * usize::from(count))?;
    let (fields, _) = fields.as_chunks::<21>();
    Ok(fields.iter().map(|field| Text::from_field(*field)).collect())
}

#[allow(clippy::cast_possible_truncation)] // at most 100
fn write_destinations(destinations: &[Text<21>], out: &mut Writer<'_>) {
    let destinations = &destinations[..destinations.len().min(MOST_DESTINATIONS)];
    out.u8(destinations.len() as u8);
    for destination in destinations {
        out.text(destination);
    }
}

/// The gateway's answer.
///
/// | field  | bytes | content                                                        |
/// |--------|-------|----------------------------------------------------------------|
/// | MsgID  | 10    | of the first destination; those of the others follow, by one   |
/// | Status | 4     | 0 or a code of [`super::codes`]                                |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitResp {
    pub msg_id: MsgId,
    pub status: u32,
}

impl SubmitResp {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { msg_id: MsgId(body.array("MsgID")?), status: body.u32("Status")? })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.bytes(&self.msg_id.0);
        out.u32(self.status);
    }
}
