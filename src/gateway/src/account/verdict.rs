//! Whether an account's answers have turned bad.

use std::time::{Duration, Instant};

/// Over which time answers are judged, at least; in two halves, so that the judgement moves on smoothly.
const HALF: Duration = Duration::from_secs(30);
/// Fewer answers than this say nothing, and end no half: where there is little traffic, it takes longer.
const FEWEST: u32 = 10;
/// The alarm comes on when this share is bad, in percent…
const ON: u32 = 20;
/// …and goes off below this one.
const OFF: u32 = 10;

/// Judges the last answers, those of half a minute at least and ten at least. Bad are refusals and silences, not flow
/// control.
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
        if all < FEWEST {
            return None;
        }
        let limit = if self.alarm { OFF } else { ON };
        let alarm = u64::from(bad) * 100 >= u64::from(limit) * u64::from(all);
        (alarm != std::mem::replace(&mut self.alarm, alarm)).then_some(alarm)
    }

    #[must_use]
    pub fn alarm(&self) -> bool {
        self.alarm
    }

    fn turn(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) < HALF || self.current.all < FEWEST {
            return;
        }
        self.last = std::mem::take(&mut self.current);
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
        assert_eq!((0..9).find_map(|_| verdict.judge(true, start)), None);
        assert_eq!(verdict.judge(true, start), Some(true));
        assert_eq!((0..90).find_map(|_| verdict.judge(false, start)), None, "10 of 100 are too many still");
        assert_eq!((0..10).find_map(|_| verdict.judge(false, start)), Some(false));
    }

    #[test]
    fn what_is_long_ago_does_not_count_once_there_is_enough_that_is_not() {
        let mut now = Instant::now();
        let mut verdict = Verdict::new(now);
        assert_eq!((0..30).find_map(|_| verdict.judge(true, now)), Some(true));
        now += Duration::from_secs(3600);
        assert_eq!(verdict.judge(true, now), None, "a bad one after an hour does not end the alarm");
        assert_eq!((0..10).find_map(|_| verdict.judge(false, now)), None);
        now += HALF;
        assert_eq!((0..10).find_map(|_| verdict.judge(false, now)), Some(false));
    }

    #[test]
    fn a_carrier_that_answers_nothing_is_an_alarm_however_slowly_it_does_not() {
        let start = Instant::now();
        let mut verdict = Verdict::new(start);
        let alarm = (0..10).find_map(|round| verdict.judge(true, start + Duration::from_secs(60 * round)));
        assert_eq!(alarm, Some(true));
    }
}
