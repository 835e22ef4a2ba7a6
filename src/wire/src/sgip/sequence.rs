//! The twelve bytes that tie an answer to its request, and a report to its submit.

use std::fmt;

use super::field::Field;
use crate::cursor::{Reader, Writer};
use crate::error::DecodeError;
use crate::exchange::MessageId;

/// The sequence of a command; its answer repeats it. That of a submit is its message id, so its sender must not
/// repeat one while a report may still come.
///
/// | field  | size | meaning |
/// |--------|------|---------|
/// | node   | 4    | node number of the command's source |
/// | time   | 4    | the decimal number MMDDhhmmss of its making |
/// | number | 4    | counter, wraps |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence {
    pub node: u32,
    pub time: u32,
    pub number: u32,
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.node, self.time, self.number)
    }
}

impl From<Sequence> for MessageId {
    fn from(sequence: Sequence) -> Self {
        let mut bytes = [0; Self::MAX];
        bytes[..4].copy_from_slice(&sequence.node.to_be_bytes());
        bytes[4..8].copy_from_slice(&sequence.time.to_be_bytes());
        bytes[8..].copy_from_slice(&sequence.number.to_be_bytes());
        Self::new(bytes)
    }
}

impl From<MessageId> for Sequence {
    fn from(id: MessageId) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = id.to_array();
        Self {
            node: u32::from_be_bytes([a, b, c, d]),
            time: u32::from_be_bytes([e, f, g, h]),
            number: u32::from_be_bytes([i, j, k, l]),
        }
    }
}

impl Field for Sequence {
    fn read(reader: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        Ok(Self { node: reader.u32(name)?, time: reader.u32(name)?, number: reader.u32(name)? })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.u32(self.node);
        writer.u32(self.time);
        writer.u32(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_a_message_id_and_shows_itself_in_decimal() {
        let sequence = Sequence { node: 3_010_012_345, time: 1_123_094_835, number: 776_115_007 };
        assert_eq!(sequence.to_string(), "3010012345-1123094835-776115007");
        let id = MessageId::from(sequence);
        assert_eq!(id.to_string(), "b36924b942f111332e42933f");
        assert_eq!(Sequence::from(id), sequence);
    }

    #[test]
    fn sequences_sort_as_their_ids_do() {
        let early = Sequence { node: 1, time: 2, number: u32::MAX };
        let late = Sequence { node: 1, time: 3, number: 0 };
        assert!(early < late);
        assert!(MessageId::from(early) < MessageId::from(late));
    }
}
