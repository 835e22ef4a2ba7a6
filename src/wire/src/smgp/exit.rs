//! EXIT and EXIT_RESP.

/// Ends a session, from either end; no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit;

/// No body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitResp;
