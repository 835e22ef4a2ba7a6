//! The time of day, and whether it can be believed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use tokio::time::Instant;

/// By how much the time of day may part from the steady clock between two looks.
const JUMP: u64 = 60_000;
/// How long the time of day is not believed after a jump forward.
const DISTRUST: Duration = Duration::from_secs(600);

/// Where the time of day comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The host's.
    pub fn system() -> Self {
        let now = || u64::try_from(runtime::clock::since_epoch().as_millis()).unwrap_or(u64::MAX);
        Self(Arc::new(move || Millis(now())))
    }

    /// One that goes with tokio's time, which tests can pause.
    #[cfg(test)]
    pub fn from(start: Millis) -> Self {
        let began = Instant::now();
        Self(Arc::new(move || Millis(start.0 + u64::try_from(began.elapsed().as_millis()).unwrap())))
    }

    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Notices jumps forward: because of one, messages must neither be given up nor forgotten.
#[derive(Debug, Default)]
pub struct Jumps {
    last: Option<(Instant, Millis)>,
    jumped: Option<Instant>,
}

impl Jumps {
    /// Both clocks show this now. Whether the time of day can be believed.
    pub fn steady(&mut self, instant: Instant, now: Millis) -> bool {
        if let Some((before, then)) = self.last.replace((instant, now)) {
            let passed = u64::try_from(instant.duration_since(before).as_millis()).unwrap_or(u64::MAX);
            let due = then.0.saturating_add(passed);
            if now.0 > due.saturating_add(JUMP) {
                self.jumped = Some(instant);
            } else if due > now.0.saturating_add(JUMP) {
                // one backward takes back what one forward did
                self.jumped = None;
            }
        }
        self.jumped.is_none_or(|at| instant.duration_since(at) >= DISTRUST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_jump_forward_the_time_of_day_is_not_believed_for_ten_minutes_or_until_it_goes_back() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut jumps = Jumps::default();
        assert!(jumps.steady(at(0), Millis(1_000_000)));
        assert!(jumps.steady(at(60), Millis(1_120_000)));
        assert!(!jumps.steady(at(61), Millis(9_000_000)));
        assert!(!jumps.steady(at(660), Millis(9_599_000)));
        assert!(jumps.steady(at(661), Millis(9_600_000)));
        assert!(!jumps.steady(at(662), Millis(19_600_000)));
        assert!(jumps.steady(at(663), Millis(9_602_000)));
    }
}
