//! CANCEL, which takes a submit back that has not been forwarded yet.

use super::layout::Layout;
use super::msg_id::MsgId;
use super::pdu::Body;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

/// The customer's request.
///
/// ```text
///           2.0   3.0
/// Msg_Id      8     8   of the answer to the submit
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancel {
    pub msg_id: MsgId,
}

/// The gateway's answer.
///
/// ```text
///               2.0   3.0
/// Success_Id      1     4   0 done, 1 not
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelResp {
    pub success: u32,
    /// Has the other version's layout: a gateway of the field sends four bytes in 2.0 also.
    pub foreign: bool,
}

impl Body for Cancel {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { msg_id: reader.u64("Msg_Id").map(MsgId)? })
    }

    fn write(&self, _: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
    }
}

impl Body for CancelResp {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let actual = Layout::of_code(reader, 0);
        Ok(Self { success: actual.read_code(reader, "Success_Id")?, foreign: actual != layout })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        layout.or_other(self.foreign).write_code(writer, self.success);
    }
}
