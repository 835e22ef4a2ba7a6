//! The values of all rounds.

use std::fmt;

use serde::Serialize;

use crate::report::number;

/// The values of all rounds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// In the order of the rounds.
    pub rounds: Vec<f64>,
}

impl Spread {
    pub fn new(rounds: Vec<f64>) -> Self {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let (below, above) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        Self {
            median: f64::midpoint(at(below), at(above)),
            min: at(0),
            max: at(sorted.len().saturating_sub(1)),
            rounds,
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}–{})", number(self.median), number(self.min), number(self.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_middle_and_both_ends() {
        let odd = Spread::new(vec![3.0, 1.0, 2.0]);
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        assert_eq!(Spread::new(vec![4.0, 1.0]).median, 2.5);
        assert_eq!(odd.to_string(), "2.00 (1.00–3.00)");
    }
}
