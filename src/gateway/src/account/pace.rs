//! How fast an account may send: the limit that was agreed, and a brake while the carrier says "slower".

use std::time::{Duration, Instant};

use crate::config::SlowDown;

/// A "slower" brakes at most once in this time: those that were under way with the first say nothing new.
const CALM: Duration = Duration::from_secs(1);
/// What a "slower" leaves of the rate.
const BRAKE: f64 = 0.5;
/// Where there is no limit, the brake is released towards this multiple of the rate at which it was pulled.
const BEYOND: f64 = 2.0;
/// What may go out at once after a silence, as a share of a second's worth.
const BURST: f64 = 0.1;

/// A token bucket that brakes. Rates are in parts a second.
#[derive(Clone, Debug)]
pub struct Pace {
    limit: Option<f64>,
    slow_down: SlowDown,
    brake: Option<Brake>,
    tokens: f64,
    filled: Instant,
    not_before: Option<Instant>,
    /// What was sent in the current and in the last whole second.
    sent: [u32; 2],
    second: Instant,
}

/// Pulled at `since`, when it left `rate`; released bit by bit until `target`.
#[derive(Clone, Copy, Debug)]
struct Brake {
    rate: f64,
    target: f64,
    since: Instant,
}

impl Pace {
    #[must_use]
    pub fn new(limit: Option<u32>, slow_down: SlowDown, now: Instant) -> Self {
        Self {
            limit: limit.map(f64::from),
            slow_down,
            brake: None,
            tokens: 1.0,
            filled: now,
            not_before: None,
            sent: [0; 2],
            second: now,
        }
    }

    /// The rate in force; `None` without any limit.
    #[must_use]
    pub fn rate(&self, now: Instant) -> Option<f64> {
        let braked = self.brake.and_then(|brake| brake.rate(self.slow_down.recovery, now));
        match (self.limit, braked) {
            (Some(limit), Some(braked)) => Some(limit.min(braked)),
            (limit, braked) => limit.or(braked),
        }
    }

    #[must_use]
    pub fn is_braked(&self, now: Instant) -> bool {
        self.brake.is_some_and(|brake| brake.rate(self.slow_down.recovery, now).is_some())
    }

    /// Takes the right to send one part, if there is one now.
    pub fn take(&mut self, now: Instant) -> bool {
        self.count_seconds(now);
        if self.not_before.is_some_and(|until| now < until) {
            return false;
        }
        if let Some(rate) = self.rate(now) {
            self.fill(rate, now);
            if self.tokens < 1.0 {
                return false;
            }
            self.tokens -= 1.0;
        }
        self.sent[0] += 1;
        true
    }

    /// When [`Pace::take`] gives the next right; `None` if it would at once.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let pause = self.not_before.filter(|&until| now < until);
        let token = self.rate(now).and_then(|rate| {
            let have = self.tokens + now.saturating_duration_since(self.filled).as_secs_f64() * rate;
            (have < 1.0).then(|| now + Duration::from_secs_f64((1.0 - have) / rate))
        });
        pause.max(token)
    }

    /// The carrier said "slower". Whether that changes anything: it does once for all that were under way together.
    pub fn slow_down(&mut self, now: Instant) -> bool {
        self.count_seconds(now);
        if self.brake.is_some_and(|brake| now.saturating_duration_since(brake.since) < CALM) {
            return false;
        }
        let measured = f64::from(self.sent[0].max(self.sent[1]));
        let current = match self.rate(now) {
            Some(rate) if self.is_braked(now) => rate,
            Some(rate) => rate.min(measured),
            None => measured,
        };
        let rate = (current * BRAKE).max(f64::from(self.slow_down.least_rate));
        self.brake =
            Some(Brake { rate, target: self.limit.unwrap_or(current * BEYOND).max(rate), since: now });
        self.not_before = Some(now + self.slow_down.pause);
        self.tokens = 0.0;
        self.filled = now + self.slow_down.pause;
        true
    }

    fn count_seconds(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.second);
        if passed >= Duration::from_secs(1) {
            let last = if passed < Duration::from_secs(2) { self.sent[0] } else { 0 };
            self.sent = [0, last];
            self.second = now;
        }
    }

    fn fill(&mut self, rate: f64, now: Instant) {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * rate;
        self.tokens = (self.tokens + gained).min((rate * BURST).max(1.0));
        self.filled = self.filled.max(now);
    }
}

