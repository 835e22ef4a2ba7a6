//! The receipt: what a DELIVER says about a submit.

use std::fmt;

use super::layout::Layout;
use super::msg_id::MsgId;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// The content of a DELIVER whose `Registered_Delivery` is 1.
///
/// ```text
///                     2.0   3.0
/// Msg_Id                8     8   of the answer to the submit
/// Stat                  7     7   DELIVRD, EXPIRED, ...
/// Submit_time          10    10   YYMMDDhhmm
/// Done_time            10    10   YYMMDDhhmm
/// Dest_terminal_Id     21    32   a destination of the submit
/// SMSC_sequence         4     4
///                      60    71   in all
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    pub msg_id: MsgId,
    pub stat: Text<7>,
    pub submit_time: Text<10>,
    pub done_time: Text<10>,
    pub destination: Text<32>,
    pub smsc_sequence: u32,
    /// Has the other version's layout: many in the field send 60 bytes in 3.0 also.
    pub foreign: bool,
}

impl Receipt {
    /// Reads a content by its length.
    ///
    /// # Errors
    /// Neither 60 nor 71 bytes.
    pub fn read(layout: Layout, content: &[u8]) -> Result<Self, DecodeError> {
        let actual = match content.len() {
            SHORT => Layout::Two,
            LONG => Layout::Three,
            have @ ..SHORT => return Err(DecodeError::Short { field: "receipt", need: SHORT, have }),
            have @ ..LONG => return Err(DecodeError::Short { field: "receipt", need: LONG, have }),
            have => return Err(DecodeError::Trailing { extra: have - LONG }),
        };
        let mut reader = Reader::new(content);
        Ok(Self {
            msg_id: reader.u64("receipt Msg_Id").map(MsgId)?,
            stat: reader.text("Stat")?,
            submit_time: reader.text("Submit_time")?,
            done_time: reader.text("Done_time")?,
            destination: actual.read_number(&mut reader, "receipt Dest_terminal_Id")?,
            smsc_sequence: reader.u32("SMSC_sequence")?,
            foreign: actual != layout,
        })
    }

    /// Its length as a content, in bytes.
    pub(super) fn length(&self, layout: Layout) -> u8 {
        match layout.or_other(self.foreign) {
            Layout::Two => SHORT as u8,
            Layout::Three => LONG as u8,
        }
    }

    pub(super) fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
        writer.text(&self.stat);
        writer.text(&self.submit_time);
        writer.text(&self.done_time);
        layout.or_other(self.foreign).write_number(writer, &self.destination);
        writer.u32(self.smsc_sequence);
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt {{ about {:?}: {:?} }}", self.msg_id, self.stat)
    }
}

/// In 2.0.
const SHORT: usize = 60;
/// In 3.0.
const LONG: usize = 71;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_by_its_length_whatever_the_version() {
        let mut content = [0; LONG];
        content[7] = 9;
        content[8..15].copy_from_slice(b"DELIVRD");
        content[35..46].copy_from_slice(b"13800138000");
        for layout in [Layout::Two, Layout::Three] {
            for length in [SHORT, LONG] {
                let receipt = Receipt::read(layout, &content[..length]).unwrap();
                assert_eq!((receipt.msg_id, receipt.stat.as_bytes()), (MsgId(9), b"DELIVRD" as &[u8]));
                assert_eq!(receipt.destination.as_bytes(), b"13800138000");
                assert_eq!(usize::from(receipt.length(layout)), length);
            }
        }
    }

    #[test]
    fn another_length_is_an_error_that_says_so() {
        let read = |length| Receipt::read(Layout::Two, &[0; 100][..length]);
        assert_eq!(read(59), Err(DecodeError::Short { field: "receipt", need: 60, have: 59 }));
        assert_eq!(read(61), Err(DecodeError::Short { field: "receipt", need: 71, have: 61 }));
        assert_eq!(read(72), Err(DecodeError::Trailing { extra: 1 }));
        assert_eq!(read(0), Err(DecodeError::Short { field: "receipt", need: 60, have: 0 }));
    }
}
