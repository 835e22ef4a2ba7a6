//! Takes messages: chooses the account, checks that it can send them, and answers when they are durable.

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::event::Outcome;
use domain::lifecycle::{Delivery, WhenUncertain};
use domain::{Account, Submission};
use store::spool::{Spool, SpoolError, Stored, Taken};
use store::sqlite::Refused;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::account::core::progress;
use crate::account::inbox::{Giver, Message};
use crate::account::render::Rules;
use crate::clock;
use crate::config::Classes;
use crate::metrics::Families;

/// What the engine knows of an account.
#[derive(Debug)]
pub struct Entry {
    pub rules: Rules,
    pub giver: Giver,
}

/// The way in.
pub struct Engine {
    pub spool: Spool,
    pub accounts: BTreeMap<Account, Entry>,
    pub classes: Classes,
    /// The most unfinished messages.
    pub most: usize,
    pub families: Arc<Families>,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable.
    New,
    /// It was taken before; here is its outcome, if it has one.
    Duplicate { outcome: Option<Outcome> },
    /// It is not taken. `again`: it may be later.
    Refused { reason: String, again: bool },
}

/// Why no account can take a message that the last run left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum Orphan {
    #[error("account {} is not in the file any more", .0.as_ref().map_or("(none)", |name| name.as_str()))]
    AccountGone(Option<Account>),
    #[error("what was pushed of them cannot be understood, and their texts cannot be split any more")]
    Unreadable,
}

/// A submission that may be taken.
struct Fit {
    submission: Submission,
    delivery: Delivery,
    giver: Giver,
}

impl Engine {
    /// Takes submissions; one verdict for each, in their order. Those that can be taken are durable all together.
    pub async fn take(&self, submissions: Vec<Submission>) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(submissions.len());
        let mut fits = Vec::new();
        for submission in submissions {
            match self.fit(submission) {
                Ok(fit) => {
                    fits.push(fit);
                    verdicts.push(None);
                }
                Err(reason) => verdicts.push(Some(self.refused("unfit", reason, false))),
            }
        }
        let mut taken = self.store(fits).await.into_iter();
        verdicts.into_iter().filter_map(|verdict| verdict.or_else(|| taken.next())).collect()
    }

    /// Takes nothing: the gateway stops. A verdict for each of so many submissions.
    pub fn refuse(&self, count: usize) -> Vec<Verdict> {
        let stopping = || self.refused("stopping", "the gateway stops".to_owned(), true);
        std::iter::repeat_with(stopping).take(count).collect()
    }

    /// Gives a message that the last run left to its account.
    ///
    /// # Errors
    /// No account can take it: it waits in the spool.
    pub fn resume(&self, stored: Stored) -> Result<(), (Box<Stored>, Orphan)> {
        let Ok((_, entry)) = self.account(&stored.submission) else {
            let name = stored.submission.account.clone();
            return Err((Box::new(stored), Orphan::AccountGone(name)));
        };
        let delivery = serde_json::from_str(&stored.progress).ok().or_else(|| {
            let parts = entry.rules.parts(&stored.submission).ok()?;
            Some(in_doubt(parts, self.classes.uncertain(&stored.submission.class)))
        });
        let Some(delivery) = delivery else { return Err((Box::new(stored), Orphan::Unreadable)) };
        let Stored { key, submission, progress: _, taken_at } = stored;
        // an account that has stopped leaves it to the next run
        entry.giver.give(Message { key, submission, delivery, taken: taken_at, recovered: true });
        Ok(())
    }

    fn account(&self, submission: &Submission) -> Result<(&Account, &Entry), String> {
        match (&submission.account, self.accounts.first_key_value()) {
            (Some(name), _) => self.accounts.get_key_value(name).ok_or_else(|| {
                let known: Vec<&str> = self.accounts.keys().map(Account::as_str).collect();
                format!("there is no account `{name}` here; there is {}", known.join(", "))
            }),
            (None, Some(only)) if self.accounts.len() == 1 => Ok(only),
            (None, _) => Err("`account` is missing; this gateway has several".to_owned()),
        }
    }

    /// From here on the submission names its account, so that it is the same message whether or not it did before, and so
    /// that it stays with its account when the file has more of them.
    fn fit(&self, mut submission: Submission) -> Result<Fit, String> {
        let (name, entry) = self.account(&submission)?;
        submission.account = Some(name.clone());
        if !submission.not_after.is_none_or(clock::can_name) {
            return Err("`not_after` is beyond 2099; it is in milliseconds since 1970".to_owned());
        }
        let parts = entry.rules.parts(&submission).map_err(|error| error.to_string())?;
        let delivery = Delivery::new(parts, self.classes.uncertain(&submission.class));
        Ok(Fit { submission, delivery, giver: entry.giver.clone() })
    }

    async fn store(&self, fits: Vec<Fit>) -> Vec<Verdict> {
        if fits.is_empty() {
            return Vec::new();
        }
        let count = fits.len();
        let refuse = |reason: &'static str, text: String| {
            (0..count).map(|_| self.refused(reason, text.clone(), true)).collect()
        };
        let unfinished = usize::try_from(self.spool.counts().unfinished).unwrap_or(usize::MAX);
        if unfinished.saturating_add(count) > self.most {
            return refuse(
                "queue_full",
                format!("{unfinished} messages are unfinished, {} may be", self.most),
            );
        }
        let rows = fits.iter().map(|fit| (fit.submission.clone(), progress(&fit.delivery))).collect();
        let (sender, receiver) = oneshot::channel();
        let now = clock::millis();
        let handed = self.spool.take_many(rows, now, move |result: Result<Vec<Taken>, SpoolError>| {
            for (fit, taken) in fits.into_iter().zip(result.iter().flatten()) {
                let Fit { submission, delivery, giver } = fit;
                if let &Taken::New { key } = taken {
                    // an account that has stopped leaves it to the next run
                    giver.give(Message { key, submission, delivery, taken: now, recovered: false });
                }
            }
            // whoever asked may be gone; the messages are taken all the same
            let _ = sender.send(result);
        });
        match handed {
            Err(error @ Refused::QueueFull) => return refuse("store_busy", error.to_string()),
            Err(error @ Refused::Stopped) => return refuse("stopping", error.to_string()),
            Ok(()) => {}
        }
        match receiver.await {
            Ok(Ok(taken)) => taken.into_iter().map(|taken| self.verdict(taken)).collect(),
            Ok(Err(error)) => {
                self.families.spool_failures.inc();
                refuse("store_failed", error.to_string())
            }
            Err(_) => refuse("stopping", "the gateway stops".to_owned()),
        }
    }

    fn verdict(&self, taken: Taken) -> Verdict {
        match taken {
            Taken::New { .. } => Verdict::New,
            Taken::Duplicate { same: true, outcome, .. } => {
                self.families.not_taken.with_label_values(&["duplicate"]).inc();
                Verdict::Duplicate { outcome }
            }
            Taken::Duplicate { same: false, .. } => self.refused(
                "id_reused",
                "this id was used for another message; give each its own".to_owned(),
                false,
            ),
        }
    }

    fn refused(&self, label: &'static str, reason: String, again: bool) -> Verdict {
        self.families.not_taken.with_label_values(&[label]).inc();
        Verdict::Refused { reason, again }
    }
}

/// A message of which nobody knows what was pushed: each part may have been.
fn in_doubt(parts: u8, policy: WhenUncertain) -> Delivery {
    let mut delivery = Delivery::new(parts, policy);
    for part in 1..=parts {
        // each waits to be pushed
        let _ = delivery.pushed(part, "").and_then(|_| delivery.lost(part));
    }
    delivery
}
