//! QUERY, a day's numbers.

use super::layout::Layout;
use super::pdu::Body;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// The customer's request.
///
/// ```text
///               2.0   3.0
/// Time            8     8   YYYYMMDD
/// Query_Type      1     1   0 totals, 1 of a service
/// Query_Code     10    10   Service_Id in type 1
/// Reserve         8     8
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    pub time: Text<8>,
    pub query_type: u8,
    pub query_code: Text<10>,
    pub reserve: Text<8>,
}

/// The gateway's answer: counts of messages, but for `mt_tl_usr`.
///
/// ```text
///               2.0   3.0
/// Time            8     8   as asked, as are the next two
/// Query_Type      1     1
/// Query_Code     10    10
/// MT_TLMsg        4     4   taken from the customer
/// MT_Tlusr        4     4   users they were for
/// MT_Scs          4     4   forwarded
/// MT_WT           4     4   waiting
/// MT_FL           4     4   failed
/// MO_Scs          4     4   delivered to the customer
/// MO_WT           4     4   waiting
/// MO_FL           4     4   failed
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryResp {
    pub time: Text<8>,
    pub query_type: u8,
    pub query_code: Text<10>,
    pub mt_tl_msg: u32,
    pub mt_tl_usr: u32,
    pub mt_scs: u32,
    pub mt_wt: u32,
    pub mt_fl: u32,
    pub mo_scs: u32,
    pub mo_wt: u32,
    pub mo_fl: u32,
}

impl Body for Query {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            time: reader.text("Time")?,
            query_type: reader.u8("Query_Type")?,
            query_code: reader.text("Query_Code")?,
            reserve: reader.text("Reserve")?,
        })
    }

    fn write(&self, _: Layout, writer: &mut Writer<'_>) {
        writer.text(&self.time);
        writer.u8(self.query_type);
        writer.text(&self.query_code);
        writer.text(&self.reserve);
    }
}

impl Body for QueryResp {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            time: reader.text("Time")?,
            query_type: reader.u8("Query_Type")?,
            query_code: reader.text("Query_Code")?,
            mt_tl_msg: reader.u32("MT_TLMsg")?,
            mt_tl_usr: reader.u32("MT_Tlusr")?,
            mt_scs: reader.u32("MT_Scs")?,
            mt_wt: reader.u32("MT_WT")?,
            mt_fl: reader.u32("MT_FL")?,
            mo_scs: reader.u32("MO_Scs")?,
            mo_wt: reader.u32("MO_WT")?,
            mo_fl: reader.u32("MO_FL")?,
        })
    }

    fn write(&self, _: Layout, writer: &mut Writer<'_>) {
        writer.text(&self.time);
        writer.u8(self.query_type);
        writer.text(&self.query_code);
        for count in [
            self.mt_tl_msg,
            self.mt_tl_usr,
            self.mt_scs,
            self.mt_wt,
            self.mt_fl,
            self.mo_scs,
            self.mo_wt,
            self.mo_fl,
        ] {
            writer.u32(count);
        }
    }
}
