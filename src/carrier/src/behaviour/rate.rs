//! Messages a second.

use std::time::{Duration, Instant};

/// A bucket of tokens: as many as fit a tenth of a second (at least one), so that a burst is not taken for a rate.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// Between two tokens.
    interval: Duration,
    /// How far `empty_until` may lie ahead.
    depth: Duration,
    empty_until: Instant,
}

const DEPTH: Duration = Duration::from_millis(100);

impl Bucket {
    /// `rate` in messages a second; zero lets nothing through but one message a day.
    #[must_use]
    pub fn new(rate: u32, now: Instant) -> Self {
        let interval = Duration::from_secs(1).checked_div(rate).unwrap_or(Duration::from_secs(86_400));
        Self { interval, depth: DEPTH.max(interval), empty_until: now }
    }

    /// Takes one token if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let until = self.empty_until.max(now) + self.interval;
        let there = until.saturating_duration_since(now) <= self.depth;
        if there {
            self.empty_until = until;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_over_time_and_a_short_burst_is_let_through() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        let burst = (0..50).filter(|_| bucket.take(start)).count();
        assert_eq!(burst, 10);
        let mut second = Bucket::new(100, start);
        let taken = (0..10_000).filter(|i| second.take(start + Duration::from_micros(100 * i))).count();
        assert!((100..=111).contains(&taken), "{taken}");
    }

    #[test]
    fn one_message_a_second_passes_at_once() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1, start);
        assert!(bucket.take(start));
        assert!(!bucket.take(start + Duration::from_millis(900)));
        assert!(bucket.take(start + Duration::from_millis(1000)));
    }
}
