//! What became of the attempts, and the gap that follows from it. Times count from the client's start.

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use super::STEADY;

/// The gap, and how good the attempts were that it was found with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub attempts: usize,
    /// Those that failed or were still under way.
    pub failures: usize,
    /// The gap; if it is not over, how long it lasted until then.
    pub longest: Duration,
    /// When it began, after the begin of what was looked at.
    pub began: Duration,
    /// Whether it had an end.
    pub over: bool,
    pub first_failure: Option<String>,
    /// The longest time by which the client itself was late to begin an attempt.
    pub late: Duration,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        let more = if self.over { "" } else { "more than " };
        let (longest, began) = (milliseconds(self.longest), milliseconds(self.began));
        write!(f, "{more}{longest:.1} ms, begun at {began:.1} ms; ")?;
        write!(f, "{} of {} attempts failed", self.failures, self.attempts)?;
        if let Some(first) = &self.first_failure {
            write!(f, " (first: {first})")?;
        }
        write!(f, "; client late by {:.1} ms at worst", milliseconds(self.late))
    }
}

/// All attempts, in the order of their begins.
#[derive(Debug, Default)]
pub struct Record {
    attempts: Vec<Attempt>,
}

#[derive(Debug)]
struct Attempt {
    began: Duration,
    late: Duration,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    UnderWay,
    Answered(Duration),
    Failed(String),
}

impl Attempt {
    fn answered(&self) -> Option<Duration> {
        match self.outcome {
            Outcome::Answered(at) => Some(at),
            Outcome::UnderWay | Outcome::Failed(_) => None,
        }
    }

    fn failure(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Failed(why) => Some(why),
            Outcome::UnderWay | Outcome::Answered(_) => None,
        }
    }
}

impl Record {
    /// An attempt begins, `late` after it was due; returns its number.
    pub fn begin(&mut self, at: Duration, late: Duration) -> usize {
        self.attempts.push(Attempt { began: at, late, outcome: Outcome::UnderWay });
        self.attempts.len() - 1
    }

    /// It ends.
    pub fn end(&mut self, number: usize, at: Duration, result: Result<()>) {
        if let Some(attempt) = self.attempts.get_mut(number) {
            attempt.outcome = match result {
                Ok(()) => Outcome::Answered(at),
                Err(error) => Outcome::Failed(format!("{error:#}")),
            };
        }
    }

    pub fn answered(&self) -> usize {
        self.attempts.iter().filter_map(Attempt::answered).count()
    }

    pub fn last_failure(&self) -> Option<String> {
        self.attempts.iter().rev().find_map(|attempt| attempt.failure().map(str::to_owned))
    }

    /// Whether all that began in the last [`STEADY`] went well, and nothing older is under way.
    pub fn is_steady(&self, now: Duration) -> bool {
        // Those of the last moment may still be under way.
        let (from, to) = (now.saturating_sub(STEADY), now.saturating_sub(STEADY / 5));
        let recent = self.attempts.iter().filter(|attempt| (from..to).contains(&attempt.began));
        let good = |attempt: &Attempt| attempt.answered().is_some();
        let under_way = |attempt: &Attempt| matches!(attempt.outcome, Outcome::UnderWay);
        now > STEADY
            && recent.clone().count() > 10
            && recent.clone().all(good)
            && !self.attempts.iter().any(|attempt| attempt.began < from && under_way(attempt))
            && !self.attempts.iter().any(|attempt| attempt.began >= to && attempt.failure().is_some())
    }

