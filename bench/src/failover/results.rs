//! The gaps of a run.

use std::collections::BTreeMap;

use serde::Serialize;
use testkit::gap::Gap;

use super::Scenario;
use crate::contestant::Contestant;

/// All gaps, as they come in.
#[derive(Debug, Default)]
pub struct Gaps(BTreeMap<Scenario, BTreeMap<Contestant, Vec<Gap>>>);

/// The finished table.
#[derive(Debug, Default, Serialize)]
pub struct Failover {
    pub advert_interval_ms: u128,
    pub limit_ms: u128,
    pub lines: Vec<Line>,
}

/// One scenario.
#[derive(Debug, Serialize)]
pub struct Line {
    pub scenario: Scenario,
    pub cells: Vec<Cell>,
}

/// One pair's longest gaps, in milliseconds; `None` = not over within the limit.
#[derive(Debug, Serialize)]
pub struct Cell {
    pub contestant: Contestant,
    pub median: Option<f64>,
    pub worst: Option<f64>,
    /// In the order of the trials.
    pub gaps: Vec<Option<f64>>,
    /// Attempts that failed in each trial, one attempt being made every millisecond.
    pub failures: Vec<usize>,
    /// Milliseconds by which the client itself was late at worst in each trial.
    pub client_late: Vec<f64>,
}

impl Gaps {
    pub fn add(&mut self, scenario: Scenario, contestant: Contestant, gap: Gap) {
        self.0.entry(scenario).or_default().entry(contestant).or_default().push(gap);
    }

    pub fn finish(self) -> Failover {
        let line = |(scenario, cells): (Scenario, BTreeMap<Contestant, Vec<Gap>>)| Line {
            scenario,
            cells: cells.into_iter().map(|(contestant, gaps)| Cell::new(contestant, &gaps)).collect(),
        };
        Failover {
            advert_interval_ms: super::ADVERT.as_millis(),
            limit_ms: super::LIMIT.as_millis(),
            lines: self.0.into_iter().map(line).collect(),
        }
    }
}

impl Failover {
    /// Trials of each cell, at most.
    pub fn trials(&self) -> usize {
        self.lines.iter().flat_map(|line| &line.cells).map(|cell| cell.gaps.len()).max().unwrap_or_default()
    }

    /// Those with a value, in the order of the report.
    pub fn contestants(&self) -> Vec<Contestant> {
        let takes_part = |one: &Contestant| self.lines.iter().any(|line| line.cell(*one).is_some());
        Contestant::all().into_iter().filter(takes_part).collect()
    }
}

impl Line {
    pub fn cell(&self, contestant: Contestant) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.contestant == contestant)
    }
}

impl Cell {
    fn new(contestant: Contestant, gaps: &[Gap]) -> Self {
        let lengths: Vec<Option<f64>> =
            gaps.iter().map(|gap| gap.over.then(|| milliseconds(gap.longest))).collect();
        // A gap without an end is longer than any other.
        let mut sorted: Vec<f64> = lengths.iter().map(|length| length.unwrap_or(f64::INFINITY)).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let (below, above) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        let finite = |value: f64| value.is_finite().then_some(value);
        Self {
            contestant,
            median: finite(f64::midpoint(at(below), at(above))),
            worst: finite(at(sorted.len().saturating_sub(1))),
            gaps: lengths,
            failures: gaps.iter().map(|gap| gap.failures).collect(),
            client_late: gaps.iter().map(|gap| milliseconds(gap.late)).collect(),
        }
    }
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn cell(gaps: &[(u64, bool)]) -> Cell {
        let gap = |(millis, over): &(u64, bool)| Gap {
            attempts: 1000,
            failures: 10,
            longest: Duration::from_millis(*millis),
            began: Duration::ZERO,
            over: *over,
            first_failure: None,
            late: Duration::ZERO,
        };
        Cell::new(Contestant::Lb, &gaps.iter().map(gap).collect::<Vec<_>>())
    }

    #[test]
    fn a_gap_without_an_end_is_the_worst() {
        let mixed = cell(&[(3000, false), (40, true), (44, true)]);
        assert_eq!((mixed.median, mixed.worst), (Some(44.0), None));
        assert_eq!(mixed.gaps, [None, Some(40.0), Some(44.0)]);
        assert_eq!(cell(&[(40, true), (44, true)]).median, Some(42.0));
        assert_eq!(cell(&[(40, true), (44, true)]).worst, Some(44.0));
        assert_eq!(cell(&[(3000, false), (3000, false)]).median, None);
    }
}
