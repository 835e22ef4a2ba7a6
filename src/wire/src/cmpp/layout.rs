//! Where 2.0 and 3.0 differ: the widths of numbers, codes and the last field, and bytes that only 3.0 has.

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::protocol::Version;
use crate::text::Text;

/// How the PDUs of a version are laid out.
///
/// ```text
///                                              2.0    3.0
/// numbers of users                              21     32
/// status, result, success                        1      4
/// Reserve (2.0), LinkID (3.0)                    8     20
/// receipt                                       60     71
/// types of numbers                               -      1
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Of 2.0 and 2.1.
    Two,
    /// Of 3.0.
    Three,
}

impl Layout {
    #[must_use]
    pub const fn of(version: Version) -> Self {
        if version.0 < 0x30 { Self::Two } else { Self::Three }
    }

    /// The other one if `foreign`: some in the field mix the two.
    #[must_use]
    pub const fn or_other(self, foreign: bool) -> Self {
        match (self, foreign) {
            (Self::Two, false) | (Self::Three, true) => Self::Two,
            (Self::Three, false) | (Self::Two, true) => Self::Three,
        }
    }

    /// In bytes, as are all widths.
    #[must_use]
    pub const fn number_width(self) -> usize {
        match self {
            Self::Two => 21,
            Self::Three => 32,
        }
    }

    #[must_use]
    pub const fn code_width(self) -> usize {
        match self {
            Self::Two => 1,
            Self::Three => 4,
        }
    }

    #[must_use]
    pub const fn link_width(self) -> usize {
        match self {
            Self::Two => 8,
            Self::Three => 20,
        }
    }

    /// The layout of a code with `behind` bytes after it, by what is left of the frame: the length tells it, whatever
    /// the version.
    pub(super) fn of_code(reader: &Reader<'_>, behind: usize) -> Self {
        if reader.remaining() == Self::Three.code_width() + behind { Self::Three } else { Self::Two }
    }

    pub(super) fn read_code(self, reader: &mut Reader<'_>, field: &'static str) -> Result<u32, DecodeError> {
        match self {
            Self::Two => reader.u8(field).map(u32::from),
            Self::Three => reader.u32(field),
        }
    }

    /// A code that one byte cannot hold becomes 255 in 2.0: any "other error".
    pub(super) fn write_code(self, writer: &mut Writer<'_>, code: u32) {
        match self {
            Self::Two => writer.u8(u8::try_from(code).unwrap_or(u8::MAX)),
            Self::Three => writer.u32(code),
        }
    }

    pub(super) fn read_number(
        self,
        reader: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<Text<32>, DecodeError> {
        reader.slice(field, self.number_width()).map(Text::cut)
    }

    /// 2.0 has room for 21 bytes; longer numbers (pseudo codes) are cut there.
    pub(super) fn write_number(self, writer: &mut Writer<'_>, number: &Text<32>) {
        writer.bytes(&number.field()[..self.number_width()]);
    }

    /// A byte that only 3.0 has; 0 in 2.0.
    pub(super) fn read_type(self, reader: &mut Reader<'_>, field: &'static str) -> Result<u8, DecodeError> {
        match self {
            Self::Two => Ok(0),
            Self::Three => reader.u8(field),
        }
    }

    pub(super) fn write_type(self, writer: &mut Writer<'_>, value: u8) {
        match self {
            Self::Two => {}
            Self::Three => writer.u8(value),
        }
    }

    /// A pseudo code of FWD, which only 3.0 has.
    pub(super) fn read_pseudo(
        self,
        reader: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<Text<32>, DecodeError> {
        match self {
            Self::Two => Ok(Text::EMPTY),
            Self::Three => reader.text(field),
        }
    }

    pub(super) fn write_pseudo(self, writer: &mut Writer<'_>, pseudo: &Text<32>) {
        match self {
            Self::Two => {}
            Self::Three => writer.text(pseudo),
        }
    }

    pub(super) fn read_link_id(self, reader: &mut Reader<'_>) -> Result<Text<20>, DecodeError> {
        reader.slice("LinkID", self.link_width()).map(Text::cut)
    }

    /// 2.0 has room for 8 bytes.
    pub(super) fn write_link_id(self, writer: &mut Writer<'_>, link_id: &Text<20>) {
        writer.bytes(&link_id.field()[..self.link_width()]);
    }
}

/// `value` in `N` decimal digits, the highest that do not fit left out.
pub(super) fn digits<const N: usize>(mut value: u64) -> [u8; N] {
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        #[allow(clippy::cast_possible_truncation)] // below 10
        let last = (value % 10) as u8;
        *digit += last;
        value /= 10;
    }
    digits
}
