//! What an answer to a check means.

use std::fmt;

/// A pattern that an answer must match.
#[derive(Clone)]
pub enum Expect {
    /// These bytes occur somewhere.
    Bytes(Vec<u8>),
    /// This regular expression matches somewhere (bytes, not characters).
    Regex(regex::bytes::Regex),
}

impl PartialEq for Expect {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Bytes(_), Self::Regex(_)) | (Self::Regex(_), Self::Bytes(_)) => false,
        }
    }
}

impl fmt::Debug for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.escape_ascii()),
            Self::Regex(regex) => write!(f, "Regex({regex})"),
        }
    }
}
