//! Moments as people read them.

use domain::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `2026-09-21 22:13:32.500`.
pub fn moment(at: Millis, zone: &TimeZone) -> String {
    let milliseconds = i64::try_from(at.0).unwrap_or(i64::MAX);
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
    time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}
