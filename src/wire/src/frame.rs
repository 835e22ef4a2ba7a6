//! Bytes to frames: a length of four bytes, itself included, in front of each.

use crate::error::FrameError;

/// Bytes in order: appended at the back, taken from the front. Taking moves nothing; room is made when bytes are
/// appended, and never by moving more than was taken before.
#[derive(Default)]
pub(crate) struct ByteQueue {
    buffer: Vec<u8>,
    start: usize,
}

impl ByteQueue {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// To append to; what is in it already must be left alone.
    pub(crate) fn back(&mut self) -> &mut Vec<u8> {
        if self.start > 0 && self.start >= self.len() {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        &mut self.buffer
    }

    /// Takes up to `count` bytes.
    pub(crate) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(count).min(self.buffer.len());
        &self.buffer[from..self.start]
    }
}

/// The frames in a stream of bytes. Holds what it was given and reserves nothing for what a length promises.
pub struct Frames {
    queue: ByteQueue,
    least: u32,
    most: u32,
}

impl Frames {
    /// Frames of `least` to `most` bytes; less than the four of the length itself there cannot be.
    #[must_use]
    pub fn new(least: u32, most: u32) -> Self {
        Self { queue: ByteQueue::default(), least: least.max(4), most }
    }

    pub fn extend(&mut self, bytes: &[u8]) {
        self.queue.back().extend_from_slice(bytes);
    }

    /// Bytes held: whole frames not yet taken, and the beginning of the next.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.queue.len()
    }

    /// Takes the next frame, its length included; `None` until it is whole.
    ///
    /// # Errors
    /// The next length is out of range. The stream cannot be read any further: it stays so.
    pub fn take(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let Some(&length) = self.queue.bytes().first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(length);
        if length < self.least || length > self.most {
            return Err(FrameError::Length { length, least: self.least, most: self.most });
        }
        let length = length as usize;
        if self.queue.len() < length {
            return Ok(None);
        }
        Ok(Some(self.queue.take(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(length: u32) -> Vec<u8> {
        let mut frame = length.to_be_bytes().to_vec();
        frame.resize(length as usize, 7);
        frame
    }

    #[test]
    fn frames_come_whole_however_the_bytes_are_cut() {
        let stream: Vec<u8> = [12, 40, 13, 12].into_iter().flat_map(frame).collect();
        for cut in 1..=stream.len() {
            let mut frames = Frames::new(12, 40);
            let mut lengths = Vec::new();
            for piece in stream.chunks(cut) {
                frames.extend(piece);
                while let Some(frame) = frames.take().unwrap() {
                    lengths.push(frame.len());
                }
            }
            assert_eq!(lengths, [12, 40, 13, 12], "cut every {cut} bytes");
            assert_eq!(frames.buffered(), 0);
        }
    }

    #[test]
    fn a_length_out_of_range_ends_the_stream_before_its_bytes_are_there() {
        for length in [0, 1, 3, 4, 11, 41, 0x7fff_ffff, u32::MAX] {
            let mut frames = Frames::new(12, 40);
            frames.extend(&frame(12));
            frames.extend(&length.to_be_bytes());
            assert_eq!(frames.take().unwrap().map(<[u8]>::len), Some(12));
            let error = Err(FrameError::Length { length, least: 12, most: 40 });
            assert_eq!(frames.take(), error);
            frames.extend(&frame(12));
            assert_eq!(frames.take(), error, "it stays so");
            assert!(frames.queue.buffer.capacity() < 256, "nothing is reserved for {length} bytes");
        }
    }

    #[test]
    fn a_least_length_below_its_own_four_bytes_is_four() {
        let mut frames = Frames::new(0, 40);
        frames.extend(&[0; 8]);
        assert_eq!(frames.take(), Err(FrameError::Length { length: 0, least: 4, most: 40 }));
    }

    #[test]
    fn what_was_taken_is_given_up_when_more_comes() {
        let mut queue = ByteQueue::default();
        for _ in 0..1000 {
            queue.back().extend_from_slice(&[1; 100]);
            assert_eq!(queue.take(90).len(), 90);
            let rest = queue.len();
            queue.take(rest.saturating_sub(150));
        }
        assert!(queue.buffer.capacity() <= 1024, "{} bytes", queue.buffer.capacity());
        let rest = queue.len();
        assert_eq!(queue.take(usize::MAX).len(), rest);
        assert_eq!(queue.bytes(), b"");
    }
}
