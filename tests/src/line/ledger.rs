//! What was taken, against the events and the carrier's record.

mod account;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use domain::Submission;

use super::control::Recorded;
use super::letters::MARKS;
use super::uplink::{Told, Verdict};
use super::{Feed, Line, Uplink};
use crate::wait;

pub use account::{Balance, Fault};

/// How long a gateway may be away.
const AWAY: Duration = Duration::from_secs(60);

/// The bank's book. Each message goes to a number of its own, which is how the carrier's record is read.
#[derive(Debug, Default)]
pub struct Ledger {
    sent: BTreeMap<String, Submission>,
    taken: BTreeSet<String>,
    /// Classes of which an uncertain part is not sent again.
    marked: BTreeSet<String>,
}

impl Ledger {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a gateway that marks the uncertain messages of these classes.
    #[must_use]
    pub fn marking(classes: &[&str]) -> Self {
        Self { marked: classes.iter().map(|class| (*class).to_owned()).collect(), ..Self::default() }
    }

    /// Hands messages in until the gateway has taken each: again after it was away, again if it says so.
    ///
    /// # Errors
    /// It refuses one for good, or is away too long.
    pub fn submit(&mut self, uplink: &Uplink, batch: Vec<Submission>) -> Result<()> {
        let mut waiting = batch;
        for submission in &waiting {
            self.sent.insert(submission.uaop_id.to_string(), submission.clone());
        }
        wait::until_ok("the gateway to take messages", AWAY, || {
            let Ok(answers) = uplink.submit(&waiting) else { return Ok(None) };
            let mut refused = Vec::new();
            for (submission, answer) in std::mem::take(&mut waiting).into_iter().zip(answers) {
                ensure!(
                    answer.uaop_id.as_deref() == Some(submission.uaop_id.as_str()),
                    "the answer to {} is {answer:?}",
                    submission.uaop_id
                );
                match (answer.taken, answer.again) {
                    (Verdict::New | Verdict::Duplicate, _) => {
                        self.taken.insert(submission.uaop_id.to_string());
                    }
                    (Verdict::Refused, Some(true)) => refused.push(submission),
                    (Verdict::Refused, _) => bail!("{} is refused: {answer:?}", submission.uaop_id),
                }
            }
            waiting = refused;
            Ok(waiting.is_empty().then_some(()))
        })
    }

    /// Messages that the gateway has acknowledged.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.taken.len()
    }

    /// Waits until every message taken is finished, the carrier has got rid of its reports, and all of those have come
    /// up; then compares.
    ///
    /// # Errors
    /// Something does not come, or [`Ledger::compare`] finds something.
    pub fn settle(&self, line: &Line, deadline: Duration) -> Result<Balance> {
        line.feed.wait_count("finished", self.taken.len(), deadline)?;
        line.wait_delivered(deadline)?;
        let record = line.carrier.control().messages()?;
        let due: BTreeSet<&String> = account::reports_due(&record).collect();
        line.feed.wait("the reports", deadline, |seen| {
            due.iter().all(|id| seen.reported.contains(*id)).then_some(())
        })?;
        self.compare_feed(&line.feed, &record)
    }

    /// As [`Ledger::compare`], with what has come so far.
    ///
    /// # Errors
    /// As [`Ledger::compare`].
    pub fn compare_feed(&self, feed: &Feed, record: &[Recorded]) -> Result<Balance> {
        feed.look(|seen| self.compare(&seen.events, record))
    }

    /// Every message taken is finished, once; every one that is accepted is whole at the carrier; every part at the
    /// carrier was told before it went; no part is there more often than pushes that may make duplicates explain, and
    /// one of a marked class never twice; every report that the carrier sent has come up, with the right message.
    ///
    /// # Errors
    /// The first faults of each kind, by their ids.
    pub fn compare(&self, events: &[Told], record: &[Recorded]) -> Result<Balance> {
        let account = account::Account::new(&self.sent, &self.taken, &self.marked);
        let (balance, faults) = account.close(events, record);
        if faults.is_empty() {
            return Ok(balance);
        }
        let mut report = format!("the books do not agree: {balance:#?}");
        for (fault, of) in faults {
            let first: Vec<&str> = of.iter().take(5).map(String::as_str).collect();
            report += &format!("\n{fault:?}: {} times: {}", of.len(), first.join("; "));
        }
        bail!(report)
    }

    /// What of the run's numbers and texts is in `log`.
    #[must_use]
    pub fn leaks(&self, log: &str) -> Vec<String> {
        leaks(self.sent.values(), log)
    }
}

/// What of these numbers, and of the kit's texts, is in `log`.
#[must_use]
pub fn leaks<'a>(sent: impl IntoIterator<Item = &'a Submission>, log: &str) -> Vec<String> {
    let mut leaks: Vec<String> =
        MARKS.iter().filter(|mark| log.contains(**mark)).map(|mark| format!("the text {mark:?}")).collect();
    let numbers: BTreeSet<&str> = sent.into_iter().map(|submission| submission.to.digits()).collect();
    for run in log.split(|c: char| !c.is_ascii_digit()) {
        let windows = (0..run.len().saturating_sub(10)).map(|start| &run[start..start + 11]);
        leaks.extend(windows.filter(|window| numbers.contains(window)).map(|_| format!("a number in {run}")));
    }
    leaks
}

#[cfg(test)]
mod tests {
    use super::super::letters::Letters;
    use super::*;

    #[test]
    fn numbers_and_texts_in_a_log_are_found() {
        let mut ledger = Ledger::new();
        let submission = Letters::new().one();
        ledger.sent.insert("m".to_owned(), submission.clone());
        assert_eq!(ledger.leaks("to 139****0000, 1391234000 and 86139123400 12"), [""; 0]);
        let number = submission.to.digits();
        assert_eq!(ledger.leaks(&format!("to 86{number}.")).len(), 1);
        assert_eq!(ledger.leaks(&submission.text.0).len(), 1);
    }
}
