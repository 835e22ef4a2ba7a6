//! The clocks, read once for each turn of work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::{Millis, Stamp};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::protocol::Moment;

/// The time of day and the steady clock may part by so much between two looks; more is a jump, in milliseconds.
const JUMP: u64 = 60_000;
/// How long after a jump forward nothing is ended or forgotten because its time is over.
const DISTRUST: Duration = Duration::from_secs(600);
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
    jumps: Arc<Mutex<Jumps>>,
}

impl Clock {
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, jumps: Arc::default() }
    }

    #[must_use]
    pub fn now(&self) -> Now {
        let (instant, millis) = look(&mut self.jumps());
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
        let mut jumps = self.jumps();
        let (now, _) = look(&mut jumps);
        jumps.steady(now)
    }

    /// How often the time of day has jumped.
    #[must_use]
    pub fn jump_count(&self) -> u64 {
        self.jumps().count
    }

    /// It is whole between any two statements.
    fn jumps(&self) -> MutexGuard<'_, Jumps> {
        self.jumps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of day.
#[must_use]
pub fn millis() -> Millis {
    Millis(u64::try_from(runtime::clock::since_epoch().as_millis()).unwrap_or(u64::MAX))
}

/// Whether PDUs can name this moment.
#[must_use]
pub fn can_name(at: Millis) -> bool {
    timestamp(at).is_some() && Clock::beijing(at).year <= LAST_YEAR
}

/// Tells when the time of day has jumped, by the steady clock.
#[derive(Debug, Default)]
struct Jumps {
    last: Option<(Instant, Millis)>,
    /// When the last jump was, if it went forward.
    forward: Option<Instant>,
    count: u64,
}

impl Jumps {
    /// Both clocks show this now. If the time of day has jumped since the last look: by how many milliseconds.
    fn look(&mut self, instant: Instant, millis: Millis) -> Option<i64> {
        let (before, then) = self.last.replace((instant, millis))?;
        let passed = u64::try_from(instant.saturating_duration_since(before).as_millis()).unwrap_or(u64::MAX);
        let due = then.0.saturating_add(passed);
        if millis.0.abs_diff(due) <= JUMP {
            return None;
        }
        self.count += 1;
        // one backward takes back what one forward did
        self.forward = (millis.0 > due).then_some(instant);
        Some(millis.0.cast_signed().saturating_sub(due.cast_signed()))
    }

    fn steady(&self, now: Instant) -> bool {
        self.forward.is_none_or(|at| now.saturating_duration_since(at) >= DISTRUST)
    }
}

fn look(jumps: &mut Jumps) -> (Instant, Millis) {
    let (instant, millis) = (Instant::now(), millis());
    if let Some(by) = jumps.look(instant, millis) {
        tracing::warn!(seconds = by / 1000, "the time of day has jumped; is the host's clock right?");
    }
    (instant, millis)
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

    #[test]
    fn a_jump_is_what_parts_the_clocks_by_more_than_a_minute_between_two_looks() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut jumps = Jumps::default();
        let looks = [
            (0, 1_000_000, None),
            (3600, 4_600_000, None),
            (3601, 4_661_000, None),
            (3602, 4_722_001, Some(60_001)),
            (3603, 4_000_000, Some(-723_001)),
            (3604, 4_001_000, None),
            (3605, 0, Some(-4_002_000)),
        ];
        for (seconds, millis, jump) in looks {
            assert_eq!(jumps.look(at(seconds), Millis(millis)), jump, "{seconds}");
        }
        assert_eq!(jumps.count, 3);
    }

    #[test]
    fn after_a_jump_forward_the_time_of_day_is_not_believed_until_ten_minutes_are_over_or_it_goes_back() {
        let start = Instant::now();
        let mut jumps = Jumps::default();
        assert!(jumps.steady(start));
        jumps.look(start, Millis(1_000_000));
        assert!(jumps.look(start, Millis(9_000_000)).is_some());
        assert!(!jumps.steady(start) && !jumps.steady(start + DISTRUST - Duration::from_millis(1)));
        assert!(jumps.steady(start + DISTRUST));
        assert!(jumps.look(start, Millis(1_000_000)).is_some());
        assert!(jumps.steady(start));
    }
}
