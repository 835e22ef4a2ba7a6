//! Lists behind a count of one byte.

use std::ops::Deref;

use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::text::Text;

/// A list that its one byte of count can count: at most 255 elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted<T>(Vec<T>);

impl<T> Counted<T> {
    pub const MOST: usize = u8::MAX as usize;

    /// `None` if there are more than [`Counted::MOST`].
    #[must_use]
    pub fn new(list: Vec<T>) -> Option<Self> {
        (list.len() <= Self::MOST).then_some(Self(list))
    }

    /// The first [`Counted::MOST`] of them.
    #[must_use]
    pub fn cut(list: impl IntoIterator<Item = T>) -> Self {
        Self(list.into_iter().take(Self::MOST).collect())
    }

    #[must_use]
    pub fn count(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}

impl Counted<u8> {
    /// The bytes of a list, still in the frame.
    pub(crate) fn slice<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let count = reader.u8(field)?;
        reader.slice(field, count.into())
    }

    pub(crate) fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        Self::slice(reader, field).map(|bytes| Self(bytes.to_vec()))
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.u8(self.count());
        writer.bytes(self);
    }
}

impl<const N: usize> Counted<Text<N>> {
    /// Texts of `width` bytes each.
    pub(crate) fn read_texts(
        reader: &mut Reader<'_>,
        width: usize,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        let count = usize::from(reader.u8(field)?);
        let texts = reader.slice(field, count * width)?;
        Ok(Self(texts.chunks_exact(width).map(Text::cut).collect()))
    }

    /// `width` bytes of each, at most `N`.
    pub(crate) fn write_texts(&self, writer: &mut Writer<'_>, width: usize) {
        writer.u8(self.count());
        for text in self.iter() {
            writer.bytes(&text.field()[..width]);
        }
    }
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for Counted<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_one_byte_ends_at_255() {
        assert_eq!(Counted::new(vec![0; 255]).map(|list| list.count()), Some(255));
        assert_eq!(Counted::new(vec![0; 256]), None);
        assert_eq!(Counted::cut(vec![7; 300]).len(), 255);
    }
}
