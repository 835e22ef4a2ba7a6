//! What an answer to a check means.

mod http;

use std::fmt;

pub use http::{BODY_LIMIT, HttpMismatch};

/// A pattern that an answer must match.
#[derive(Clone)]
pub enum Expect {
    /// These bytes occur somewhere.
    Bytes(Vec<u8>),
    /// This regular expression matches somewhere (bytes, not characters).
    Regex(regex::bytes::Regex),
}

impl Expect {
    /// Whether `answer` has the pattern somewhere.
    pub fn matches(&self, answer: &[u8]) -> bool {
        match self {
            Self::Bytes(bytes) if bytes.is_empty() => true,
            Self::Bytes(bytes) => answer.windows(bytes.len()).any(|window| window == bytes),
            Self::Regex(regex) => regex.is_match(answer),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_anywhere() {
        let expect = |pattern: &[u8]| Expect::Bytes(pattern.to_vec());
        assert!(expect(b"+PONG").matches(b"+PONG\r\n"));
        assert!(expect(b"NG").matches(b"+PONG"));
        assert!(expect(&[0x00, 0xff]).matches(&[0x01, 0x00, 0xff]));
        assert!(expect(b"").matches(b""));
        assert!(!expect(b"+PONG").matches(b"+PON"));
        assert!(!expect(b"pong").matches(b"+PONG"));
    }

    #[test]
    fn regexes_see_bytes() {
        let expect = |pattern| Expect::Regex(regex::bytes::Regex::new(pattern).unwrap());
        assert!(expect(r"^220[ -]").matches(b"220 mail ready"));
        assert!(!expect(r"^220[ -]").matches(b"421 220 busy"));
        assert!(expect(r"(?-u)\xff$").matches(&[0x80, 0xff]));
    }
}
