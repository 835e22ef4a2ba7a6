//! Random of two choices: the less loaded of two weighted random picks.

use super::Candidate;
use super::rng::SplitMix64;

/// Position of the better of two; `None` when there is none. The two are different where there are two; the
/// first one drawn wins a tie.
pub fn pick(candidates: &[Candidate], rng: &mut SplitMix64) -> Option<usize> {
    let first = draw(candidates, None, rng)?;
    match draw(candidates, Some(first), rng) {
        Some(second) if candidates[second].less_loaded_than(&candidates[first]) => Some(second),
        Some(_) | None => Some(first),
    }
}

/// One weighted random pick that is not `except`.
fn draw(candidates: &[Candidate], except: Option<usize>, rng: &mut SplitMix64) -> Option<usize> {
    let open = || candidates.iter().enumerate().filter(|&(position, _)| Some(position) != except);
    let total = open().map(|(_, candidate)| u64::from(candidate.weight)).sum();
    let mut ticket = rng.below(total);
    for (position, candidate) in open() {
        let weight = u64::from(candidate.weight);
        if ticket < weight {
            return Some(position);
        }
        ticket -= weight;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(weight: u32, live: u32) -> Candidate {
        Candidate { slot: 0, weight, live, current: 0 }
    }

    #[test]
    fn of_two_servers_the_less_loaded_always_wins() {
        let candidates = [candidate(10, 11), candidate(1, 1)];
        let mut rng = SplitMix64::new(3);
        assert!((0..100).all(|_| pick(&candidates, &mut rng) == Some(1)));
    }

    #[test]
    fn the_most_loaded_of_three_is_never_picked() {
        let candidates = [candidate(1, 5), candidate(1, 4), candidate(1, 3)];
        let mut rng = SplitMix64::new(4);
        let mut counts = [0; 3];
        for _ in 0..3000 {
            counts[pick(&candidates, &mut rng).unwrap()] += 1;
        }
        // The least loaded wins the two pairs of three that it is in.
        assert_eq!(counts[0], 0);
        assert!((1900..2100).contains(&counts[2]), "{counts:?}");
    }

    #[test]
    fn equally_loaded_servers_are_drawn_by_weight() {
        let candidates = [candidate(3, 0), candidate(1, 0)];
        let mut rng = SplitMix64::new(5);
        let heavy = (0..4000).filter(|_| pick(&candidates, &mut rng) == Some(0)).count();
        assert!((2850..3150).contains(&heavy), "{heavy}");
    }

    #[test]
    fn one_seed_is_one_sequence() {
        let candidates = [candidate(1, 0), candidate(1, 0), candidate(1, 0)];
        let run = |seed| {
            let mut rng = SplitMix64::new(seed);
            (0..20).map(|_| pick(&candidates, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn a_single_server_is_picked_and_nobody_is_not() {
        let mut rng = SplitMix64::new(6);
        assert_eq!(pick(&[candidate(1, 9)], &mut rng), Some(0));
        assert_eq!(pick(&[], &mut rng), None);
    }
}
