//! Which messages came before.

use std::collections::HashMap;

use domain::text::header;
use wire::exchange::Submit;

use crate::behaviour::{Key, Print};

/// Counts submits and messages by what they say: 16 bytes for each that is different (twice that for parts of long
/// messages), for as long as the carrier runs.
#[derive(Debug)]
pub(super) struct Seen {
    key: Key,
    counts: HashMap<u64, Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    tried: u32,
    taken: u32,
}

impl Seen {
    pub(super) fn new(key: Key) -> Self {
        Self { key, counts: HashMap::new() }
    }

    /// What a submit says, and how many said the same before this one. The reference of a long message says nothing: it
    /// is another one in each run.
    pub(super) fn tried(&mut self, submit: &Submit) -> (Print, u32) {
        let whole = ((1, 1), &submit.content[..]);
        let (part, content) = match submit.header.then(|| header::read(&submit.content)) {
            Some(headed) => headed.part.map_or(whole, |part| ((part.part(), part.parts()), headed.content)),
            None => whole,
        };
        let print = self.key.print(&submit.destinations, part, content);
        (print, count(&mut self.counts.entry(print.short()).or_default().tried))
    }

    /// Of each destination: how many messages of the same content were taken before this one.
    pub(super) fn taken(&mut self, submit: &Submit) -> Vec<u32> {
        let Self { key, counts } = self;
        let prints = submit.destinations.iter().map(|to| key.print(&[*to], (1, 1), &submit.content));
        prints.map(|print| count(&mut counts.entry(print.short()).or_default().taken)).collect()
    }
}

fn count(count: &mut u32) -> u32 {
    let before = *count;
    *count = count.saturating_add(1);
    before
}

#[cfg(test)]
mod tests {
    use wire::text::Text;

    use super::*;

    fn submit(destinations: &[&str], header: bool, content: &[u8]) -> Submit {
        Submit {
            source: Text::EMPTY,
            destinations: destinations.iter().map(|to| to.parse().unwrap()).collect(),
            coding: 0,
            header,
            part: 1,
            parts: 1,
            content: content.to_vec(),
            report: true.into(),
            priority: 0,
            valid_until: Text::EMPTY,
        }
    }

    fn seen() -> Seen {
        Seen::new(Key::new(1, "a"))
    }

    #[test]
    fn the_same_message_to_the_same_number_is_a_duplicate() {
        let mut seen = seen();
        let (one, two) = ("13800138000", "13800138001");
        let mut taken = |to: &[&str], content| seen.taken(&submit(to, false, content));
        assert_eq!(taken(&[one], b"a"), [0]);
        assert_eq!(taken(&[two], b"a"), [0]);
        assert_eq!(taken(&[one], b"b"), [0]);
        assert_eq!(taken(&[one], b"a"), [1]);
        assert_eq!(taken(&[two, one], b"a"), [1, 2]);
    }

    #[test]
    fn a_submit_that_was_refused_before_is_another_try_and_no_duplicate() {
        let mut seen = seen();
        let submit = submit(&["13800138000"], false, b"a");
        let (first, again) = (seen.tried(&submit), seen.tried(&submit));
        assert_eq!((first.1, again.1), (0, 1));
        assert_eq!(first.0, again.0);
        assert_eq!(seen.taken(&submit), [0]);
    }

    #[test]
    fn a_part_is_the_same_under_another_reference_and_not_under_another_number() {
        let mut seen = seen();
        let mut print = |content| seen.tried(&submit(&["13800138000"], true, content)).0;
        let first = print(b"\x05\x00\x03\x07\x03\x02hello");
        assert_eq!(first, print(b"\x05\x00\x03\x08\x03\x02hello"));
        assert_eq!(first, print(b"\x06\x08\x04\x00\x07\x03\x02hello"));
        assert_ne!(first, print(b"\x05\x00\x03\x07\x03\x01hello"));
    }
}
