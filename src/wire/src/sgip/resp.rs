//! The answer to nearly every command.

use super::field::{RESERVE, reserve};
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// `BIND_RESP`, `SUBMIT_RESP`, `DELIVER_RESP`, `REPORT_RESP`, `USERRPT_RESP` and most answers of
/// [`super::routing`], 29 bytes with the header.
///
/// | field   | size | meaning |
/// |---------|------|---------|
/// | Result  | 1    | see [`super::codes`] |
/// | Reserve | 8    | left out by some senders |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resp {
    pub result: u8,
    pub reserve: Text<RESERVE>,
}

impl Resp {
    /// With an empty reserve.
    #[must_use]
    pub fn new(result: u8) -> Self {
        Self { result, reserve: Text::EMPTY }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { result: reader.u8("Result")?, reserve: reserve(reader)? })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.result);
        writer.text(&self.reserve);
    }
}
