//! `DELIVER`: a message of a user, from the carrier.

use super::field::{RESERVE, reserve};
use super::private::{Content, UserNumber};
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// `DELIVER`, 77 + L bytes with the header.
///
/// | field          | size | meaning |
/// |----------------|------|---------|
/// | UserNumber     | 21   | the sender |
/// | SPNumber       | 21   | access number with its extension |
/// | TP_pid         | 1    | |
/// | TP_udhi        | 1    | 1: the content begins with a user data header |
/// | MessageCoding  | 1    | 0 ASCII, 4 binary, 8 UCS2, 15 GBK |
/// | MessageLength  | 4    | L |
/// | MessageContent | L    | |
/// | Reserve        | 8    | in practice the LinkID of an on-demand service |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    pub user: UserNumber,
    pub sp_number: Text<21>,
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub coding: u8,
    pub content: Content,
    pub reserve: Text<RESERVE>,
}

impl Deliver {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            user: UserNumber(reader.text("UserNumber")?),
            sp_number: reader.text("SPNumber")?,
            tp_pid: reader.u8("TP_pid")?,
            tp_udhi: reader.u8("TP_udhi")?,
            coding: reader.u8("MessageCoding")?,
            content: Content::read(reader)?,
            reserve: reserve(reader)?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.text(&self.user.0);
        writer.text(&self.sp_number);
        writer.u8(self.tp_pid);
        writer.u8(self.tp_udhi);
        writer.u8(self.coding);
        self.content.write(writer);
        writer.text(&self.reserve);
    }
}
