//! The two clocks, read together.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use domain::{Millis, Stamp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::protocol::Moment;
use wire::text::Text;

/// The clocks, and the time zone that PDUs are written in.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
    /// The last second asked for: a calendar costs more than all the rest of an answer.
    last: Mutex<(u64, Stamp)>,
}

impl Clock {
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, last: Mutex::new((u64::MAX, Stamp::default())) }
    }

    pub fn moment(&self) -> Moment {
        let second = runtime::clock::since_epoch().as_secs();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != second {
            *last = (second, self.stamp(second));
        }
        Moment { instant: Instant::now(), stamp: last.1 }
    }

    fn stamp(&self, second: u64) -> Stamp {
        let second = i64::try_from(second).unwrap_or_default();
        let time = self.zone.to_datetime(Timestamp::from_second(second).unwrap_or_default());
        let two = |number: i8| number.unsigned_abs();
        Stamp {
            year: time.year().unsigned_abs(),
            month: two(time.month()),
            day: two(time.day()),
            hour: two(time.hour()),
            minute: two(time.minute()),
            second: two(time.second()),
        }
    }
}

/// Now, to be written down.
#[must_use]
pub fn millis() -> Millis {
    runtime::clock::since_epoch().into()
}

/// YYMMDDhhmm, as reports write it.
#[must_use]
pub fn year_to_minute(stamp: Stamp) -> Text<10> {
    let Stamp { year, month, day, hour, minute, .. } = stamp;
    let mut field = [0; 10];
    #[allow(clippy::cast_possible_truncation)] // below 100
    let parts = [(year % 100) as u8, month, day, hour, minute];
    for (pair, part) in field.chunks_exact_mut(2).zip(parts) {
        pair.copy_from_slice(&[b'0' + part / 10 % 10, b'0' + part % 10]);
    }
    Text::from_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_written_in_the_time_zone() {
        let clock = Clock::new(TimeZone::fixed(jiff::tz::offset(8)));
        let stamp = clock.stamp(1_767_225_599);
        assert_eq!(stamp.month_to_second(), 101_075_959);
        assert_eq!(year_to_minute(stamp).as_bytes(), b"2601010759");
    }
}
