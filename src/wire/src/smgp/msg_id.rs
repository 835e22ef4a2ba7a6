//! `MsgID`.

use std::fmt;

use domain::Stamp;

use crate::exchange::MessageId;

/// The carrier's id of a message: opaque, shown in hexadecimal. By the standard it is decimal, two digits a byte, so
/// that the hexadecimal form shows its parts; some gateways put other things in it.
///
/// | part     | bytes | content                                      |
/// |----------|-------|----------------------------------------------|
/// | gateway  | 3     | six digits: area 3, kind of device 2, one    |
/// | time     | 4     | MMDDHHMM                                     |
/// | sequence | 3     | 000000 to 999999                             |
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgId(pub [u8; 10]);

impl MsgId {
    /// No id: in the answer to a submit that is refused.
    pub const NONE: Self = Self([0; 10]);

    /// Of `gateway` and `sequence` their last six decimal digits.
    #[must_use]
    pub fn new(gateway: u32, stamp: Stamp, sequence: u32) -> Self {
        let mut id = [0; 10];
        put_decimal(gateway, &mut id[..3]);
        put_decimal(stamp.month_to_second() / 100, &mut id[3..7]);
        put_decimal(sequence, &mut id[7..]);
        Self(id)
    }
}

impl From<MsgId> for MessageId {
    fn from(id: MsgId) -> Self {
        Self::new(id.0)
    }
}

impl From<MessageId> for MsgId {
    fn from(id: MessageId) -> Self {
        Self(id.to_array())
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&MessageId::from(*self), f)
    }
}

impl fmt::Debug for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The last digits of `number`, two a byte.
fn put_decimal(mut number: u32, bytes: &mut [u8]) {
    for byte in bytes.iter_mut().rev() {
        let [.., pair] = (number % 100).to_be_bytes();
        *byte = ((pair / 10) << 4) | (pair % 10);
        number /= 100;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_shows_gateway_minute_and_number() {
        let stamp = Stamp { year: 2026, month: 1, day: 16, hour: 17, minute: 0, second: 59 };
        assert_eq!(MsgId::new(10061, stamp, 12345).to_string(), "01006101161700012345");
        assert_eq!(MsgId::new(99_010_061, stamp, 7_999_999).to_string(), "01006101161700999999");
    }

    #[test]
    fn an_id_that_is_not_decimal_is_kept() {
        let id = MsgId([0xff, 0, 0x3a, 0x20, 0xab, 5, 6, 7, 8, 0]);
        assert_eq!(MsgId::from(MessageId::from(id)), id);
        assert_eq!(id.to_string(), "ff003a20ab0506070800");
    }
}
