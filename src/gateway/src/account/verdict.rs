//! Whether an account's answers have turned bad.

use std::time::{Duration, Instant};

/// Over which time answers are judged; in two halves, so that the judgement moves on smoothly.
const HALF: Duration = Duration::from_secs(30);
/// Fewer answers than this say nothing.
const FEWEST: u32 = 20;
/// The alarm comes on when this share is bad, in percent…
const ON: u32 = 20;
/// …and goes off below this one.
const OFF: u32 = 10;

/// Judges the answers of the last 30 to 60 seconds. Bad are refusals and silences, not flow control.
#[derive(Clone, Debug)]
pub struct Verdict {
    current: Count,
    last: Count,
    since: Instant,
    alarm: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: u32,
    bad: u32,
}

impl Verdict {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { current: Count::default(), last: Count::default(), since: now, alarm: false }
    }

    /// Counts an answer; the alarm's new state if it has changed.
    pub fn judge(&mut self, bad: bool, now: Instant) -> Option<bool> {
        self.turn(now);
        self.current.all += 1;
        self.current.bad += u32::from(bad);
        let (all, bad) = (self.current.all + self.last.all, self.current.bad + self.last.bad);
        let limit = if self.alarm { OFF } else { ON };
        let alarm = all >= FEWEST && u64::from(bad) * 100 >= u64::from(limit) * u64::from(all);
        (alarm != std::mem::replace(&mut self.alarm, alarm)).then_some(alarm)
    }

    #[must_use]
    pub fn alarm(&self) -> bool {
        self.alarm
    }

    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        if passed < HALF {
            return;
        }
        self.last = if passed < 2 * HALF { self.current } else { Count::default() };
        self.current = Count::default();
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bad_answers_are_no_alarm_many_are_and_good_ones_end_it() {
        let start = Instant::now();
        let mut verdict = Verdict::new(start);
        assert_eq!((0..19).find_map(|_| verdict.judge(true, start)), None);
        assert_eq!(verdict.judge(true, start), Some(true));
        assert_eq!((0..100).find_map(|_| verdict.judge(false, start)), None, "20 of 120 are too many still");
        assert_eq!((0..100).find_map(|_| verdict.judge(false, start)), Some(false));
    }

    #[test]
    fn what_is_long_ago_does_not_count() {
        let start = Instant::now();
        let mut verdict = Verdict::new(start);
        assert_eq!((0..30).filter_map(|_| verdict.judge(true, start)).collect::<Vec<_>>(), [true]);
        assert!(verdict.alarm());
        let later = start + Duration::from_secs(61);
        assert_eq!(verdict.judge(true, later), Some(false));
    }
}