    /// The gap of the attempts from `from` on, as it looks at `now`.
    pub fn gap(&self, from: Duration, now: Duration) -> Gap {
        let first = self.attempts.partition_point(|attempt| attempt.began < from);
        let attempts = self.attempts.get(first..).unwrap_or_default();
        let mut gap = Gap {
            attempts: attempts.len(),
            failures: 0,
            longest: Duration::ZERO,
            began: Duration::ZERO,
            over: true,
            first_failure: attempts.iter().find_map(|attempt| attempt.failure().map(str::to_owned)),
            late: attempts.iter().map(|attempt| attempt.late).max().unwrap_or_default(),
        };
        // The first answer to any of those that began later.
        let mut next: Option<Duration> = None;
        for attempt in attempts.iter().rev() {
            let end = match attempt.answered() {
                Some(at) => {
                    next = Some(next.map_or(at, |next| next.min(at)));
                    Some(at)
                }
                None => {
                    gap.failures += 1;
                    next
                }
            };
            let wait = end.unwrap_or(now).saturating_sub(attempt.began);
            if wait >= gap.longest {
                (gap.longest, gap.began, gap.over) = (wait, attempt.began - from, end.is_some());
            }
        }
        gap
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// Begin and answer of each attempt, in milliseconds.
    fn record(attempts: &[(u64, Option<u64>)]) -> Record {
        let mut record = Record::default();
        for (began, answered) in attempts {
            let number = record.begin(ms(*began), Duration::ZERO);
            let end = answered.unwrap_or(began + 250);
            record.end(number, ms(end), answered.map(drop).ok_or_else(|| anyhow!("lost at {began}")));
        }
        record
    }

    fn gap(attempts: &[(u64, Option<u64>)]) -> (u64, u64, bool) {
        let gap = record(attempts).gap(ms(0), ms(100));
        (gap.began.as_millis() as u64, gap.longest.as_millis() as u64, gap.over)
    }

    #[test]
    fn it_is_the_longest_wait() {
        // began, how long, over
        assert_eq!(gap(&[(1, Some(2)), (2, Some(3))]), (1, 1, true));
        // from the begin of the first that failed to the answer to one that began later
        assert_eq!(gap(&[(1, Some(2)), (2, None), (3, None), (9, Some(11)), (12, Some(13))]), (2, 9, true));
        // the quickest of those that began later
        assert_eq!(gap(&[(1, None), (2, Some(40)), (3, Some(5))]), (2, 38, true));
        assert_eq!(gap(&[(1, None), (2, Some(3)), (3, Some(40))]), (3, 37, true));
        // an answer to one that began earlier is no end
        assert_eq!(gap(&[(1, Some(9)), (8, None), (30, Some(31))]), (8, 23, true));
        // the longer of two
        assert_eq!(gap(&[(1, None), (5, Some(6)), (7, None), (20, Some(21))]), (7, 14, true));
        // nobody is served any more
        assert_eq!(gap(&[(1, Some(2)), (2, None), (50, None)]), (2, 98, false));
        assert_eq!(gap(&[]), (0, 0, true));
    }

    #[test]
    fn only_what_began_later_counts() {
        let record = record(&[(1, None), (10, None), (12, Some(13)), (20, None), (24, Some(25))]);
        let gap = record.gap(ms(15), ms(100));
        assert_eq!((gap.attempts, gap.failures), (2, 1));
        assert_eq!((gap.began, gap.longest), (ms(5), ms(5)));
        assert_eq!(gap.first_failure.as_deref(), Some("lost at 20"));
    }

    #[test]
    fn steady_is_a_while_of_answers_and_no_open_question() {
        let all_well = (0..400).map(|at| (at, Some(at + 1))).collect::<Vec<_>>();
        let mut record = record(&all_well);
        assert!(record.is_steady(ms(400)));
        assert!(!record.is_steady(ms(200)), "too early");
        assert!(!record.is_steady(ms(700)), "nothing began lately");
        record.end(10, ms(350), Err(anyhow!("late, but it began long ago")));
        assert!(record.is_steady(ms(400)));
        record.end(300, ms(301), Err(anyhow!("lately")));
        assert!(!record.is_steady(ms(400)));
        record.end(300, ms(301), Ok(()));
        record.end(399, ms(399), Err(anyhow!("just now")));
        assert!(!record.is_steady(ms(400)));
    }
}
