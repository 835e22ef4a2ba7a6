//! ACTIVE_TEST, the probe of an idle connection, from either side.

use super::layout::Layout;
use super::pdu::Body;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;

/// Asks for a sign of life. It has a header only, in both versions; a body is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveTest;

/// The sign of life.
///
/// ```text
///             2.0   3.0
/// Reserved      1     1   0
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveTestResp {
    /// Some in the field leave it out. More than that is passed over.
    pub reserved: Option<u8>,
}

impl Body for ActiveTest {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.skip_rest();
        Ok(Self)
    }

    fn write(&self, _: Layout, _: &mut Writer<'_>) {}
}

impl Body for ActiveTestResp {
    fn read(_: Layout, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let reserved = if reader.remaining() == 0 { None } else { Some(reader.u8("Reserved")?) };
        reader.skip_rest();
        Ok(Self { reserved })
    }

    fn write(&self, _: Layout, writer: &mut Writer<'_>) {
        if let Some(reserved) = self.reserved {
            writer.u8(reserved);
        }
    }
}
