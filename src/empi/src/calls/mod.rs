//! Calls to banks: each report and each message of a user, until the bank has it.
//!
//! Every bank has a task of its own, so that a slow one holds up no other. The schedule is in the store.

mod client;
mod schedule;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::alarm::Severity;
use domain::{Bank, Millis};
use store::empi::{Call, Called, EmpiStore};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::alarms::Alarms;
use crate::api::shapes::ReportItem;
use crate::clock::{Clock, told};
use crate::config::Callback;
use crate::metrics::Families;
pub use client::{HttpMessenger, client};

/// How often it is looked for calls that are due again.
const TICK: Duration = Duration::from_secs(1);
/// The longest pause of a bank that does not answer.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// From so many failures in a row somebody should know.
const ALARMING: u32 = 5;
/// Beyond its timeout, until somebody else may make a call.
const LEASE: Duration = Duration::from_secs(30);

/// Delivers a body to a bank.
#[async_trait]
pub trait Messenger: Send + Sync + 'static {
    /// # Errors
    /// Why the bank does not have it, for the log.
    async fn deliver(&self, body: Vec<u8>) -> Result<(), String>;
}

/// Calls one bank.
pub struct Caller {
    pub bank: Bank,
    pub settings: Callback,
    pub messenger: Arc<dyn Messenger>,
    pub store: Arc<dyn EmpiStore>,
    pub clock: Clock,
    pub kept: watch::Receiver<i64>,
    pub families: Arc<Families>,
    pub alarms: Arc<Alarms>,
}

/// A call that is over.
struct Made {
    cursor: i64,
    tries: u32,
    since: Millis,
    result: Result<(), String>,
}

impl Caller {
    /// Calls until `ending`, then waits for the calls under way.
    pub async fn run(mut self, mut ending: watch::Receiver<bool>) {
        let mut under_way = JoinSet::new();
        let (mut failures, mut rest) = (0, Instant::now());
        loop {
            self.kept.mark_unchanged();
            let stopping = *ending.borrow();
            if stopping && under_way.is_empty() {
                return;
            }
            // one that does not answer is asked by one call at a time
            let most = if failures > 0 { 1 } else { self.settings.at_once };
            let free = most.saturating_sub(under_way.len());
            if !stopping && free > 0 && Instant::now() >= rest {
                self.start(free, &mut under_way).await;
            }
            let look = rest.max(Instant::now() + TICK);
            tokio::select! {
                Some(made) = under_way.join_next() => {
                    let mut over: Vec<Made> = made.into_iter().collect();
                    while let Some(made) = under_way.try_join_next() {
                        over.extend(made);
                    }
                    failures = self.settle(over, failures).await;
                    if failures > 0 {
                        let pause = schedule::pause(self.settings.retry, failures - 1);
                        rest = Instant::now() + pause.min(LONGEST_REST);
                    }
                }
                () = told(&mut ending), if !stopping => {}
                // nothing comes any more; what is there is still called
                changed = self.kept.changed(), if free > 0 && failures == 0 => if changed.is_err() {
                    tokio::time::sleep_until(look).await;
                },
                () = tokio::time::sleep_until(look), if free > 0 => {}
            }
        }
    }

    async fn start(&self, most: usize, under_way: &mut JoinSet<Made>) {
        let now = self.clock.now();
        let lease = now.later(self.settings.timeout + LEASE);
        let calls = match self.store.calls_of(&self.bank, now, lease, most).await {
            Ok(calls) => calls,
            Err(error) => {
                tracing::warn!(%error, bank = %self.bank, "calls cannot be read; trying again");
                return;
            }
        };
        for Call { bank: _, item, tries, since } in calls {
            let (messenger, call) = (Arc::clone(&self.messenger), self.families.call.clone());
            under_way.spawn(async move {
                let cursor = item.cursor;
                let start = Instant::now();
                let result = match serde_json::to_vec(&ReportItem::from(item)) {
                    Ok(body) => messenger.deliver(body).await,
                    Err(error) => Err(error.to_string()),
                };
                call.observe(start.elapsed().as_secs_f64());
                Made { cursor, tries, since, result }
            });
        }
    }

    /// Notes how calls went; failures in a row.
    async fn settle(&self, over: Vec<Made>, mut failures: u32) -> u32 {
        let now = self.clock.now();
        let mut called = Vec::with_capacity(over.len());
        for Made { cursor, tries, since, result } in over {
            let (next, outcome) = match result {
                Ok(()) => {
                    failures = 0;
                    (Called::Done, "done")
                }
                Err(reason) => {
                    failures = failures.saturating_add(1);
                    tracing::debug!(bank = %self.bank, cursor, tries, reason, "a call to a bank was in vain");
                    if failures >= ALARMING {
                        let text = format!("calls to it fail: {reason}");
                        self.alarms.raise("bank_unreachable", self.bank.as_str(), Severity::Warning, text);
                    }
                    match schedule::after_failure(&self.settings, tries, since, now) {
                        Called::GivenUp => (Called::GivenUp, "given_up"),
                        again => (again, "failed"),
                    }
                }
            };
            self.families.calls.with_label_values(&[self.bank.as_str(), outcome]).inc();
            called.push((self.bank.clone(), cursor, next));
        }
        if failures == 0 {
            self.alarms.clear("bank_unreachable", self.bank.as_str(), "it takes calls");
        }
        if let Err(error) = self.store.called(called).await {
            // they are made again when their lease is over
            tracing::warn!(%error, bank = %self.bank, "how calls went cannot be noted");
        }
        failures
    }
}
