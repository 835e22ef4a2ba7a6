//! Weighted least connections, as nginx has it.

use super::{Candidate, smooth_wrr};

/// Position of the one with the fewest connections per weight; `None` when there is none. Those that are
/// equally loaded take turns by smooth weighted round robin.
pub fn pick(candidates: &mut [Candidate]) -> Option<usize> {
    let least = candidates.iter().copied().reduce(
        |best, next| {
            if next.less_loaded_than(&best) { next } else { best }
        },
    )?;
    smooth_wrr::pick_among(candidates, |candidate| !least.less_loaded_than(candidate))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidates(loads: &[(u32, u32)]) -> Vec<Candidate> {
        loads
            .iter()
            .enumerate()
            .map(|(slot, &(weight, live))| Candidate { slot, weight, live, current: 0 })
            .collect()
    }

    #[test]
    fn the_smallest_share_of_connections_wins() {
        // 4/4 = 1, 1/2 = 0.5, 1/1 = 1
        assert_eq!(pick(&mut candidates(&[(4, 4), (2, 1), (1, 1)])), Some(1));
    }

    #[test]
    fn ties_go_round_among_the_tied_only() {
        let mut tied = candidates(&[(1, 2), (1, 0), (2, 0), (1, 0)]);
        let picks: Vec<_> = (0..4).map(|_| pick(&mut tied).unwrap()).collect();
        assert_eq!(picks, [2, 1, 3, 2]);
        assert_eq!(tied[0].current, 0, "not tied, not touched");
    }

    #[test]
    fn nobody_is_picked_from_nobody() {
        assert_eq!(pick(&mut []), None);
    }

    proptest! {
        #[test]
        fn nobody_is_less_loaded_than_the_pick(loads in prop::collection::vec((1u32..100, 0u32..1000), 1..10)) {
            let mut candidates = candidates(&loads);
            let position = pick(&mut candidates).unwrap();
            let picked = candidates[position];
            prop_assert!(!candidates.iter().any(|other| other.less_loaded_than(&picked)));
        }

        #[test]
        fn kept_connections_spread_by_weight(weights in prop::collection::vec(1u32..20, 1..6)) {
            let mut candidates = candidates(&weights.iter().map(|&w| (w, 0)).collect::<Vec<_>>());
            for _ in 0..weights.iter().sum() {
                let position = pick(&mut candidates).unwrap();
                candidates[position].live += 1;
            }
            prop_assert_eq!(candidates.iter().map(|c| c.live).collect::<Vec<_>>(), weights);
        }
    }
}
