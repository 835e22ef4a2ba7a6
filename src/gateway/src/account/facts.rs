//! What is said about an account: each fact in the log and in the metrics at one place.

use domain::event::Outcome;
use store::spool::SpoolError;

use super::core::{Core, Finished};
use super::level::{Alarm, Board, ConnectionLevel};
use super::lines::Lines;
use crate::clock::Now;
use crate::connection::ConnectionId;
use crate::metrics::AccountMetrics;

/// Whose facts these are.
#[derive(Debug)]
pub struct Facts {
    pub account: domain::Account,
    pub metrics: AccountMetrics,
    pub board: Board,
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
        let (code, reason) = match outcome {
            Outcome::Refused { code, reason } => (*code, Some(reason)),
            Outcome::Accepted | Outcome::Uncertain | Outcome::Expired => (None, None),
        };
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
            outcome = outcome.word(),
            code,
            reason,
            waited_ms = held.pushed.map(|pushed| pushed.0.saturating_sub(held.taken.0)),
            total_ms = now.millis.0.saturating_sub(held.taken.0),
            "message"
        );
    }

    pub fn link_up(&self, connection: ConnectionId, lines: &Lines) {
        self.links(lines);
        tracing::info!(account = %self.account, connection, "connected to the carrier");
    }

    pub fn link_down(&self, connection: ConnectionId, reason: &str, lost: usize) {
        tracing::error!(account = %self.account, connection, reason, lost, "connection to the carrier is down");
    }

    /// As it was told to.
    pub fn link_ended(&self, connection: ConnectionId) {
        tracing::info!(account = %self.account, connection, "connection to the carrier ended");
    }

    pub fn link_not_up(&self, connection: ConnectionId, reason: &str) {
        tracing::error!(account = %self.account, connection, reason, "no connection to the carrier; it is tried again and again");
    }

    /// The alarm about links, and whether parts can be submitted.
    pub fn links(&self, lines: &Lines) {
        self.metrics.link_alarm.set(i64::from(!lines.all_up()));
        self.board.show(|level| {
            level.ready = lines.any_up() && !level.alarms.contains(&Alarm::Spool);
            level.connections =
                lines.each().map(|(connection, up)| ConnectionLevel { connection, up }).collect();
            set(&mut level.alarms, Alarm::Link, !lines.all_up());
        });
    }

    pub fn answers(&self, alarm: bool) {
        self.metrics.answers_alarm.set(i64::from(alarm));
        self.board.show(|level| set(&mut level.alarms, Alarm::Answers, alarm));
        if alarm {
            tracing::error!(account = %self.account, "the carrier refuses too many submits, or leaves them unanswered");
        } else {
            tracing::info!(account = %self.account, "the carrier answers well again");
        }
    }

    pub fn slowed(&self, code: u32, rate: Option<f64>) {
        tracing::warn!(account = %self.account, code, rate, "the carrier asks for less; slowing down");
    }

    pub fn lost(&self, count: usize) {
        tracing::warn!(account = %self.account, parts = count, "no answer: it is not known whether the carrier has them");
    }

    pub fn spool_failed(&self, error: &SpoolError) {
        self.metrics.spool_failures.inc();
        self.board.show(|level| {
            level.ready = false;
            set(&mut level.alarms, Alarm::Spool, true);
        });
        tracing::error!(account = %self.account, %error, "the spool cannot be written; nothing is pushed or acknowledged until it can");
    }

    /// A write has come through.
    pub fn spool_works(&self) {
        self.board.show(|level| set(&mut level.alarms, Alarm::Spool, false));
    }

    pub fn fragment_unreadable(&self) {
        self.metrics.mo.unreadable.inc();
        tracing::warn!(account = %self.account, "a part of a user's message left by the last run cannot be understood; it stays in the spool");
    }

    pub fn stopped(&self, unfinished: usize) {
        tracing::info!(account = %self.account, unfinished, "account stopped; what is unfinished waits in the spool");
    }

    /// Gauges, and the board.
    pub fn level(&self, core: &Core, now: Now) {
        let (waiting, age) = core.waiting(now.millis);
        let (unfinished, under_way) = (core.unfinished(), core.lines.under_way());
        let (rate, slowed) = (core.pace.rate(now.instant), core.pace.is_braked(now.instant));
        let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.metrics.waiting.set(count(waiting));
        self.metrics.queue_age.set(age.as_secs_f64());
        self.metrics.unfinished.set(count(unfinished));
        self.metrics.under_way.set(i64::from(under_way));
        self.metrics.rate_limit.set(rate.unwrap_or(0.0));
        self.metrics.slowed.set(i64::from(slowed));
        self.board.show(|level| {
            (level.waiting, level.unfinished, level.under_way) = (waiting, unfinished, under_way);
            (level.rate_limit, level.slowed) = (rate, slowed);
        });
        self.links(&core.lines);
    }
}

fn set(alarms: &mut Vec<Alarm>, alarm: Alarm, on: bool) {
    alarms.retain(|&other| other != alarm);
    if on {
        alarms.push(alarm);
    }
}
