//! What is said about an account: each fact in the log and in the metrics at one place.

use domain::event::Outcome;
use store::spool::SpoolError;

use super::core::{Core, Finished};
use crate::clock::Now;
use crate::metrics::AccountMetrics;

/// Whose facts these are.
#[derive(Debug)]
pub struct Facts {
    pub account: domain::Account,
    pub metrics: AccountMetrics,
    /// Whether there is an access record for each message.
    pub access: bool,
}

impl Facts {
    /// The access record: ids, no text, no full number.
    pub fn finished(&self, finished: &Finished, now: Now) {
        let Finished { held, outcome } = finished;
        self.metrics.finished(outcome);
        if !self.access {
            return;
        }
        let (word, code) = match outcome {
            Outcome::Accepted => ("accepted", None),
            Outcome::Refused { code, .. } => ("refused", *code),
            Outcome::Uncertain => ("uncertain", None),
            Outcome::Expired => ("expired", None),
        };
        let since = |from: domain::Millis| now.millis.0.saturating_sub(from.0);
        tracing::info!(
            target: "access",
            uaopId = %held.submission.uaop_id,
            empiId = %held.submission.empi_id,
            class = %held.submission.class,
            account = %self.account,
            to = %held.submission.to,
            parts = held.delivery.parts().len(),
            pushes = held.pushes,
            uncertain_pushes = held.uncertain_pushes,
            resp = held.resp_sequences.join(","),
            outcome = word,
            code,
            waited_ms = held.pushed.map(|pushed| pushed.0.saturating_sub(held.taken.0)),
            total_ms = since(held.taken),
            "message"
        );
    }

    pub fn link_up(&self, connection: u32, all_up: bool) {
        self.metrics.link_alarm.set(i64::from(!all_up));
        tracing::info!(account = %self.account, connection, "connected to the carrier");
    }

    /// `alarming`: it is not the ordinary end of an idle connection.
    pub fn link_down(&self, connection: u32, reason: &str, lost: usize, alarming: bool) {
        if alarming {
            self.metrics.link_alarm.set(1);
            tracing::error!(account = %self.account, connection, reason, lost, "connection to the carrier is down");
        } else {
            tracing::info!(account = %self.account, connection, reason, "connection to the carrier is at rest");
        }
    }

    pub fn answers(&self, alarm: bool) {
        self.metrics.answers_alarm.set(i64::from(alarm));
        if alarm {
            tracing::error!(account = %self.account, "the carrier refuses too many submits, or leaves them unanswered");
        } else {
            tracing::info!(account = %self.account, "the carrier answers well again");
        }
    }

    pub fn slowed(&self, code: u32, rate: Option<f64>) {
        tracing::warn!(account = %self.account, code, rate, "the carrier asks for less; slowing down");
    }

    pub fn refused(&self, code: u32, chinese: &str, english: &str) {
        tracing::warn!(account = %self.account, code, chinese, english, "the carrier refuses a part for good");
    }

    pub fn lost(&self, count: usize) {
        tracing::warn!(account = %self.account, parts = count, "no answer: it is not known whether the carrier has them");
    }

    pub fn spool_failed(&self, error: &SpoolError) {
        self.metrics.spool_failures.inc();
        tracing::error!(account = %self.account, %error, "the spool cannot be written; nothing is pushed or acknowledged until it can");
    }

    pub fn fragment_unreadable(&self) {
        self.metrics.mo.unreadable.inc();
        tracing::warn!(account = %self.account, "a part of a user's message left by the last run cannot be understood; it stays in the spool");
    }

    pub fn stopped(&self, unfinished: usize) {
        tracing::info!(account = %self.account, unfinished, "account stopped; what is unfinished waits in the spool");
    }

    /// Gauges.
    pub fn level(&self, core: &Core, now: Now) {
        let (waiting, age) = core.waiting(now.millis);
        let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.waiting.set(count(waiting));
        self.metrics.queue_age.set(age.as_secs_f64());
        self.metrics.unfinished.set(count(core.unfinished()));
        self.metrics.under_way.set(i64::from(core.lines.under_way()));
        self.metrics.rate_limit.set(core.pace.rate(now.instant).unwrap_or(0.0));
        self.metrics.slowed.set(i64::from(core.pace.is_braked(now.instant)));
    }
}
