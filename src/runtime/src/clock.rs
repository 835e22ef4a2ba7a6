//! The time of day, and whether it can be believed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The time of day and the steady clock may part by so much between two looks; more is a jump.
const JUMP: Duration = Duration::from_secs(60);
/// How long after a jump forward the time of day is not believed.
const DISTRUST: Duration = Duration::from_secs(600);

/// Since 1970; zero if the host's clock is set before that.
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The time of day, watched for jumps; all clones share what is known of them. A jump is noticed, and logged, at the next
/// look.
#[derive(Clone, Debug, Default)]
pub struct WallClock {
    jumps: Arc<Mutex<Jumps>>,
}

impl WallClock {
    /// Both clocks now; the second is since 1970.
    #[must_use]
    pub fn now(&self) -> (Instant, Duration) {
        look(&mut self.jumps())
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

/// Tells when the time of day has jumped, by the steady clock.
#[derive(Debug, Default)]
pub struct Jumps {
    last: Option<(Instant, Duration)>,
    /// When the last jump was, if it went forward.
    forward: Option<Instant>,
    count: u64,
}

impl Jumps {
    /// Both clocks show this now. If the time of day has jumped since the last look: by how many seconds.
    pub fn look(&mut self, instant: Instant, wall: Duration) -> Option<i64> {
        let (before, then) = self.last.replace((instant, wall))?;
        let due = then.saturating_add(instant.saturating_duration_since(before));
        if wall.abs_diff(due) <= JUMP {
            return None;
        }
        self.count += 1;
        // one backward takes back what one forward did
        self.forward = (wall > due).then_some(instant);
        Some(wall.as_secs().cast_signed().saturating_sub(due.as_secs().cast_signed()))
    }

    /// Whether the time of day may be believed when it says that something's time is over: it has not jumped forward in the
    /// last ten minutes.
    #[must_use]
    pub fn steady(&self, now: Instant) -> bool {
        self.forward.is_none_or(|at| now.saturating_duration_since(at) >= DISTRUST)
    }
}

fn look(jumps: &mut Jumps) -> (Instant, Duration) {
    let (instant, wall) = (Instant::now(), since_epoch());
    if let Some(seconds) = jumps.look(instant, wall) {
        tracing::warn!(seconds, "the time of day has jumped; is the host's clock right?");
    }
    (instant, wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_what_parts_the_clocks_by_more_than_a_minute_between_two_looks() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut jumps = Jumps::default();
        let looks = [
            (0, 1_000_000, None),
            (3600, 4_600_000, None),
            (3601, 4_661_000, None),
            (3602, 4_722_001, Some(60)),
            (3603, 4_000_000, Some(-723)),
            (3604, 4_001_000, None),
            (3605, 0, Some(-4_002)),
        ];
        for (seconds, millis, jump) in looks {
            assert_eq!(jumps.look(at(seconds), Duration::from_millis(millis)), jump, "{seconds}");
        }
        assert_eq!(jumps.count, 3);
    }

    #[test]
    fn after_a_jump_forward_the_time_of_day_is_not_believed_until_ten_minutes_are_over_or_it_goes_back() {
        let start = Instant::now();
        let mut jumps = Jumps::default();
        assert!(jumps.steady(start));
        jumps.look(start, Duration::from_secs(1_000));
        assert!(jumps.look(start, Duration::from_secs(9_000)).is_some());
        assert!(!jumps.steady(start) && !jumps.steady(start + DISTRUST - Duration::from_millis(1)));
        assert!(jumps.steady(start + DISTRUST));
        assert!(jumps.look(start, Duration::from_secs(1_000)).is_some());
        assert!(jumps.steady(start));
    }

    #[test]
    fn looks_from_time_to_time_show_jumps_and_their_end() {
        let start = Instant::now();
        let mut jumps = Jumps::default();
        let looks = [
            (0, 1_000_000, true),
            (60, 1_120_000, true),
            (61, 9_000_000, false),
            (660, 9_599_000, false),
            (661, 9_600_000, true),
            (662, 19_600_000, false),
            (663, 9_602_000, true),
        ];
        for (seconds, millis, steady) in looks {
            let instant = start + Duration::from_secs(seconds);
            jumps.look(instant, Duration::from_millis(millis));
            assert_eq!(jumps.steady(instant), steady, "{seconds}");
        }
    }
}
