//! QUERY and QUERY_RESP; gateways need not serve them.

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// Asks for the counts of a day.
///
/// | field     | bytes | content                              |
/// |-----------|-------|--------------------------------------|
/// | QueryTime | 8     | YYYYMMDD                             |
/// | QueryType | 1     | 0 of all services, 1 of `QueryCode`  |
/// | QueryCode | 10    | a service code                       |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub time: Text<8>,
    pub kind: u8,
    pub code: Text<10>,
}

impl Query {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { time: body.text("QueryTime")?, kind: body.u8("QueryType")?, code: body.text("QueryCode")? })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.text(&self.time);
        out.u8(self.kind);
        out.text(&self.code);
    }
}

/// The counts.
///
/// | field                              | bytes  | content                                                   |
/// |------------------------------------|--------|-----------------------------------------------------------|
/// | QueryTime, QueryType, QueryCode    | 19     | the question                                              |
/// | MT_TLMsg, MT_TLUsr                 | 4 each | from the SP: messages, users                              |
/// | MT_Scs, MT_WT, MT_FL               | 4 each | forwarded, waiting, failed                                |
/// | MO_Scs, MO_WT, MO_FL               | 4 each | to the SP: delivered, waiting, failed                     |
/// | Reserve                            | 8      |                                                           |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryResp {
    pub query: Query,
    pub mt_messages: u32,
    pub mt_users: u32,
    pub mt_succeeded: u32,
    pub mt_waiting: u32,
    pub mt_failed: u32,
    pub mo_succeeded: u32,
    pub mo_waiting: u32,
    pub mo_failed: u32,
    pub reserve: [u8; 8],
}

impl QueryResp {
    pub(super) fn read(body: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            query: Query::read(body)?,
            mt_messages: body.u32("MT_TLMsg")?,
            mt_users: body.u32("MT_TLUsr")?,
            mt_succeeded: body.u32("MT_Scs")?,
            mt_waiting: body.u32("MT_WT")?,
            mt_failed: body.u32("MT_FL")?,
            mo_succeeded: body.u32("MO_Scs")?,
            mo_waiting: body.u32("MO_WT")?,
            mo_failed: body.u32("MO_FL")?,
            reserve: body.array("Reserve")?,
        })
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        self.query.write(out);
        for count in [
            self.mt_messages,
            self.mt_users,
            self.mt_succeeded,
            self.mt_waiting,
            self.mt_failed,
            self.mo_succeeded,
            self.mo_waiting,
            self.mo_failed,
        ] {
            out.u32(count);
        }
        out.bytes(&self.reserve);
    }
}
