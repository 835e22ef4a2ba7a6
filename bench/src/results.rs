//! The numbers of a run.

use std::collections::BTreeMap;
use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::codec::Codec;
use crate::contestant::Contestant;
use crate::failover::Failover;
use crate::gateway::Gateway;
use crate::machine::Machine;
use crate::round::{Outcome, Settings};
use crate::row::Row;

/// What is measured in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    Rate,
    P50,
    P90,
    P99,
    P999,
    Cpu,
    Memory,
    BaseMemory,
}

/// All values of a run, as they come in.
#[derive(Debug, Default)]
pub struct Series {
    values: BTreeMap<(Row, Metric), BTreeMap<Contestant, Vec<f64>>>,
    latency: BTreeMap<(Row, Contestant), Histogram<u64>>,
    failures: Vec<Failure>,
}

/// A finished run.
#[derive(Debug, Serialize)]
pub struct Results {
    pub machine: Machine,
    pub settings: Settings,
    pub lines: Vec<Line>,
    pub latencies: Vec<Latency>,
    pub failures: Vec<Failure>,
    pub failover: Failover,
    /// In a file of its own, as the next one.
    #[serde(skip)]
    pub gateway: Gateway,
    #[serde(skip)]
    pub codec: Codec,
}

/// One metric of one row.
#[derive(Debug, Serialize)]
pub struct Line {
    pub row: Row,
    pub metric: Metric,
    pub unit: &'static str,
    pub more_is_better: bool,
    pub cells: Vec<Cell>,
}

/// One contestant's values.
#[derive(Debug, Serialize)]
pub struct Cell {
    pub contestant: Contestant,
    pub median: f64,
    pub min: f64,
    pub max: f64,
    /// In the order of the rounds.
    pub rounds: Vec<f64>,
}

/// All rounds' latencies of one contestant in one row.
#[derive(Debug, Serialize)]
pub struct Latency {
    pub row: Row,
    pub contestant: Contestant,
    pub requests: u64,
    /// Quantile and microseconds.
    pub quantiles: Vec<(f64, f64)>,
}

/// Connections or requests that failed in one round.
#[derive(Debug, Serialize)]
pub struct Failure {
    pub row: Row,
    pub contestant: Contestant,
    pub count: u64,
    pub first: String,
}

impl Metric {
    /// Of a latency metric.
    pub fn quantile(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P99 => Some(0.99),
            Self::P999 => Some(0.999),
            Self::Rate | Self::Cpu | Self::Memory | Self::BaseMemory => None,
        }
    }

    fn more_is_better(self) -> bool {
        self == Self::Rate
    }

    fn unit(self, row: Row) -> &'static str {
        match (self, row) {
            (Self::Rate, Row::Requests | Row::FixedRate) => "requests/s",
            (Self::Rate, Row::Connections | Row::Memory) => "connections/s",
            (Self::Rate, Row::Download | Row::Upload) => "GB/s",
            (Self::P50 | Self::P90 | Self::P99 | Self::P999, _) => "µs",
            (Self::Cpu, Row::Requests | Row::FixedRate) => "µs CPU/request",
            (Self::Cpu, Row::Connections | Row::Memory) => "µs CPU/connection",
            (Self::Cpu, Row::Download | Row::Upload) => "ms CPU/GB",
            (Self::Memory, _) => "KiB/connection",
            (Self::BaseMemory, _) => "MiB before the first",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rate => "rate",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::BaseMemory => "base memory",
        })
    }
}

impl Series {
    /// Takes in what a round found.
    pub fn add(&mut self, row: Row, contestant: Contestant, outcome: Outcome) {
        for (metric, value) in outcome.values {
            self.values.entry((row, metric)).or_default().entry(contestant).or_default().push(value);
        }
        if let Some(latency) = outcome.latency {
            match self.latency.get_mut(&(row, contestant)) {
                // The bounds of all histograms are the same.
                Some(sum) => drop(sum.add(latency)),
                None => drop(self.latency.insert((row, contestant), latency)),
            }
        }
        if outcome.failures > 0 {
            let first = outcome.first_failure.unwrap_or_default();
            self.failures.push(Failure { row, contestant, count: outcome.failures, first });
        }
    }
}

