//! ACTIVE_TEST and ACTIVE_TEST_RESP.

/// Asks whether the other end is there, from either end; no body. (CMPP's answer has one of a byte.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveTest;

/// No body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveTestResp;
