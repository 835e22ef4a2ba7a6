//! The clocks, read once for each turn of work.

use std::time::Instant;

use domain::{Millis, Stamp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use runtime::clock::WallClock;
use wire::protocol::Moment;

/// The last moment that PDUs can name: their years have two digits.
const LAST_YEAR: u16 = 2099;

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

/// Reads the clocks in one time zone; all clones share what is known of their jumps.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    wall: WallClock,
}

impl Clock {
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, wall: WallClock::default() }
    }

    #[must_use]
    pub fn now(&self) -> Now {
        let (instant, wall) = self.wall.now();
        let millis = Millis::from(wall);
        Now { instant, stamp: self.stamp(millis), millis }
    }

    /// What a clock on the wall of the carrier shows; 1970 for what none can.
    #[must_use]
    pub fn stamp(&self, at: Millis) -> Stamp {
        stamp(at, &self.zone)
    }

    /// The same moment in Beijing's time, whatever zone the file has.
    #[must_use]
    pub fn beijing(at: Millis) -> Stamp {
        stamp(at, &TimeZone::fixed(jiff::tz::offset(8)))
    }

    /// Whether the time of day may be believed when it says that something's time is over: it has not jumped forward
    /// in the last ten minutes.
    #[must_use]
    pub fn steady(&self) -> bool {
        self.wall.steady()
    }

    /// How often the time of day has jumped.
    #[must_use]
    pub fn jump_count(&self) -> u64 {
        self.wall.jump_count()
    }
}

/// The time of day.
#[must_use]
pub fn millis() -> Millis {
    runtime::clock::since_epoch().into()
}

/// Whether PDUs can name this moment.
#[must_use]
pub fn can_name(at: Millis) -> bool {
    timestamp(at).is_some() && Clock::beijing(at).year <= LAST_YEAR
}

fn timestamp(at: Millis) -> Option<Timestamp> {
    i64::try_from(at.0).ok().and_then(|at| Timestamp::from_millisecond(at).ok())
}

fn stamp(at: Millis, zone: &TimeZone) -> Stamp {
    let wall = zone.to_datetime(timestamp(at).unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The last millisecond of 2026-11-23 in Beijing.
    const END: Millis = Millis(1_795_449_600_000 - 1);

    #[test]
    fn a_stamp_is_beijing_time_whatever_the_host_has() {
        let clock = Clock::new(TimeZone::fixed(jiff::tz::offset(8)));
        let stamp = clock.stamp(END);
        assert_eq!(stamp, Stamp { year: 2026, month: 11, day: 23, hour: 23, minute: 59, second: 59 });
        assert_eq!(clock.stamp(Millis(u64::MAX)).year, 1970);
    }

    #[test]
    fn beijing_time_is_that_whatever_the_file_has() {
        let stamp = Clock::new(TimeZone::fixed(jiff::tz::offset(8))).stamp(END);
        assert_eq!(Clock::beijing(END), stamp);
        assert_ne!(Clock::new(TimeZone::UTC).stamp(END), stamp);
    }

    #[test]
    fn a_moment_with_a_year_of_more_than_two_digits_cannot_be_named() {
        // 2099-12-31 23:59:59.999 in Beijing
        let last = Millis(4_102_416_000_000 - 1);
        assert!(can_name(Millis(0)) && can_name(last));
        assert!(!can_name(Millis(last.0 + 1)) && !can_name(Millis(u64::MAX)));
    }
}
