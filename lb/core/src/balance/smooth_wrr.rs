//! nginx's smooth weighted round robin.
//!
//! Each pick raises every candidate's current value by its weight, takes the largest, and lowers that one by
//! the sum of all weights. nginx's temporary lowering of a weight after failures has no counterpart here:
//! failures are the work of [`crate::health::passive`].

use super::Candidate;

/// Position of the next one; `None` when there is none. The first wins a tie.
pub fn pick(candidates: &mut [Candidate]) -> Option<usize> {
    pick_among(candidates, |_| true)
}

/// As [`pick`], among those for which `eligible` holds; the others keep their current value.
pub(super) fn pick_among(
    candidates: &mut [Candidate],
    eligible: impl Fn(&Candidate) -> bool,
) -> Option<usize> {
    let mut total = 0;
    let mut best: Option<(usize, i64)> = None;
    for (position, candidate) in candidates.iter_mut().enumerate() {
        if !eligible(candidate) {
            continue;
        }
        candidate.current += i64::from(candidate.weight);
        total += i64::from(candidate.weight);
        if best.is_none_or(|(_, current)| candidate.current > current) {
            best = Some((position, candidate.current));
        }
    }
    let (position, _) = best?;
    candidates[position].current -= total;
    Some(position)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates(weights: &[u32]) -> Vec<Candidate> {
        weights
            .iter()
            .enumerate()
            .map(|(slot, &weight)| Candidate { slot, weight, live: 0, current: 0 })
            .collect()
    }

    fn sequence(weights: &[u32], picks: usize) -> String {
        let mut candidates = candidates(weights);
        (0..picks).map(|_| char::from(b'a' + u8::try_from(pick(&mut candidates).unwrap()).unwrap())).collect()
    }

    #[test]
    fn the_documented_sequence_of_5_1_1() {
        assert_eq!(sequence(&[5, 1, 1], 14), "aabacaaaabacaa");
    }

    #[test]
    fn scaling_all_weights_changes_nothing() {
        assert_eq!(sequence(&[50_000, 10_000, 10_000], 7), "aabacaa");
    }

    #[test]
    fn equal_weights_take_turns_in_order() {
        assert_eq!(sequence(&[3, 3, 3], 6), "abcabc");
    }

    #[test]
    fn nobody_is_picked_from_nobody() {
        assert_eq!(pick(&mut []), None);
    }

    proptest! {
        #[test]
        fn shares_are_exact_over_the_sum_of_weights(weights in prop::collection::vec(1u32..50, 1..8)) {
            let mut candidates = candidates(&weights);
            let mut counts = vec![0; weights.len()];
            for _ in 0..weights.iter().sum() {
                counts[pick(&mut candidates).unwrap()] += 1u32;
            }
            prop_assert_eq!(counts, weights);
            prop_assert!(candidates.iter().all(|c| c.current == 0));
        }
    }
}
