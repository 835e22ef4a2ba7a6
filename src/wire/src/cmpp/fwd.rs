//! FWD, a message from one gateway to another. A customer never sees it.

use std::fmt;

use super::layout::Layout;
use super::msg_id::MsgId;
use super::pdu::Body;
use crate::counted::Counted;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// A message on its way. Numbers have 21 bytes in both versions here.
///
/// ```text
///                          2.0   3.0
/// Source_Id                  6     6
/// Destination_Id             6     6
/// NodesCount                 1     1
/// Msg_Fwd_Type               1     1   0 MT, 1 MO, 2 receipt of an MT, 3 of an MO
/// Msg_Id                     8     8
/// Pk_total                   1     1
/// Pk_number                  1     1
/// Registered_Delivery        1     1
/// Msg_level                  1     1
/// Service_Id                10    10
/// Fee_UserType               1     1
/// Fee_terminal_Id           21    21
/// Fee_terminal_Pseudo        -    32
/// Fee_terminal_UserType      -     1
/// TP_pid                     1     1
/// TP_udhi                    1     1
/// Msg_Fmt                    1     1
/// Msg_src                    6     6
/// FeeType                    2     2
/// FeeCode                    6     6
/// Valid_Time                17    17
/// At_Time                   17    17
/// Src_Id                    21    21
/// Src_Pseudo                 -    32
/// Src_UserType               -     1
/// Src_type                   -     1
/// DestUsr_tl                 1     1   n; 3.0: 1
/// Dest_Id                 21*n  21*n
/// Dest_Pseudo                -    32
/// Dest_UserType              -     1
/// Msg_Length                 1     1   L
/// Msg_Content                L     L
/// Reserve, LinkID            8    20
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fwd {
    pub source_id: Text<6>,
    pub destination_id: Text<6>,
    pub nodes_count: u8,
    pub msg_fwd_type: u8,
    pub msg_id: MsgId,
    pub pk_total: u8,
    pub pk_number: u8,
    pub registered_delivery: u8,
    pub msg_level: u8,
    pub service_id: Text<10>,
    pub fee_user_type: u8,
    pub fee_terminal_id: Text<21>,
    pub fee_terminal_pseudo: Text<32>,
    pub fee_terminal_user_type: u8,
    pub tp_pid: u8,
    pub tp_udhi: u8,
    pub msg_fmt: u8,
    pub msg_src: Text<6>,
    pub fee_type: Text<2>,
    pub fee_code: Text<6>,
    pub valid_time: Text<17>,
    pub at_time: Text<17>,
    pub src_id: Text<21>,
    pub src_pseudo: Text<32>,
    pub src_user_type: u8,
    pub src_type: u8,
    pub destinations: Counted<Text<21>>,
    pub dest_pseudo: Text<32>,
    pub dest_user_type: u8,
    pub content: Counted<u8>,
    /// The reserved bytes in 2.0.
    pub link_id: Text<20>,
}

/// The answer.
///
/// ```text
///             2.0   3.0
/// Msg_Id        8     8   as in the FWD, as are the next two
/// Pk_total      1     1
/// Pk_number     1     1
/// Result        1     4   0 for taken
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FwdResp {
    pub msg_id: MsgId,
    pub pk_total: u8,
    pub pk_number: u8,
    pub result: u32,
}

impl Body for Fwd {
    fn read(layout: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            source_id: reader.text("Source_Id")?,
            destination_id: reader.text("Destination_Id")?,
            nodes_count: reader.u8("NodesCount")?,
            msg_fwd_type: reader.u8("Msg_Fwd_Type")?,
            msg_id: reader.u64("Msg_Id").map(MsgId)?,
            pk_total: reader.u8("Pk_total")?,
            pk_number: reader.u8("Pk_number")?,
            registered_delivery: reader.u8("Registered_Delivery")?,
            msg_level: reader.u8("Msg_level")?,
            service_id: reader.text("Service_Id")?,
            fee_user_type: reader.u8("Fee_UserType")?,
            fee_terminal_id: reader.text("Fee_terminal_Id")?,
            fee_terminal_pseudo: layout.read_pseudo(reader, "Fee_terminal_Pseudo")?,
            fee_terminal_user_type: layout.read_type(reader, "Fee_terminal_UserType")?,
            tp_pid: reader.u8("TP_pid")?,
            tp_udhi: reader.u8("TP_udhi")?,
            msg_fmt: reader.u8("Msg_Fmt")?,
            msg_src: reader.text("Msg_src")?,
            fee_type: reader.text("FeeType")?,
            fee_code: reader.text("FeeCode")?,
            valid_time: reader.text("Valid_Time")?,
            at_time: reader.text("At_Time")?,
            src_id: reader.text("Src_Id")?,
            src_pseudo: layout.read_pseudo(reader, "Src_Pseudo")?,
            src_user_type: layout.read_type(reader, "Src_UserType")?,
            src_type: layout.read_type(reader, "Src_type")?,
            destinations: Counted::read_texts(reader, NUMBER, "Dest_Id")?,
            dest_pseudo: layout.read_pseudo(reader, "Dest_Pseudo")?,
            dest_user_type: layout.read_type(reader, "Dest_UserType")?,
            content: Counted::read(reader, "Msg_Content")?,
            link_id: layout.read_link_id(reader)?,
        })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.text(&self.source_id);
        writer.text(&self.destination_id);
        writer.u8(self.nodes_count);
        writer.u8(self.msg_fwd_type);
        writer.u64(self.msg_id.0);
        writer.u8(self.pk_total);
        writer.u8(self.pk_number);
        writer.u8(self.registered_delivery);
        writer.u8(self.msg_level);
        writer.text(&self.service_id);
        writer.u8(self.fee_user_type);
        writer.text(&self.fee_terminal_id);
        layout.write_pseudo(writer, &self.fee_terminal_pseudo);
        layout.write_type(writer, self.fee_terminal_user_type);
        writer.u8(self.tp_pid);
        writer.u8(self.tp_udhi);
        writer.u8(self.msg_fmt);
        writer.text(&self.msg_src);
        writer.text(&self.fee_type);
        writer.text(&self.fee_code);
        writer.text(&self.valid_time);
        writer.text(&self.at_time);
        writer.text(&self.src_id);
        layout.write_pseudo(writer, &self.src_pseudo);
        layout.write_type(writer, self.src_user_type);
        layout.write_type(writer, self.src_type);
        self.destinations.write_texts(writer, NUMBER);
        layout.write_pseudo(writer, &self.dest_pseudo);
        layout.write_type(writer, self.dest_user_type);
        self.content.write(writer);
        layout.write_link_id(writer, &self.link_id);
    }
}

impl fmt::Debug for Fwd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Fwd {{ {:?}, type {}, part {}/{}, {} bytes, to {} numbers }}",
            self.msg_id,
            self.msg_fwd_type,
            self.pk_number,
            self.pk_total,
            self.content.len(),
            self.destinations.len(),
        )
    }
}

impl Body for FwdResp {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            msg_id: reader.u64("Msg_Id").map(MsgId)?,
            pk_total: reader.u8("Pk_total")?,
            pk_number: reader.u8("Pk_number")?,
            result: Layout::of_code(reader, 0).read_code(reader, "Result")?,
        })
    }

    fn write(&self, layout: Layout, writer: &mut Writer<'_>) {
        writer.u64(self.msg_id.0);
        writer.u8(self.pk_total);
        writer.u8(self.pk_number);
        layout.write_code(writer, self.result);
    }
}

const NUMBER: usize = 21;
