//! `REPORT`: what became of a submit, from the carrier.

use super::field::body;
use super::private::UserNumber;
use super::sequence::Sequence;

/// `State`: on the handset.
pub const DELIVERED: u8 = 0;
/// `State`: on its way; another report may follow.
pub const WAITING: u8 = 1;
/// `State`: failed; `ErrorCode` says why.
pub const FAILED: u8 = 2;

/// The body, in bytes.
pub(super) const SIZE: usize = 44;

body! {
    /// `REPORT`, 64 bytes with the header. A submit to several users gets one for each, told apart by the number.
    ///
    /// | field                | size | meaning |
    /// |----------------------|------|---------|
    /// | SubmitSequenceNumber | 12   | the sequence of the submit |
    /// | ReportType           | 1    | 0 about a `SUBMIT`, 1 about a forwarded `DELIVER` |
    /// | UserNumber           | 21   | the destination |
    /// | State                | 1    | [`DELIVERED`], [`WAITING`], [`FAILED`] |
    /// | ErrorCode            | 1    | if failed, see [`super::codes`]; else 0 |
    /// | Reserve              | 8    | |
    pub struct Report {
        submit_sequence: Sequence = "SubmitSequenceNumber",
        report_type: u8 = "ReportType",
        user: UserNumber = "UserNumber",
        state: u8 = "State",
        error: u8 = "ErrorCode",
    }
}
