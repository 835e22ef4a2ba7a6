//! Ejection by what live connections show.
//!
//! A real sliding window: the server is due for ejection when `failures` failures lie within `window`.
//! Ejections in a row grow as Envoy's do: a multiplier goes up by one with each ejection, and down by one for
//! each whole `window` in which the server was not ejected.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config;

/// One server's failures and ejection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passive {
    /// Times of the latest failures, never more than the threshold.
    failures: VecDeque<Instant>,
    ejected_until: Option<Instant>,
    multiplier: u32,
    readmitted: Option<Instant>,
}

impl Passive {
    /// Counts a failure; true when the server is due for ejection. Failures while ejected do not count.
    #[must_use]
    pub fn record(&mut self, settings: &config::Passive, now: Instant) -> bool {
        if self.ejected_until.is_some() {
            return false;
        }
        self.forget_old(settings, now);
        let threshold = settings.failures.max(1) as usize;
        self.failures.push_back(now);
        while self.failures.len() > threshold {
            self.failures.pop_front();
        }
        self.failures.len() == threshold
    }

    /// Ejects the server; returns for how long. Its failures start from nothing afterwards.
    pub fn eject(&mut self, settings: &config::Passive, now: Instant) -> Duration {
        self.multiplier = self.decayed_multiplier(settings, now).saturating_add(1);
        let duration = settings.ejection.saturating_mul(self.multiplier).min(settings.max_ejection);
        self.failures.clear();
        self.ejected_until = Some(now + duration);
        duration
    }

    /// Takes the server back before or at the end of its ejection; true when it was ejected.
    pub fn readmit(&mut self, now: Instant) -> bool {
        let was_ejected = self.ejected_until.take().is_some();
        if was_ejected {
            self.readmitted = Some(now);
        }
        was_ejected
    }

    pub fn ejected_until(&self) -> Option<Instant> {
        self.ejected_until
    }

    /// Failures in the window that ends now.
    pub fn failures(&self, settings: &config::Passive, now: Instant) -> usize {
        self.failures.iter().filter(|&&at| within(at, settings.window, now)).count()
    }

    fn forget_old(&mut self, settings: &config::Passive, now: Instant) {
        while self.failures.front().is_some_and(|&at| !within(at, settings.window, now)) {
            self.failures.pop_front();
        }
    }

    fn decayed_multiplier(&self, settings: &config::Passive, now: Instant) -> u32 {
        let healthy = self.readmitted.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let windows = healthy.as_nanos().checked_div(settings.window.as_nanos()).unwrap_or(u128::MAX);
        self.multiplier.saturating_sub(u32::try_from(windows).unwrap_or(u32::MAX))
    }
}

fn within(at: Instant, window: Duration, now: Instant) -> bool {
    now.saturating_duration_since(at) < window
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::test_epoch;

    const SETTINGS: config::Passive = config::Passive {
        failures: 3,
        window: Duration::from_secs(8),
        ejection: Duration::from_secs(30),
        max_ejection: Duration::from_secs(75),
        early_reset: Duration::ZERO,
    };

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn failures_within_the_window_eject() {
        let (mut passive, t) = (Passive::default(), test_epoch());
        assert!(!passive.record(&SETTINGS, t));
        assert!(!passive.record(&SETTINGS, t + secs(4)));
        assert!(passive.record(&SETTINGS, t + secs(7)));
        assert_eq!(passive.failures(&SETTINGS, t + secs(7)), 3);
        assert_eq!(passive.failures(&SETTINGS, t + secs(13)), 1);
    }

    /// nginx disables a peer here (nginx/nginx#599).
    #[test]
    fn failures_every_five_seconds_never_fill_a_window_of_eight() {
        let (mut passive, t) = (Passive::default(), test_epoch());
        assert!((0..100).all(|n| !passive.record(&SETTINGS, t + secs(5 * n))));
    }

    #[test]
    fn ejections_in_a_row_grow_up_to_the_cap() {
        let (mut passive, mut t) = (Passive::default(), test_epoch());
        for expected in [30, 60, 75, 75] {
            assert_eq!(passive.eject(&SETTINGS, t), secs(expected));
            t = passive.ejected_until().unwrap();
            assert!(passive.readmit(t));
            t += secs(7); // less than a window
        }
    }

    #[test]
    fn the_multiplier_decays_by_one_for_each_window_without_ejection() {
        let (mut passive, mut t) = (Passive::default(), test_epoch());
        for _ in 0..3 {
            passive.eject(&SETTINGS, t);
            t = passive.ejected_until().unwrap();
            passive.readmit(t);
        }
        t += secs(16); // two windows: 3 becomes 1, the next is the second
        assert_eq!(passive.eject(&SETTINGS, t), secs(60));
        t = passive.ejected_until().unwrap();
        passive.readmit(t);
        assert_eq!(passive.eject(&SETTINGS, t + secs(1000)), secs(30));
    }

    #[test]
    fn failures_while_ejected_do_not_count_and_those_before_are_forgotten() {
        let (mut passive, t) = (Passive::default(), test_epoch());
        for n in 0..3 {
            let _ = passive.record(&SETTINGS, t + secs(n));
        }
        passive.eject(&SETTINGS, t + secs(2));
        assert!((0..10).all(|_| !passive.record(&SETTINGS, t + secs(3))));
        assert!(passive.readmit(t + secs(3)));
        assert!(!passive.record(&SETTINGS, t + secs(3)));
        assert!(!passive.readmit(t + secs(4)), "not ejected");
    }
}
