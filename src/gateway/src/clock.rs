//! The clocks, read once for each turn of work.

use std::time::Instant;

use domain::{Millis, Stamp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::protocol::Moment;

/// Now, on every clock that the gateway needs.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    pub instant: Instant,
    /// In the carriers' time zone.
    pub stamp: Stamp,
    pub millis: Millis,
}

impl Now {
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment { instant: self.instant, stamp: self.stamp }
    }
}

/// Reads the clocks in one time zone.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
}

impl Clock {
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    #[must_use]
    pub fn now(&self) -> Now {
        let millis = millis();
        Now { instant: Instant::now(), stamp: self.stamp(millis), millis }
    }

    /// What a clock on the wall of the carrier shows.
    #[must_use]
    pub fn stamp(&self, at: Millis) -> Stamp {
        let at =
            i64::try_from(at.0).ok().and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or_default();
        let wall = self.zone.to_datetime(at);
        let small = |value: i8| u8::try_from(value).unwrap_or_default();
        Stamp {
            year: u16::try_from(wall.year()).unwrap_or_default(),
            month: small(wall.month()),
            day: small(wall.day()),
            hour: small(wall.hour()),
            minute: small(wall.minute()),
            second: small(wall.second()),
        }
    }
}

/// The time of day.
#[must_use]
pub fn millis() -> Millis {
    Millis(u64::try_from(runtime::clock::since_epoch().as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_beijing_time_whatever_the_host_has() {
        let clock = Clock::new(TimeZone::fixed(jiff::tz::offset(8)));
        let stamp = clock.stamp(Millis(1_795_449_600_000 - 1));
        assert_eq!(stamp, Stamp { year: 2026, month: 11, day: 23, hour: 23, minute: 59, second: 59 });
        assert_eq!(clock.stamp(Millis(u64::MAX)).year, 1970);
    }
}
