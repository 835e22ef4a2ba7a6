//! The numbers of the codecs.

use serde::Serialize;

use crate::spread::Spread;

/// The finished table.
#[derive(Debug, Default, Serialize)]
pub struct Codec {
    /// CPU time of each measurement.
    pub measure_ms: u128,
    pub lines: Vec<Line>,
}

/// One PDU; nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub protocol: &'static str,
    pub pdu: &'static str,
    /// Of the frame.
    pub bytes: usize,
    /// Of its bytes, into memory that is there.
    pub copy: Spread,
    pub encode: Spread,
    pub decode: Spread,
}
