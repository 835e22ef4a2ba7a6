//! What the writer counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets for the time of a commit, in seconds; one more bucket takes what is longer.
pub const COMMIT_BOUNDS_SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0];

/// The figures at one moment, since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Transactions that were committed.
    pub batches: u64,
    /// Jobs whose change was committed.
    pub jobs: u64,
    /// Jobs that failed.
    pub failed: u64,
    /// Whether the last batch failed as a whole: the store itself cannot be written.
    pub failing: bool,
    /// Jobs that wait now.
    pub waiting: u64,
    /// How many commits fell into each bucket of [`COMMIT_BOUNDS_SECONDS`]; not cumulative.
    pub commits: [u64; COMMIT_BOUNDS_SECONDS.len() + 1],
    pub commit_seconds_sum: f64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    batches: AtomicU64,
    jobs: AtomicU64,
    failed: AtomicU64,
    failing: AtomicBool,
    commits: [AtomicU64; COMMIT_BOUNDS_SECONDS.len() + 1],
    commit_nanoseconds: AtomicU64,
}

impl Counters {
    pub(super) fn committed(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = COMMIT_BOUNDS_SECONDS.iter().take_while(|&&bound| seconds > bound).count();
        self.batches.fetch_add(1, Relaxed);
        self.commits[bucket].fetch_add(1, Relaxed);
        self.commit_nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(super) fn job(&self, succeeded: bool) {
        let counter = if succeeded { &self.jobs } else { &self.failed };
        counter.fetch_add(1, Relaxed);
    }

    /// Whether the last batch failed as a whole. The answer is what it was before.
    pub(super) fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, Relaxed)
    }

    pub(super) fn read(&self, waiting: usize) -> Figures {
        Figures {
            batches: self.batches.load(Relaxed),
            jobs: self.jobs.load(Relaxed),
            failed: self.failed.load(Relaxed),
            failing: self.failing.load(Relaxed),
            waiting: waiting as u64,
            commits: std::array::from_fn(|bucket| self.commits[bucket].load(Relaxed)),
            commit_seconds_sum: Duration::from_nanos(self.commit_nanoseconds.load(Relaxed)).as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_falls_into_the_bucket_that_holds_it() {
        let counters = Counters::default();
        for milliseconds in [1, 3, 60_000] {
            counters.committed(Duration::from_millis(milliseconds));
        }
        let commits = counters.read(0).commits;
        assert_eq!((commits[1], commits[3], commits[12]), (1, 1, 1));
        assert_eq!(commits.iter().sum::<u64>(), 3);
    }
}