impl Brake {
    /// What it allows; `None` once it is released.
    fn rate(&self, recovery: Duration, now: Instant) -> Option<f64> {
        let passed = now.saturating_duration_since(self.since);
        (passed < recovery)
            .then(|| self.rate + (self.target - self.rate) * passed.as_secs_f64() / recovery.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW_DOWN: SlowDown =
        SlowDown { pause: Duration::from_millis(100), least_rate: 1, recovery: Duration::from_secs(10) };

    /// Sends whenever it may during `time`; the count.
    fn send(pace: &mut Pace, from: Instant, time: Duration) -> u32 {
        let (mut now, mut count) = (from, 0);
        while now < from + time {
            if pace.take(now) {
                count += 1;
                continue;
            }
            now = pace.next(now).expect("a time, since it was refused").max(now + Duration::from_micros(1));
        }
        count
    }

    #[test]
    fn a_limit_is_kept_over_any_second_but_for_a_small_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(200), SLOW_DOWN, start);
        let first = send(&mut pace, start, Duration::from_secs(1));
        assert!((195..=221).contains(&first), "{first}");
        let second = send(&mut pace, start + Duration::from_secs(60), Duration::from_secs(1));
        assert!((195..=221).contains(&second), "{second}");
    }

    #[test]
    fn without_a_limit_everything_goes_at_once() {
        let now = Instant::now();
        let mut pace = Pace::new(None, SLOW_DOWN, now);
        assert!((0..100_000).all(|_| pace.take(now)));
        assert_eq!(pace.next(now), None);
    }

    #[test]
    fn slower_pauses_then_halves_and_calm_gives_it_back_bit_by_bit() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(400), SLOW_DOWN, start);
        assert!(send(&mut pace, start, Duration::from_secs(1)) > 390);
        let told = start + Duration::from_secs(1);
        assert!(pace.slow_down(told));
        assert!(!pace.slow_down(told + Duration::from_millis(5)), "one of those under way");
        assert!(!pace.take(told));
        assert_eq!(pace.next(told), Some(told + SLOW_DOWN.pause).max(pace.next(told)));
        let rates: Vec<f64> =
            [0, 5, 10].map(|s| pace.rate(told + Duration::from_secs(s)).unwrap().round()).to_vec();
        assert_eq!(rates, [200.0, 300.0, 400.0]);
        assert!(pace.is_braked(told) && !pace.is_braked(told + Duration::from_secs(10)));
        let braked = send(&mut pace, told, Duration::from_secs(1));
        assert!((170..=215).contains(&braked), "{braked}");
    }

    #[test]
    fn slower_again_and_again_stops_at_the_least_rate() {
        let mut now = Instant::now();
        let mut pace = Pace::new(None, SLOW_DOWN, now);
        (0..64).for_each(|_| assert!(pace.take(now)));
        for _ in 0..20 {
            assert!(pace.slow_down(now));
            now += Duration::from_secs(1);
        }
        assert!(pace.rate(now).is_some_and(|rate| (1.0..=2.0).contains(&rate)), "{:?}", pace.rate(now));
        assert!(send(&mut pace, now, Duration::from_secs(3)) >= 2);
        assert_eq!(pace.rate(now + SLOW_DOWN.recovery), None, "no limit, after enough calm");
    }

    #[test]
    fn a_clock_that_goes_back_grants_nothing_and_breaks_nothing() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut pace = Pace::new(Some(10), SLOW_DOWN, start);
        assert!(pace.take(start));
        assert!(!pace.take(start - Duration::from_secs(50)));
        assert!(pace.slow_down(start - Duration::from_secs(50)));
    }
}
