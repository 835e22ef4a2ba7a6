//! What is looked after from time to time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use domain::alarm::Severity;
use store::empi::EmpiStore;
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::accept::Waiting;
use crate::alarms::Alarms;
use crate::clock::Clock;
use crate::door::Client;
use crate::metrics::Families;
use crate::standing::Standing;

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// A node that was not seen for so long is gone.
const SILENT: Duration = Duration::from_secs(30);
/// Rows forgotten in one transaction, and transactions in one go.
const BATCH: usize = 1000;
const BATCHES: usize = 200;

/// Looks after the store, the bus and the clock.
pub struct Housekeeping {
    pub node: String,
    pub store: Arc<dyn EmpiStore>,
    pub bus: Arc<dyn Bus>,
    pub standing: Arc<Standing>,
    pub waiting: Arc<Waiting>,
    pub alarms: Arc<Alarms>,
    pub families: Arc<Families>,
    pub clock: Clock,
    pub clients: Vec<Arc<Client>>,
    pub keep: Duration,
    /// Whether other nodes have the same store.
    pub shared: bool,
    /// Rung when messages of another node were taken over.
    pub anew: Arc<Notify>,
}

impl Housekeeping {
    /// For ever.
    pub async fn run(self) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for second in 0_u64.. {
            seconds.tick().await;
            self.look_at_store().await;
            if second % 2 == 0 {
                self.look_at_bus().await;
            }
            if second % 5 == 0 {
                self.count().await;
            }
            if self.shared && second % 5 == 0 {
                self.take_over().await;
            }
            if second % 10 == 0 {
                self.quotas().await;
                self.look_at_clock();
            }
            if second % 60 == 30 {
                self.forget().await;
            }
        }
    }

    async fn look_at_store(&self) {
        let wrong = within(self.store.ping()).await.err();
        match &wrong {
            None => self.alarms.clear("store_away", &self.node, "the store answers"),
            Some(wrong) => {
                let text = format!("no message is accepted: {wrong}");
                self.alarms.raise("store_away", &self.node, Severity::Critical, text);
            }
        }
        self.standing.store(wrong);
    }

    async fn look_at_bus(&self) {
        let wrong = within(self.bus.ping()).await.err();
        match &wrong {
            None => self.alarms.clear("bus_away", &self.node, "the bus answers"),
            Some(wrong) => {
                let text = format!("no reports come: {wrong}");
                self.alarms.raise("bus_away", &self.node, Severity::Critical, text);
            }
        }
        self.standing.bus(wrong);
    }

    async fn count(&self) {
        let Ok(counts) = within(self.store.counts()).await else { return };
        self.waiting.learn(counts.waiting);
        self.families.calls_waiting.set(i64::try_from(counts.calls).unwrap_or(i64::MAX));
        let most = self.waiting.most();
        if counts.waiting >= most {
            let text = format!("{} messages wait for a UAOP; no more are accepted", counts.waiting);
            self.alarms.raise("queue_full", &self.node, Severity::Critical, text);
        } else if counts.waiting < most - most / 10 {
            self.alarms.clear("queue_full", &self.node, "messages are accepted");
        }
    }

    /// A clock that has jumped would see all others silent.
    async fn take_over(&self) {
        if !self.clock.steady() {
            return;
        }
        let now = self.clock.now();
        match within(self.store.take_over(now, now.earlier(SILENT))).await {
            Ok(0) => {}
            Ok(messages) => {
                tracing::warn!(messages, "taken over from a node that was not seen any more");
                self.families.taken_over.inc_by(messages);
                self.anew.notify_one();
            }
            Err(error) => tracing::warn!(error, "messages of other nodes cannot be taken over"),
        }
    }

    /// What the store has counted.
    pub async fn quotas(&self) {
        for client in &self.clients {
            let Some(quota) = &client.quota else { continue };
            let start = quota.start(self.clock.now());
            match within(self.store.accepted_since(&client.bank, start)).await {
                Ok(counted) => quota.learn(start, counted),
                Err(error) => tracing::warn!(error, bank = %client.bank, "the quota cannot be counted"),
            }
        }
    }

    fn look_at_clock(&self) {
        if self.clock.steady() {
            self.alarms.clear("clock_jumped", &self.node, "the time of day is believed again");
        } else {
            let text = "the host's time of day has jumped forward; nothing ends by it for ten minutes";
            self.alarms.raise("clock_jumped", &self.node, Severity::Warning, text.to_owned());
        }
    }

    async fn forget(&self) {
        if !self.clock.steady() {
            return;
        }
        let before = self.clock.now().earlier(self.keep);
        for _ in 0..BATCHES {
            match self.store.forget(before, BATCH).await {
                Ok(gone) => {
                    self.families.forgotten.inc_by(gone);
                    if gone < BATCH as u64 {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "what is old cannot be forgotten");
                    return;
                }
            }
        }
    }
}

/// Within the patience; what is wrong, for people.
async fn within<T, E: std::fmt::Display>(asked: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
