//! What is done again and again: giving up, forgetting, looking how things stand.

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use domain::Millis;
use domain::alarm::Severity;
use runtime::clock::Jumps;
use store::StoreError;
use store::center::CenterStore;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::bell::Bell;
use crate::clock::Clock;
use crate::metrics::Families;
use crate::patience::{Engine, Patience};
use crate::standing::{Standing, severity_word};

/// Messages given up or forgotten with one commit.
const BATCH: usize = 1000;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// How often the state is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long an answer may take.
const PING: Duration = Duration::from_secs(5);
/// Alarms that are looked at for the metrics.
pub const ALARMS: usize = 10_000;

/// Gives up and forgets.
pub struct Upkeep {
    pub store: Arc<dyn CenterStore>,
    /// How long a report is waited for.
    pub give_up: Duration,
    pub keep: Duration,
    pub clock: Clock,
    pub bell: Bell,
    pub patience: Patience,
    pub families: Arc<Families>,
    pub outbox: Arc<Notify>,
}

impl Upkeep {
    /// Never ends.
    pub async fn run(self) {
        let mut jumps = Jumps::default();
        let mut forget_at = Instant::now();
        loop {
            let now = self.clock.now();
            let instant = Instant::now().into_std();
            // the bell tells of it
            let _ = jumps.look(instant, Duration::from_millis(now.0));
            if jumps.steady(instant) {
                self.bell.over("clock_jumped", "center");
                self.overdue(now).await;
                if Instant::now() >= forget_at {
                    self.forget(now).await;
                    forget_at = Instant::now() + HOUR;
                }
            } else {
                let text =
                    "the time of day has jumped forward; nothing is given up or forgotten for ten minutes";
                self.bell.raise("clock_jumped", "center", Severity::Warning, text);
            }
            tokio::time::sleep(MINUTE).await;
        }
    }

    async fn overdue(&self, now: Millis) {
        let before = now.earlier(self.give_up);
        let give_up = || self.store.overdue(before, now, BATCH);
        loop {
            let given_up = self.patience.until_done(Engine::Store, give_up).await;
            self.families.overdue.inc_by(given_up);
            if given_up > 0 {
                tracing::info!(messages = given_up, "no report came in time; their banks are told `unknown`");
                self.outbox.notify_one();
            }
            if given_up < BATCH as u64 {
                break;
            }
        }
    }

    async fn forget(&self, now: Millis) {
        let before = now.earlier(self.keep);
        let forget = || self.store.forget(before, BATCH);
        let mut forgotten = 0;
        loop {
            let some = self.patience.until_done(Engine::Store, forget).await;
            forgotten += some;
            if some < BATCH as u64 {
                break;
            }
        }
        if forgotten > 0 {
            tracing::info!(messages = forgotten, "forgotten: they are older than `keep`");
        }
    }
}

/// Looks how things stand, for `/readyz` and `/metrics`.
pub struct Look {
    pub store: Arc<dyn CenterStore>,
    pub bus: Arc<dyn Bus>,
    pub standing: Arc<Standing>,
    pub families: Arc<Families>,
}

impl Look {
    /// Never ends.
    pub async fn run(self) {
        loop {
            let store = answered("the store", self.store.ping()).await;
            let bus = answered("the bus", self.bus.ping()).await;
            if store.is_ok()
                && let Err(error) = self.count().await
            {
                tracing::debug!(%error, "the store does not say how much it holds");
            }
            self.standing.set(store, bus);
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn count(&self) -> Result<(), StoreError> {
        let counts = self.store.counts().await?;
        let alarms = self.store.alarms(false, ALARMS).await?;
        let families = &self.families;
        for (gauge, count) in [
            (&families.messages, counts.messages),
            (&families.open, counts.open),
            (&families.orphans, counts.orphans),
            (&families.aside, counts.set_aside),
            (&families.outbox, counts.outbox),
            (&families.waiting, counts.waiting),
        ] {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        families.alarms.reset();
        for view in alarms {
            let labels = [view.alarm.what.as_str(), severity_word(view.alarm.severity)];
            families.alarms.with_label_values(&labels).inc();
        }
        Ok(())
    }
}

async fn answered<E: std::fmt::Display>(
    who: &str,
    answer: impl Future<Output = Result<(), E>>,
) -> Result<(), String> {
    match tokio::time::timeout(PING, answer).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(format!("{who} does not answer: {error}")),
        Err(_) => Err(format!("{who} does not answer within {} s", PING.as_secs())),
    }
}
