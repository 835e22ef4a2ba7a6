//! Time as the pure crates see it: handed in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// So much later.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self(self.0.saturating_add(Self::from(by).0))
    }

    /// So much earlier, not before 1970.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(Self::from(by).0))
    }
}

impl From<Duration> for Millis {
    /// Of a time since 1970-01-01 UTC.
    fn from(since: Duration) -> Self {
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A wall-clock second in the carriers' time zone (Beijing, UTC+8), as their PDUs write it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Stamp {
    /// The decimal number MMDDhhmmss: the timestamp of a login, the time word of an SGIP sequence.
    #[must_use]
    pub const fn month_to_second(self) -> u32 {
        ((((self.month as u32) * 100 + self.day as u32) * 100 + self.hour as u32) * 100 + self.minute as u32)
            * 100
            + self.second as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_written_as_a_decimal_number() {
        let stamp = Stamp { year: 2026, month: 3, day: 1, hour: 0, minute: 0, second: 0 };
        assert_eq!(stamp.month_to_second(), 301_000_000);
        let last = Stamp { year: 2026, month: 12, day: 31, hour: 23, minute: 59, second: 59 };
        assert_eq!(last.month_to_second(), 1_231_235_959);
    }
}
