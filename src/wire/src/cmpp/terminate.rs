//! TERMINATE, the end of a connection, from either side.

use super::layout::Layout;
use super::pdu::Body;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

/// No more requests follow. It has a header only, in both versions; a body is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminate;

/// The answer, after which the connection is closed. It has a header only, in both versions; a body is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminateResp;

impl Body for Terminate {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.skip_rest();
        Ok(Self)
    }

    fn write(&self, _: Layout, _: &mut Writer<'_>) {}
}

impl Body for TerminateResp {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.skip_rest();
        Ok(Self)
    }

    fn write(&self, _: Layout, _: &mut Writer<'_>) {}
}
