//! The handles of one account: looked up once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Disposition;
use domain::event::{Attempt, Outcome, ReportState};
use prometheus::{Gauge, Histogram, IntCounter, IntGauge};

use super::Families;

/// Codes above this one share a label: a carrier must not make series without end.
const MOST_CODE: u32 = 999;

/// What an account counts.
#[derive(Debug)]
pub struct AccountMetrics {
    name: String,
    families: Arc<Families>,
    pub taken: IntCounter,
    pushed: [IntCounter; 3],
    answers: HashMap<u32, IntCounter>,
    finished: [IntCounter; 4],
    pub report_delay: Histogram,
    pub push_delay: Histogram,
    pub waiting: IntGauge,
    pub queue_age: Gauge,
    pub unfinished: IntGauge,
    pub under_way: IntGauge,
    pub rate_limit: Gauge,
    pub slowed: IntGauge,
    pub link_alarm: IntGauge,
    pub answers_alarm: IntGauge,
    pub mo: MoMetrics,
    pub spool_failures: IntCounter,
}

/// Users' messages.
#[derive(Debug)]
pub struct MoMetrics {
    pub whole: IntCounter,
    pub incomplete: IntCounter,
    pub repeated: IntCounter,
    pub unreadable: IntCounter,
}

impl AccountMetrics {
    #[must_use]
    pub fn new(families: &Arc<Families>, account: &domain::Account) -> Self {
        let name = account.as_str();
        let of = |value: &'static str| [name, value];
        let pushed = ["first", "retry", "uncertain"];
        let finished = ["accepted", "refused", "uncertain", "expired"];
        Self {
            name: name.to_owned(),
            taken: families.taken.with_label_values(&[name]),
            pushed: pushed.map(|attempt| families.pushed.with_label_values(&of(attempt))),
            answers: HashMap::new(),
            finished: finished.map(|outcome| families.finished.with_label_values(&of(outcome))),
            report_delay: families.report_delay.with_label_values(&[name]),
            push_delay: families.push_delay.with_label_values(&[name]),
            waiting: families.waiting.with_label_values(&[name]),
            queue_age: families.queue_age.with_label_values(&[name]),
            unfinished: families.unfinished.with_label_values(&[name]),
            under_way: families.under_way.with_label_values(&[name]),
            rate_limit: families.rate_limit.with_label_values(&[name]),
            slowed: families.slowed.with_label_values(&[name]),
            link_alarm: families.alarm.with_label_values(&of("link")),
            answers_alarm: families.alarm.with_label_values(&of("answers")),
            mo: MoMetrics {
                whole: families.mo.with_label_values(&of("whole")),
                incomplete: families.mo.with_label_values(&of("incomplete")),
                repeated: families.mo.with_label_values(&of("repeated")),
                unreadable: families.mo.with_label_values(&of("unreadable")),
            },
            spool_failures: families.spool_failures.clone(),
            families: Arc::clone(families),
        }
    }

    pub fn pushed(&self, attempt: Attempt) {
        let [first, retry, uncertain] = &self.pushed;
        match attempt {
            Attempt::First => first.inc(),
            Attempt::Retry => retry.inc(),
            Attempt::Uncertain => uncertain.inc(),
        }
    }

    pub fn answered(&mut self, code: u32, disposition: Disposition) {
        let (name, families) = (&self.name, &self.families);
        let code = code.min(MOST_CODE + 1);
        self.answers
            .entry(code)
            .or_insert_with(|| {
                let shown = if code > MOST_CODE { "other".to_owned() } else { code.to_string() };
                families.answers.with_label_values(&[name.as_str(), &shown, word(disposition)])
            })
            .inc();
    }

    pub fn finished(&self, outcome: &Outcome) {
        let [accepted, refused, uncertain, expired] = &self.finished;
        match outcome {
            Outcome::Accepted => accepted.inc(),
            Outcome::Refused { .. } => refused.inc(),
            Outcome::Uncertain => uncertain.inc(),
            Outcome::Expired => expired.inc(),
        }
    }

    /// A report; `delay` since the answer to the submit if this gateway knows the message.
    pub fn reported(&self, state: ReportState, delay: Option<Duration>) {
        let state = match state {
            ReportState::Delivered => "delivered",
            ReportState::Failed => "failed",
            ReportState::Waiting => "waiting",
        };
        let known = if delay.is_some() { "yes" } else { "no" };
        self.families.reports.with_label_values(&[self.name.as_str(), state, known]).inc();
        if let Some(delay) = delay {
            self.report_delay.observe(delay.as_secs_f64());
        }
    }
}

fn word(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Accepted => "accepted",
        Disposition::SlowDown => "slow_down",
        Disposition::Later => "later",
        Disposition::Final => "final",
    }
}
