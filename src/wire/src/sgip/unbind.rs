//! `UNBIND`: the client has nothing left to send and has all its answers.

use super::field::skip_second_reserve;
use crate::cursor::Reader;
use crate::error::DecodeError;

/// `UNBIND`, 20 bytes: the header alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbind;

impl Unbind {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        skip_second_reserve(reader)?;
        Ok(Self)
    }
}

/// The answer to [`Unbind`], 20 bytes: the header alone. Gateways are known to send a result and more behind it, so
/// any body is taken, and none is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnbindResp;

impl UnbindResp {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.skip_rest();
        Ok(Self)
    }
}
