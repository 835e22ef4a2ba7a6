//! How long to wait, in full precision.
//!
//! ```text
//! v3  Skew        = Active_Adver_Interval * (256 - Priority) / 256      RFC 9568 6.1
//! v2  Skew        = 1 s                   * (256 - Priority) / 256      RFC 3768 6.1
//!     Active_Down = n * Active_Adver_Interval + Skew                    n is 3 in both
//! ```
//! The RFC counts centiseconds; rounded to those, priorities 250 and 254 would wake together.

use std::num::NonZeroU8;
use std::time::Duration;

use super::values::{AdvertInterval, Priority, Version};

/// How long a Backup waits after a priority-0 advertisement, and beyond the missed ones otherwise: the better
/// its priority, the shorter.
///
/// `interval` is that of the Active router.
pub fn skew(version: Version, interval: AdvertInterval, priority: Priority) -> Duration {
    let base = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => interval.get(),
    };
    base * (256 - u32::from(priority.get())) / 256
}

/// How long a Backup waits for an advertisement before it takes over.
///
/// `interval` is that of the Active router, `adverts` is how many may be missed.
pub fn active_down(
    version: Version,
    interval: AdvertInterval,
    priority: Priority,
    adverts: NonZeroU8,
) -> Duration {
    interval.get() * u32::from(adverts.get()) + skew(version, interval, priority)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: NonZeroU8 = NonZeroU8::new(3).unwrap();

    fn interval(version: Version, millis: u64) -> AdvertInterval {
        AdvertInterval::new(version, Duration::from_millis(millis)).unwrap()
    }

    fn priority(number: u8) -> Priority {
        Priority::try_from(number).unwrap()
    }

    #[test]
    fn the_published_examples() {
        for (millis, number, skew_micros, down_micros) in [
            (1000, 100, 609_375, 3_609_375),
            (1000, 200, 218_750, 3_218_750),
            (1000, 254, 7_812, 3_007_812),
            (100, 250, 2_343, 302_343),
        ] {
            let interval = interval(Version::V3, millis);
            let priority = priority(number);
            assert_eq!(skew(Version::V3, interval, priority).as_micros(), skew_micros);
            assert_eq!(active_down(Version::V3, interval, priority, THREE).as_micros(), down_micros);
        }
    }

    #[test]
    fn the_skew_of_version_2_does_not_grow_with_the_interval() {
        let skew_of = |millis| skew(Version::V2, interval(Version::V2, millis), priority(100));
        assert_eq!(skew_of(1000), Duration::from_micros(609_375));
        assert_eq!(skew_of(5000), skew_of(1000));
    }

    #[test]
    fn neighbouring_priorities_never_tie() {
        for (version, shortest, longest) in [(Version::V3, 10, 40_950), (Version::V2, 1000, 255_000)] {
            for millis in [shortest, longest] {
                let interval = interval(version, millis);
                for number in 1..=254 {
                    let worse = active_down(version, interval, priority(number), THREE);
                    let better = active_down(version, interval, priority(number + 1), THREE);
                    assert!(worse - better >= Duration::from_micros(39), "{millis} ms, {number}");
                }
            }
        }
    }

    #[test]
    fn fewer_adverts_shorten_the_wait() {
        let interval = interval(Version::V3, 10);
        let of =
            |adverts| active_down(Version::V3, interval, priority(192), NonZeroU8::new(adverts).unwrap());
        assert_eq!(of(1), Duration::from_micros(12_500));
        assert_eq!(of(2), Duration::from_micros(22_500));
    }
}
