//! SUBMIT, a message to users.

use std::fmt;

use super::layout::Layout;
use super::msg_id::MsgId;
use super::pdu::Body;
use crate::counted::Counted;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// The most destinations that the standard allows in one SUBMIT.
pub const MOST_DESTINATIONS: usize = 99;

/// The customer's message, or one part of a long one.
///
/// ```text
///                       2.0   3.0
/// Msg_Id                  8     8   the gateway's; 0
/// Pk_total                1     1   parts, from 1
/// Pk_number               1     1   which part, from 1
/// Registered_Delivery     1     1   1 for a receipt; 2.0: 2 for a billing record only
/// Msg_level               1     1   priority, 0 to 9
/// Service_Id             10    10
/// Fee_UserType            1     1   who pays: 0 destination, 1 source, 2 customer, 3 Fee_terminal_Id
/// Fee_terminal_Id        21    32
/// Fee_terminal_type       -     1   0 number, 1 pseudo code
/// TP_pId                  1     1   GSM 03.40
/// TP_udhi                 1     1   1: the content begins with a user data header
/// Msg_Fmt                 1     1   coding of the content
/// Msg_src                 6     6   the customer's id
/// FeeType                 2     2   01 free, 02 a message, 03 a month
/// FeeCode                 6     6   fen
/// ValId_Time             17    17   expiry, SMPP 3.3
/// At_Time                17    17   not before, SMPP 3.3
/// Src_Id                 21    21   the number that the handset shows
/// DestUsr_tl              1     1   n, 1 to 99
/// Dest_terminal_Id     21*n  32*n
/// Dest_terminal_type      -     1   0 numbers, 1 pseudo codes
/// Msg_Length              1     1   L
/// Msg_Content             L     L
/// Reserve, LinkID         8    20   of an on-demand service
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Submit {
    /// To be ignored: some customers fill it in.
    pub msg_id: MsgId,
    pub pk_total: u8,
    pub pk_number: u8,
    pub registered_delivery: u8,
    pub msg_level: u8,
    pub service_id: Text<10>,
    pub fee_user_type: u8,
    pub fee_terminal_id: Text<32>,
    pub fee_terminal_type: u8,
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub msg_fmt: u8,
    pub msg_src: Text<6>,
    pub fee_type: Text<2>,
    pub fee_code: Text<6>,
    pub valid_time: Text<17>,
    pub at_time: Text<17>,
    pub src_id: Text<21>,
    /// The standard has 1 to [`MOST_DESTINATIONS`]; any number that the length has room for is read.
    pub destinations: Counted<Text<32>>,
    pub dest_terminal_type: u8,
    pub content: Counted<u8>,
    /// The reserved bytes in 2.0.
    pub link_id: Text<20>,
}

/// The gateway's answer: one, however many destinations. `msg_id` is the first destination's, the others follow by one.
///
/// ```text
///           2.0   3.0
/// Msg_Id      8     8
/// Result      1     4   0 for taken
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmitResp {
    pub msg_id: MsgId,
    pub result: u32,
}

impl Body for Submit {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            msg_id: reader.u64("Msg_Id").map(MsgId)?,
            pk_total: reader.u8("Pk_total")?,
            pk_number: reader.u8("Pk_number")?,
            registered_delivery: reader.u8("Registered_Delivery")?,
            msg_level: reader.u8("Msg_level")?,
            service_id: reader.text("Service_Id")?,
            fee_user_type: reader.u8("Fee_UserType")?,
            fee_terminal_id: layout.read_number(reader, "Fee_terminal_Id")?,
            fee_terminal_type: layout.read_type(reader, "Fee_terminal_type")?,
            tp_pid: reader.u8("TP_pId")?,
            tp_udhi: reader.u8("TP_udhi")?,
            msg_fmt: reader.u8("Msg_Fmt")?,
            msg_src: reader.text("Msg_src")?,
            fee_type: reader.text("FeeType")?,
            fee_code: reader.text("FeeCode")?,
            valid_time: reader.text("ValId_Time")?,
            at_time: reader.text("At_Time")?,
            src_id: reader.text("Src_Id")?,
            destinations: Counted::read_texts(reader, layout.number_width(), "Dest_terminal_Id")?,
            dest_terminal_type: layout.read_type(reader, "Dest_terminal_type")?,
            content: Counted::read(reader, "Msg_Content")?,
            link_id: layout.read_link_id(reader)?,
        })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
        writer.u8(self.pk_total);
        writer.u8(self.pk_number);
        writer.u8(self.registered_delivery);
        writer.u8(self.msg_level);
        writer.text(&self.service_id);
        writer.u8(self.fee_user_type);
        layout.write_number(writer, &self.fee_terminal_id);
        layout.write_type(writer, self.fee_terminal_type);
        writer.u8(self.tp_pid);
        writer.u8(self.tp_udhi);
        writer.u8(self.msg_fmt);
        writer.text(&self.msg_src);
        writer.text(&self.fee_type);
        writer.text(&self.fee_code);
        writer.text(&self.valid_time);
        writer.text(&self.at_time);
        writer.text(&self.src_id);
        self.destinations.write_texts(writer, layout.number_width());
        layout.write_type(writer, self.dest_terminal_type);
        self.content.write(writer);
        layout.write_link_id(writer, &self.link_id);
    }
}

impl fmt::Debug for Submit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Submit {{ part {}/{}, coding {}, {} bytes, to {} numbers }}",
            self.pk_number,
            self.pk_total,
            self.msg_fmt,
            self.content.len(),
            self.destinations.len(),
        )
    }
}

impl Body for SubmitResp {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let msg_id = reader.u64("Msg_Id").map(MsgId)?;
        Ok(Self { msg_id, result: Layout::of_code(reader, 0).read_code(reader, "Result")? })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
        layout.write_code(writer, self.result);
    }
}
