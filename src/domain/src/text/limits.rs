//! How much fits into one short message.

use super::Coding;

/// The limits of a carrier, in bytes of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    ascii_single: usize,
}

/// What the air interface carries in one message, when a character is a byte: all three protocols have it as the
/// limit of what is not ASCII. A part of a long ASCII message is held to it as well: what is packed into 7 bits behind
/// a header is counted differently by different gateways, this fits everywhere.
const OCTETS: usize = 140;

impl Limits {
    /// China Mobile: the standard has "less than 160" for ASCII.
    #[must_use]
    pub const fn cmpp() -> Self {
        Self { ascii_single: 159 }
    }

    /// China Unicom.
    #[must_use]
    pub const fn sgip() -> Self {
        Self { ascii_single: 160 }
    }

    /// China Telecom: one limit for everything.
    #[must_use]
    pub const fn smgp() -> Self {
        Self { ascii_single: OCTETS }
    }

    /// The most bytes of a message in one piece.
    #[must_use]
    pub const fn single(&self, coding: Coding) -> usize {
        match coding {
            Coding::Ascii => self.ascii_single,
            Coding::Binary | Coding::Ucs2 | Coding::Gb18030 | Coding::Other(_) => OCTETS,
        }
    }

    /// The most bytes of one of several parts, with its header.
    #[must_use]
    pub const fn part(&self) -> usize {
        OCTETS
    }
}
