//! How long to wait before the next try to connect.

use std::time::Duration;

use lb_core::balance::rng::SplitMix64;

use crate::config;

/// A session that lasted for so long was a good one: after it the first try is made at once, and the pauses begin anew.
const GOOD: Duration = Duration::from_secs(10);

/// "At once", but not all together.
const AT_ONCE: Duration = Duration::from_millis(40);

/// Pauses that double, each up to a half shorter by chance, so that connections which broke together do not come back
/// together.
#[derive(Debug)]
pub(super) struct Backoff {
    settings: config::Backoff,
    next: Duration,
    rng: SplitMix64,
}

impl Backoff {
    pub(super) fn new(settings: config::Backoff, seed: u64) -> Self {
        Self { settings, next: settings.first, rng: SplitMix64::new(seed) }
    }

    /// After a try that failed, or a session that ended after `up`.
    pub(super) fn pause(&mut self, up: Duration) -> Duration {
        if up >= GOOD {
            self.next = self.settings.first;
            return self.spread(AT_ONCE);
        }
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.settings.most);
        self.spread(pause)
    }

    /// After a login that was refused: soon again makes nothing better, and some carriers lock the account.
    pub(super) fn refused(&mut self) -> Duration {
        self.next = self.settings.most;
        self.spread(self.settings.most)
    }

    fn spread(&mut self, pause: Duration) -> Duration {
        let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
        pause - Duration::from_micros(self.rng.below(micros / 2 + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: config::Backoff =
        config::Backoff { first: Duration::from_secs(1), most: Duration::from_secs(5) };

    fn assert_about(pause: Duration, seconds: u64) {
        let whole = Duration::from_secs(seconds);
        assert!((whole / 2..=whole).contains(&pause), "{pause:?} is not about {whole:?}");
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_after_a_good_session() {
        let mut backoff = Backoff::new(SETTINGS, 1);
        for seconds in [1, 2, 4, 5, 5] {
            assert_about(backoff.pause(Duration::ZERO), seconds);
        }
        assert!(backoff.pause(GOOD) <= AT_ONCE);
        assert_about(backoff.pause(GOOD - Duration::from_millis(1)), 1);
    }

    #[test]
    fn a_login_that_is_refused_waits_longest_at_once() {
        let mut backoff = Backoff::new(SETTINGS, 1);
        assert_about(backoff.refused(), 5);
        assert_about(backoff.pause(Duration::ZERO), 5);
    }

    #[test]
    fn two_connections_do_not_wait_alike() {
        let pauses = |seed| -> Vec<Duration> {
            let mut backoff = Backoff::new(SETTINGS, seed);
            (0..8).map(|_| backoff.pause(Duration::ZERO)).collect()
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }
}
