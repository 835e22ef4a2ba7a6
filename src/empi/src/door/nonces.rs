//! Remembers signed requests, so that none counts twice.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

/// The nonces of one key within the window of time, oldest first. When there are too many, the oldest are forgotten and
/// nothing as old as they is believed any more: the window gets shorter, not the memory longer.
#[derive(Debug)]
pub struct Nonces {
    /// Time in milliseconds, and a hash of the nonce whose seed nobody knows.
    seen: BTreeSet<(u64, u64)>,
    seed: RandomState,
    most: usize,
    /// Requests of this time and before are not believed.
    floor: Option<u64>,
}

/// Why a request is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfresh {
    /// It came before.
    Replayed,
    /// It is so old that nobody knows whether it came before.
    TooOld,
}

impl Nonces {
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { seen: BTreeSet::new(), seed: RandomState::new(), most, floor: None }
    }

    /// Notes a request of this time; what is from before `oldest` is forgotten.
    ///
    /// # Errors
    /// It is not the first of its kind, or may not be.
    pub fn note(&mut self, time: u64, nonce: &str, oldest: u64) -> Result<(), Unfresh> {
        while self.seen.first().is_some_and(|(time, _)| *time < oldest) {
            self.seen.pop_first();
        }
        if time < oldest || self.floor.is_some_and(|floor| time <= floor) {
            return Err(Unfresh::TooOld);
        }
        if !self.seen.insert((time, self.seed.hash_one(nonce))) {
            return Err(Unfresh::Replayed);
        }
        if self.seen.len() > self.most
            && let Some((time, _)) = self.seen.pop_first()
        {
            self.floor = Some(time);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_nonce_counts_once_for_its_time() {
        let mut nonces = Nonces::new(10);
        assert_eq!(nonces.note(5, "a", 0), Ok(()));
        assert_eq!(nonces.note(5, "a", 0), Err(Unfresh::Replayed));
        assert_eq!(nonces.note(5, "b", 0), Ok(()));
        assert_eq!(nonces.note(6, "a", 0), Ok(()));
        assert_eq!(nonces.note(5, "c", 6), Err(Unfresh::TooOld));
        assert_eq!(nonces.seen.len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_is_believed_twice_and_the_memory_is_bounded(
            requests in prop::collection::vec((0_u64..40, "[ab]", 0_u64..30), 1..200), most in 1_usize..8,
        ) {
            let mut nonces = Nonces::new(most);
            let (mut believed, mut oldest) = (BTreeSet::new(), 0);
            for (time, nonce, at) in requests {
                oldest = oldest.max(at);
                if nonces.note(time, &nonce, oldest).is_ok() {
                    prop_assert!(believed.insert((time, nonce)));
                }
                prop_assert!(nonces.seen.len() <= most);
            }
            prop_assert!(!believed.is_empty() || oldest > 0);
        }
    }
}