impl Results {
    pub fn new(
        machine: Machine,
        settings: &Settings,
        series: Series,
        failover: Failover,
        gateway: Gateway,
        codec: Codec,
    ) -> Self {
        let line = |((row, metric), cells): ((Row, Metric), BTreeMap<Contestant, Vec<f64>>)| Line {
            row,
            metric,
            unit: metric.unit(row),
            more_is_better: metric.more_is_better(),
            cells: cells.into_iter().map(|(contestant, rounds)| Cell::new(contestant, rounds)).collect(),
        };
        let latency = |((row, contestant), histogram): ((Row, Contestant), Histogram<u64>)| Latency {
            row,
            contestant,
            requests: histogram.len(),
            quantiles: quantiles(&histogram),
        };
        Self {
            machine,
            settings: *settings,
            lines: series.values.into_iter().map(line).collect(),
            latencies: series.latency.into_iter().map(latency).collect(),
            failures: series.failures,
            failover,
            gateway,
            codec,
        }
    }
}

impl Line {
    /// How good a median is in units of the best peer's, above 1 = better than it; `None` without a peer.
    pub fn score(&self, contestant: Contestant) -> Option<f64> {
        let median = self.cell(contestant)?.median;
        let peers = self.cells.iter().filter(|cell| cell.contestant.is_peer()).map(|cell| cell.median);
        let score = if self.more_is_better {
            median / peers.reduce(f64::max)?
        } else {
            peers.reduce(f64::min)? / median
        };
        score.is_finite().then_some(score)
    }

    pub fn cell(&self, contestant: Contestant) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.contestant == contestant)
    }
}

impl Cell {
    fn new(contestant: Contestant, rounds: Vec<f64>) -> Self {
        let mut sorted = rounds.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let (below, above) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
        Self {
            contestant,
            median: f64::midpoint(at(below), at(above)),
            min: at(0),
            max: at(sorted.len().saturating_sub(1)),
            rounds,
        }
    }
}

/// Dense enough for a curve, up to where ten requests are left beyond.
fn quantiles(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    let most = (histogram.len() as f64 / 10.0).max(2.0);
    let steps = (0..).map(|step| 10_f64.powf(f64::from(step) / 20.0)).skip_while(|nines| *nines < 1.1);
    let quantiles = steps.take_while(|nines| *nines <= most).map(|nines| 1.0 - 1.0 / nines);
    quantiles.map(|quantile| (quantile, histogram.value_at_quantile(quantile) as f64 / 1e3)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(more_is_better: bool, medians: [f64; 3]) -> Line {
        let names = [Contestant::Lb, Contestant::Nginx, Contestant::Haproxy];
        let cells = names.into_iter().zip(medians).map(|(name, median)| Cell::new(name, vec![median]));
        Line { row: Row::Requests, metric: Metric::Rate, unit: "", more_is_better, cells: cells.collect() }
    }

    #[test]
    fn medians_of_odd_and_even_rounds() {
        assert_eq!(Cell::new(Contestant::Lb, vec![3.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Cell::new(Contestant::Lb, vec![4.0, 1.0, 2.0, 3.0]).median, 2.5);
    }

    #[test]
    fn scores_are_against_the_best_peer_whichever_way_is_better() {
        assert_eq!(line(true, [30.0, 20.0, 10.0]).score(Contestant::Lb), Some(1.5));
        assert_eq!(line(false, [30.0, 20.0, 15.0]).score(Contestant::Lb), Some(0.5));
        assert_eq!(line(false, [30.0, 20.0, 15.0]).score(Contestant::Haproxy), Some(1.0));
        assert_eq!(line(false, [30.0, 20.0, 15.0]).score(Contestant::Direct), None);
    }
}
