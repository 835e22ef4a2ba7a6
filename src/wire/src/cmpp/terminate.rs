//! TERMINATE, the end of a connection, from either side.

use super::layout::Layout;
use super::pdu::Body;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

/// No more requests follow. It has a header only, in both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminate;

/// The answer, after which the connection is closed. It has a header only, in both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminateResp;

impl Body for Terminate {
    fn read(_: Layout, _: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn write(&self, _: Layout, _: &mut Writer<'_>) {}
}

impl Body for TerminateResp {
    fn read(_: Layout, _: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }

    fn write(&self, _: Layout, _: &mut Writer<'_>) {}
}
