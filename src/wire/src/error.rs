//! What can be wrong with bytes.

use thiserror::Error;

/// Why a frame is not the PDU that its header says. The stream itself is still in step: the next frame can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A field would go beyond the end of the frame.
    #[error("`{field}` needs {need} bytes, {have} are left")]
    Short { field: &'static str, need: usize, have: usize },
    /// Bytes are left where the PDU should have ended.
    #[error("{extra} bytes are left after the last field")]
    Trailing { extra: usize },
    /// A count or length field has a value that the PDU does not allow.
    #[error("`{field}` is {value}, at most {limit} is allowed")]
    Limit { field: &'static str, value: u32, limit: u32 },
}

/// Why a stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("a length of {length} bytes; a PDU has {least} to {most}")]
    Length { length: u32, least: u32, most: u32 },
}

/// Why a text does not fit into a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    #[error("{length} bytes, the field holds {limit}")]
    TooLong { length: usize, limit: usize },
    /// Text ends at the first NUL; one inside cannot be carried.
    #[error("holds a NUL byte")]
    Nul,
}
