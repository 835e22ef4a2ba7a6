//! What clients count.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Longest latency that is told apart, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;

/// Counts of some clients.
#[derive(Debug)]
pub struct Tally {
    units: u64,
    failures: u64,
    first_failure: Option<String>,
    latency: Histogram<u64>,
}

/// What a load reports.
#[derive(Debug, Deserialize, Serialize)]
pub struct Measured {
    /// Requests, connections or bytes.
    pub units: u64,
    pub failures: u64,
    pub first_failure: Option<String>,
    pub seconds: f64,
    /// Nanoseconds and how often.
    pub latency: Vec<(u64, u64)>,
}

impl Tally {
    pub fn new() -> Self {
        Self { units: 0, failures: 0, first_failure: None, latency: histogram() }
    }

    /// Something was done, and took so long.
    pub fn done(&mut self, latency: Duration) {
        self.units += 1;
        self.latency.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// What was done so far.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// So many bytes went through.
    pub fn bytes(&mut self, count: usize) {
        self.units += count as u64;
    }

    pub fn fail(&mut self, error: &anyhow::Error) {
        self.failures += 1;
        self.first_failure.get_or_insert_with(|| format!("{error:#}"));
    }

    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.units += other.units;
        self.failures += other.failures;
        self.first_failure = self.first_failure.take().or_else(|| other.first_failure.clone());
        Ok(self.latency.add(&other.latency)?)
    }

    pub fn measured(self, time: Duration) -> Measured {
        let latency = self.latency.iter_recorded();
        Measured {
            units: self.units,
            failures: self.failures,
            first_failure: self.first_failure,
            seconds: time.as_secs_f64(),
            latency: latency.map(|bucket| (bucket.value_iterated_to(), bucket.count_at_value())).collect(),
        }
    }
}

impl Measured {
    /// The latencies, in nanoseconds.
    pub fn histogram(&self) -> Histogram<u64> {
        let mut histogram = histogram();
        for (value, count) in &self.latency {
            histogram.saturating_record_n(*value, *count);
        }
        histogram
    }
}

#[expect(clippy::expect_used, reason = "the bounds are constants that hdrhistogram allows")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("1 ns to 60 s with three digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_survive_the_way_to_the_director() {
        let mut tally = Tally::new();
        for micros in 1..=1000 {
            tally.done(Duration::from_micros(micros));
        }
        let measured = tally.measured(Duration::from_secs(2));
        let text = serde_json::to_string(&measured).unwrap();
        let measured: Measured = serde_json::from_str(&text).unwrap();
        assert_eq!(measured.units, 1000);
        let p50 = measured.histogram().value_at_quantile(0.5);
        assert!((495_000..=505_000).contains(&p50), "{p50}");
    }
}
