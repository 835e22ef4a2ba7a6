//! What is held, and when to let go of it.

use std::time::Duration;

/// How long the guard waits for a sign of life before it counts that it has waited.
pub(super) const WAIT: Duration = Duration::from_millis(30);
/// So many waits in vain, one after the other, and the daemon hangs.
const PATIENCE: u32 = 4;
/// A wait that takes longer is one in which the guard could not run either.
const LONGEST_WAIT: Duration = WAIT.saturating_mul(2);

/// Counts waits in vain while there is something to let go of. One in which the guard itself could not run starts the
/// count again: then the machine stood still, and the daemon had no chance either.
#[derive(Debug)]
pub(super) struct Watch<T> {
    held: Vec<(String, T)>,
    in_vain: u32,
}

impl<T> Watch<T> {
    pub(super) fn new() -> Self {
        Self { held: Vec::new(), in_vain: 0 }
    }

    /// The daemon lives.
    pub(super) fn heard(&mut self) {
        self.in_vain = 0;
    }

    /// In place of what was held under this name.
    pub(super) fn hold(&mut self, name: String, what: T) {
        self.forget(&name);
        self.held.push((name, what));
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.held.retain(|(held, _)| held != name);
    }

    /// How long to wait for a sign of life; `None`: as long as it takes.
    pub(super) fn wait(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(WAIT)
    }

    /// A wait that took so long was in vain. True when it is time to let go.
    pub(super) fn waited(&mut self, took: Duration) -> bool {
        self.in_vain = if took > LONGEST_WAIT { 0 } else { self.in_vain + 1 };
        self.in_vain >= PATIENCE && !self.held.is_empty()
    }

    /// Everything that is held, which then is not any more.
    pub(super) fn take(&mut self) -> Vec<(String, T)> {
        self.in_vain = 0;
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding() -> Watch<u8> {
        let mut watch = Watch::new();
        watch.hold("vip".to_owned(), 1);
        watch
    }

    #[test]
    fn four_waits_in_vain_are_enough() {
        let mut watch = holding();
        let enough: Vec<_> = (0..4).map(|_| watch.waited(WAIT)).collect();
        assert_eq!(enough, [false, false, false, true]);
        assert_eq!(watch.take(), [("vip".to_owned(), 1)]);
        assert_eq!(watch.take(), []);
    }

    #[test]
    fn a_sign_of_life_starts_the_count_again() {
        let mut watch = holding();
        for _ in 0..100 {
            assert!((0..3).all(|_| !watch.waited(WAIT)));
            watch.heard();
        }
    }

    #[test]
    fn a_machine_that_stood_still_is_no_daemon_that_hangs() {
        let mut watch = holding();
        for stall in [Duration::from_millis(61), Duration::from_secs(3600)] {
            assert!((0..3).all(|_| !watch.waited(LONGEST_WAIT)));
            assert!(!watch.waited(stall));
        }
        assert!((0..3).all(|_| !watch.waited(WAIT)));
        assert!(watch.waited(WAIT));
    }

    #[test]
    fn with_nothing_held_there_is_nothing_to_wait_for() {
        let mut watch = holding();
        assert_eq!(watch.wait(), Some(WAIT));
        watch.forget("another");
        assert_eq!(watch.wait(), Some(WAIT));
        watch.forget("vip");
        assert_eq!(watch.wait(), None);
        assert!((0..10).all(|_| !watch.waited(WAIT)));
    }

    #[test]
    fn what_is_taken_starts_the_count_again() {
        let mut watch = holding();
        assert!((0..4).any(|_| watch.waited(WAIT)));
        watch.take();
        watch.hold("vip".to_owned(), 2);
        assert!((0..3).all(|_| !watch.waited(WAIT)));
        assert!(watch.waited(WAIT));
    }

    #[test]
    fn a_name_holds_what_was_said_last() {
        let mut watch = holding();
        watch.hold("other".to_owned(), 2);
        watch.hold("vip".to_owned(), 3);
        assert_eq!(watch.take(), [("other".to_owned(), 2), ("vip".to_owned(), 3)]);
    }
}
