//! Which messages were taken before.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use wire::text::Text;

/// Counts messages by destination and content: 16 bytes for each that is different, for as long as the carrier runs.
#[derive(Debug, Default)]
pub(super) struct Seen {
    hashes: RandomState,
    counts: HashMap<u64, u32>,
}

impl Seen {
    /// How many of the same there were before this one.
    pub(super) fn add(&mut self, destination: &Text<21>, content: &[u8]) -> u32 {
        let hash = self.hashes.hash_one((destination.as_bytes(), content));
        let count = self.counts.entry(hash).or_default();
        let before = *count;
        *count = count.saturating_add(1);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_to_the_same_number_is_a_duplicate() {
        let mut seen = Seen::default();
        let (one, two) = ("13800138000".parse().unwrap(), "13800138001".parse().unwrap());
        assert_eq!(seen.add(&one, b"a"), 0);
        assert_eq!(seen.add(&two, b"a"), 0);
        assert_eq!(seen.add(&one, b"b"), 0);
        assert_eq!(seen.add(&one, b"a"), 1);
        assert_eq!(seen.add(&one, b"a"), 2);
    }
}
