//! Bounded reading of a frame, and writing of one.

use crate::error::DecodeError;
use crate::text::Text;

/// Reads a frame from front to back; never beyond its end. All integers are big-endian.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `length` bytes; nothing is copied or allocated before they are known to be there.
    ///
    /// # Errors
    /// [`DecodeError::Short`] with `field`, as in every method here.
    pub fn slice(&mut self, field: &'static str, length: usize) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(DecodeError::Short { field, need: length, have: self.rest.len() });
        };
        self.rest = rest;
        Ok(taken)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(field, N)?);
        Ok(array)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    #[allow(missing_docs, clippy::missing_errors_doc)]
    pub fn text<const N: usize>(&mut self, field: &'static str) -> Result<Text<N>, DecodeError> {
        self.array(field).map(Text::from_field)
    }

    /// What is left does not count.
    pub fn skip_rest(&mut self) {
        self.rest = &[];
    }

    /// # Errors
    /// [`DecodeError::Trailing`] when bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(DecodeError::Trailing { extra }),
        }
    }
}

/// Appends one frame to a buffer; its length goes in front at the end.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    /// Begins a frame behind what `out` holds: four bytes are kept for the length.
    #[must_use]
    pub fn frame(out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        Self { out, start }
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub fn u8(&mut self, value: u8) {
        self.out.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    pub fn text<const N: usize>(&mut self, text: &Text<N>) {
        self.bytes(text.field());
    }

    /// Writes the length of the frame into its first four bytes.
    pub fn finish(self) {
        let length = u32::try_from(self.out.len() - self.start).unwrap_or(u32::MAX);
        self.out[self.start..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_end_and_says_where() {
        let mut reader = Reader::new(&[0, 1, 2]);
        assert_eq!(reader.u16("a"), Ok(1));
        assert_eq!(reader.u32("b"), Err(DecodeError::Short { field: "b", need: 4, have: 1 }));
        assert_eq!(reader.finish(), Err(DecodeError::Trailing { extra: 1 }));
    }

    #[test]
    fn a_frame_begins_with_its_length() {
        let mut out = vec![9];
        let mut writer = Writer::frame(&mut out);
        writer.u32(4);
        writer.text(&"ab".parse::<Text<3>>().unwrap());
        writer.finish();
        assert_eq!(out, [9, 0, 0, 0, 11, 0, 0, 0, 4, b'a', b'b', 0]);
    }
}
