//! Octet strings of fixed width.

use std::fmt;
use std::str::FromStr;

use crate::error::TextError;

/// Text in a field of `N` bytes, padded with NUL on the wire; it may fill the field and then has no terminator.
/// Whatever stands after the first NUL is dropped on reading.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    length: u8,
}

impl<const N: usize> Text<N> {
    pub const EMPTY: Self = Self { bytes: [0; N], length: 0 };

    /// # Errors
    /// Too long, or a NUL inside.
    pub fn new(text: &[u8]) -> Result<Self, TextError> {
        if text.len() > N {
            return Err(TextError::TooLong { length: text.len(), limit: N });
        }
        if text.contains(&0) {
            return Err(TextError::Nul);
        }
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text);
        Ok(Self::from_field(bytes))
    }

    /// As much of `text` as the field holds, up to its first NUL.
    #[must_use]
    pub fn cut(text: &[u8]) -> Self {
        let mut bytes = [0; N];
        let length = text.len().min(N);
        bytes[..length].copy_from_slice(&text[..length]);
        Self::from_field(bytes)
    }

    /// This text, or `default` (as [`Text::cut`] has it) if this is empty.
    #[must_use]
    pub fn or(self, default: &[u8]) -> Self {
        if self.is_empty() { Self::cut(default) } else { self }
    }

    /// What a field holds: the bytes before the first NUL.
    #[must_use]
    pub fn from_field(mut bytes: [u8; N]) -> Self {
        const { assert!(N <= u8::MAX as usize) };
        let length = bytes.iter().position(|&b| b == 0).unwrap_or(N);
        bytes[length..].fill(0);
        #[allow(clippy::cast_possible_truncation)] // N fits, as asserted above
        let length = length as u8;
        Self { bytes, length }
    }

    /// The text without padding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The field as it goes on the wire.
    #[must_use]
    pub fn field(&self) -> &[u8; N] {
        &self.bytes
    }

    /// The text, with anything that is not UTF-8 replaced.
    #[must_use]
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.as_bytes())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<const N: usize> FromStr for Text<N> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::new(text.as_bytes())
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_text())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_text().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_the_first_nul_or_with_its_field() {
        assert_eq!(Text::<6>::from_field(*b"ab\0\xffcd").as_bytes(), b"ab");
        assert_eq!(Text::<6>::from_field(*b"901234").as_bytes(), b"901234");
        assert_eq!(Text::<6>::from_field(*b"ab\0\xffcd").field(), b"ab\0\0\0\0");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!("1234567".parse::<Text<6>>(), Err(TextError::TooLong { length: 7, limit: 6 }));
        assert_eq!(Text::<6>::new(b"a\0b"), Err(TextError::Nul));
        assert!("".parse::<Text<6>>().unwrap().is_empty());
        assert_eq!(Text::<6>::cut(b"1234567").as_bytes(), b"123456");
        assert_eq!(Text::<6>::cut(b"1\x002").as_bytes(), b"1");
    }

    #[test]
    fn only_an_empty_text_gives_way_to_the_default() {
        let full = Text::<2>::cut(b"02");
        assert_eq!((full.or(b"01"), Text::<2>::EMPTY.or(b"01").as_bytes()), (full, &b"01"[..]));
    }
}
