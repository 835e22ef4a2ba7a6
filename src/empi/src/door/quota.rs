//! How many messages of a day a bank may still send.

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Millis;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A bank's messages of today. The store knows the truth; between two looks at it, what this process accepts is added.
#[derive(Debug)]
pub struct Quota {
    most: u64,
    zone: TimeZone,
    today: Mutex<Today>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Today {
    start: Millis,
    /// Accepted.
    counted: u64,
    /// Perhaps soon.
    reserved: u64,
}

impl Quota {
    #[must_use]
    pub fn new(most: u64, zone: TimeZone) -> Self {
        Self { most, zone, today: Mutex::default() }
    }

    /// Sets messages aside.
    ///
    /// # Errors
    /// There are not so many left; in how many seconds there are again.
    pub fn reserve(&self, count: u64, now: Millis) -> Result<(), u64> {
        let (start, next) = day(now, &self.zone);
        let mut today = self.today();
        if today.start != start {
            *today = Today { start, counted: 0, reserved: today.reserved };
        }
        if today.counted + today.reserved + count > self.most {
            return Err(next.0.saturating_sub(now.0).div_ceil(1000));
        }
        today.reserved += count;
        Ok(())
    }

    /// Of so many that were set aside, so many were accepted.
    pub fn settle(&self, reserved: u64, accepted: u64) {
        let mut today = self.today();
        today.reserved = today.reserved.saturating_sub(reserved);
        today.counted += accepted;
    }

    /// When this day began.
    #[must_use]
    pub fn start(&self, now: Millis) -> Millis {
        day(now, &self.zone).0
    }

    /// The store has so many since the start of the day.
    pub fn learn(&self, start: Millis, counted: u64) {
        let mut today = self.today();
        *today = Today { start, counted, reserved: today.reserved };
    }

    fn today(&self) -> MutexGuard<'_, Today> {
        self.today.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the day began that this moment is in, and when the next one will.
fn day(at: Millis, zone: &TimeZone) -> (Millis, Millis) {
    let timestamp =
        i64::try_from(at.0).ok().and_then(|at| Timestamp::from_millisecond(at).ok()).unwrap_or_default();
    let date = zone.to_datetime(timestamp).date();
    let start = |date: Date| {
        let midnight = zone.to_timestamp(date.to_datetime(Time::midnight())).ok()?;
        u64::try_from(midnight.as_millisecond()).ok().map(Millis)
    };
    let next = date.checked_add(1.day()).ok().and_then(start);
    (start(date).unwrap_or_default(), next.unwrap_or(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;
    /// Midnight in Beijing, 2026-11-24.
    const MIDNIGHT: u64 = 1_795_449_600_000;

    fn quota() -> Quota {
        Quota::new(10, TimeZone::fixed(jiff::tz::offset(8)))
    }

    #[test]
    fn what_is_accepted_counts_and_what_is_not_is_given_back() {
        let (quota, now) = (quota(), Millis(MIDNIGHT + HOUR));
        assert_eq!(quota.reserve(6, now), Ok(()));
        assert!(quota.reserve(5, now).is_err());
        quota.settle(6, 2);
        assert_eq!(quota.reserve(8, now), Ok(()));
        quota.settle(8, 8);
        assert_eq!(quota.reserve(1, now), Err(23 * 3600));
    }

    #[test]
    fn a_day_ends_at_midnight_in_its_zone() {
        let quota = quota();
        assert_eq!(quota.start(Millis(MIDNIGHT - 1)), Millis(MIDNIGHT - 24 * HOUR));
        assert_eq!(quota.start(Millis(MIDNIGHT)), Millis(MIDNIGHT));
        assert_eq!(quota.reserve(10, Millis(MIDNIGHT - 1)), Ok(()));
        quota.settle(10, 10);
        assert_eq!(quota.reserve(1, Millis(MIDNIGHT - 1)), Err(1));
        assert_eq!(quota.reserve(10, Millis(MIDNIGHT)), Ok(()));
    }

    #[test]
    fn the_store_knows_better() {
        let (quota, now) = (quota(), Millis(MIDNIGHT));
        quota.learn(quota.start(now), 9);
        assert!(quota.reserve(2, now).is_err());
        assert_eq!(quota.reserve(1, now), Ok(()));
    }
}
