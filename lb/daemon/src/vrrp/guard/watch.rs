//! When the guard lets go.

use std::time::{Duration, Instant};

/// How long the guard waits for a sign of life, before it waits again.
pub(super) const WAIT: Duration = Duration::from_millis(30);
/// So many waits in vain, and the daemon hangs.
const PATIENCE: u32 = 4;

/// Counts waits in vain. Those in which the guard itself could not run say nothing: then the whole machine stood
/// still.
#[derive(Debug)]
pub(super) struct Watch {
    waiting_since: Instant,
    in_vain: u32,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self { waiting_since: now, in_vain: 0 }
    }

    /// The daemon lives.
    pub(super) fn heard(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// How long to wait now.
    pub(super) fn left(&self, now: Instant) -> Duration {
        (self.waiting_since + WAIT).saturating_duration_since(now)
    }

    /// Nothing was heard until now. True when it is time to let go.
    pub(super) fn waited(&mut self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.waiting_since);
        if waited < WAIT {
            return false;
        }
        self.waiting_since = now;
        if waited > WAIT * 2 {
            self.in_vain = 0;
            return false;
        }
        self.in_vain += 1;
        self.in_vain >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_waits_in_vain_are_enough() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        let at = |waits: u32| start + WAIT * waits;
        assert_eq!(
            (1..=4).map(|wait| watch.waited(at(wait))).collect::<Vec<_>>(),
            [false, false, false, true]
        );
    }

    #[test]
    fn a_sign_of_life_begins_anew() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        for wait in 1..100 {
            let now = start + WAIT * wait;
            assert!(!watch.waited(now));
            if wait % 3 == 0 {
                watch.heard(now);
            }
        }
    }

    #[test]
    fn a_machine_that_stood_still_is_no_daemon_that_hangs() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        for wait in 1..=3 {
            assert!(!watch.waited(start + WAIT * wait));
        }
        let resumed = start + Duration::from_secs(5);
        assert!(!watch.waited(resumed));
        assert!(!watch.waited(resumed + WAIT * 3 - Duration::from_millis(1)), "again");
    }

    #[test]
    fn waking_up_early_counts_for_nothing() {
        let start = Instant::now();
        let mut watch = Watch::new(start);
        assert!(!watch.waited(start + WAIT / 2));
        assert_eq!(watch.left(start + WAIT / 2), WAIT / 2);
    }
}
