//! DELIVER, a message of a user or a receipt.

use std::fmt;

use super::layout::Layout;
use super::msg_id::MsgId;
use super::pdu::Body;
use super::receipt::Receipt;
use crate::counted::Counted;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// From the gateway.
///
/// ```text
///                       2.0   3.0
/// Msg_Id                  8     8   this DELIVER's own
/// Dest_Id                21    21   the access number; in a receipt Src_Id of the submit
/// Service_Id             10    10
/// TP_pid                  1     1   GSM 03.40
/// TP_udhi                 1     1   1: the content begins with a user data header
/// Msg_Fmt                 1     1   coding of the content
/// Src_terminal_Id        21    32   the user; in a receipt the destination of the submit
/// Src_terminal_type       -     1   0 number, 1 pseudo code
/// Registered_Delivery     1     1   0 message, 1 receipt
/// Msg_Length              1     1   L
/// Msg_Content             L     L   message, or receipt
/// Reserved, LinkID        8    20   of an on-demand service
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Deliver {
    pub msg_id: MsgId,
    pub dest_id: Text<21>,
    pub service_id: Text<10>,
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub msg_fmt: u8,
    pub src_terminal_id: Text<32>,
    pub src_terminal_type: u8,
    /// With `Registered_Delivery`.
    pub content: Content,
    /// The reserved bytes in 2.0.
    pub link_id: Text<20>,
}

/// What a DELIVER carries.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// `Registered_Delivery` is 1, and the length is that of a receipt.
    Receipt(Receipt),
    /// All else.
    Octets { registered_delivery: u8, octets: Counted<u8> },
}

/// The customer's answer: it has the message.
///
/// ```text
///           2.0   3.0
/// Msg_Id      8     8   of the DELIVER
/// Result      1     4   0 for taken
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverResp {
    pub msg_id: MsgId,
    pub result: u32,
}

/// `Registered_Delivery` of a receipt.
pub const RECEIPT: u8 = 1;

impl Body for Deliver {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            msg_id: reader.u64("Msg_Id").map(MsgId)?,
            dest_id: reader.text("Dest_Id")?,
            service_id: reader.text("Service_Id")?,
            tp_pid: reader.u8("TP_pid")?,
            tp_udhi: reader.u8("TP_udhi")?,
            msg_fmt: reader.u8("Msg_Fmt")?,
            src_terminal_id: layout.read_number(reader, "Src_terminal_Id")?,
            src_terminal_type: layout.read_type(reader, "Src_terminal_type")?,
            content: Content::read(layout, reader)?,
            link_id: layout.read_link_id(reader)?,
        })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
        writer.text(&self.dest_id);
        writer.text(&self.service_id);
        writer.u8(self.tp_pid);
        writer.u8(self.tp_udhi);
        writer.u8(self.msg_fmt);
        layout.write_number(writer, &self.src_terminal_id);
        layout.write_type(writer, self.src_terminal_type);
        self.content.write(layout, writer);
        layout.write_link_id(writer, &self.link_id);
    }
}

impl fmt::Debug for Deliver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deliver {{ {:?}, coding {}, {:?} }}", self.msg_id, self.msg_fmt, self.content)
    }
}

impl Content {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let registered_delivery = reader.u8("Registered_Delivery")?;
        let octets = Counted::slice(reader, "Msg_Content")?;
        if registered_delivery == RECEIPT
            && let Ok(receipt) = Receipt::read(layout, octets)
        {
            return Ok(Self::Receipt(receipt));
        }
        let octets = Counted::cut(octets.iter().copied());
        Ok(Self::Octets { registered_delivery, octets })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        match self {
            Self::Receipt(receipt) => {
                writer.u8(RECEIPT);
                writer.u8(receipt.length(layout));
                receipt.write(layout, writer);
            }
            Self::Octets { registered_delivery, octets } => {
                writer.u8(*registered_delivery);
                octets.write(writer);
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receipt(receipt) => receipt.fmt(f),
            Self::Octets { registered_delivery, octets } => {
                write!(f, "{} bytes, Registered_Delivery {registered_delivery}", octets.len())
            }
        }
    }
}

impl Body for DeliverResp {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let msg_id = reader.u64("Msg_Id").map(MsgId)?;
        Ok(Self { msg_id, result: Layout::of_code(reader, 0).read_code(reader, "Result")? })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
        layout.write_code(writer, self.result);
    }
}
