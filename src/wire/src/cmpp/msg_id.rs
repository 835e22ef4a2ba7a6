//! `Msg_Id`, the gateway's id of a message.

use std::fmt;

use domain::Stamp;

use crate::exchange::MessageId;

/// Eight bytes that only their maker needs to take apart; it does it so:
///
/// ```text
///  63..60  59..55  54..50  49..44  43..38   37..16   15..0
/// +-------+-------+-------+-------+-------+---------+----------+
/// | month |  day  | hour  |minute |second | gateway | sequence |
/// |   4   |   5   |   5   |   6   |   6   |   22    |    16    |   bits
/// +-------+-------+-------+-------+-------+---------+----------+
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgId(pub u64);

/// A [`MsgId`] taken apart. Nothing says that its values are possible ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// 22 bits.
    pub gateway: u32,
    pub sequence: u16,
}

impl MsgId {
    /// The lower 22 bits of `gateway` count. Unique while a gateway makes at most 65536 ids a second.
    #[must_use]
    pub fn new(stamp: Stamp, gateway: u32, sequence: u16) -> Self {
        let part = |value: u32, bits: u32, shift: u32| u64::from(value & ((1 << bits) - 1)) << shift;
        Self(
            part(stamp.month.into(), 4, 60)
                | part(stamp.day.into(), 5, 55)
                | part(stamp.hour.into(), 5, 50)
                | part(stamp.minute.into(), 6, 44)
                | part(stamp.second.into(), 6, 38)
                | part(gateway, 22, 16)
                | u64::from(sequence),
        )
    }

    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // the masks are narrower than the types
    pub const fn parts(self) -> Parts {
        let part = self.0;
        Parts {
            month: (part >> 60) as u8,
            day: (part >> 55) as u8 & 0x1f,
            hour: (part >> 50) as u8 & 0x1f,
            minute: (part >> 44) as u8 & 0x3f,
            second: (part >> 38) as u8 & 0x3f,
            gateway: (part >> 16) as u32 & 0x3f_ffff,
            sequence: part as u16,
        }
    }
}

impl From<MsgId> for MessageId {
    fn from(id: MsgId) -> Self {
        Self::new(id.0.to_be_bytes())
    }
}

impl From<MessageId> for MsgId {
    fn from(id: MessageId) -> Self {
        Self(u64::from_be_bytes(id.to_array()))
    }
}

impl fmt::Debug for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_time_gateway_and_sequence() {
        let stamp = Stamp { year: 2026, month: 11, day: 23, hour: 9, minute: 46, second: 37 };
        let id = MsgId::new(stamp, 1001, 10548);
        assert_eq!(id, MsgId(0xbba6_e940_03e9_2934));
        let parts =
            Parts { month: 11, day: 23, hour: 9, minute: 46, second: 37, gateway: 1001, sequence: 10548 };
        assert_eq!(id.parts(), parts);
        assert_eq!(MessageId::from(id).to_string(), "bba6e94003e92934");
        assert_eq!(MsgId::from(MessageId::from(id)), id);
    }

    #[test]
    fn a_part_that_is_too_large_does_not_reach_its_neighbours() {
        let stamp = Stamp { year: 0, month: 16, day: 32, hour: 32, minute: 64, second: 64 };
        assert_eq!(MsgId::new(stamp, 1 << 22, 0), MsgId(0));
    }
}
