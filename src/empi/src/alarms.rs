//! What somebody must know: logged here, and told on the bus.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::{Bus, Record};
use domain::Alarm;
use domain::alarm::Severity;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::metrics::Families;

/// Alarms that wait for the bus; beyond it the oldest are left out.
const MOST: usize = 1000;
/// Between tries.
const PAUSE: Duration = Duration::from_secs(1);

/// The alarms of this process.
pub struct Alarms {
    node: String,
    site: String,
    clock: Clock,
    families: Arc<Families>,
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default)]
struct State {
    /// What was said last, by what and of.
    said: BTreeMap<(String, String), (Severity, bool, String)>,
    queue: VecDeque<Alarm>,
}

impl Alarms {
    #[must_use]
    pub fn new(node: String, site: String, clock: Clock, families: Arc<Families>) -> Self {
        Self { node, site, clock, families, state: Mutex::default(), more: Notify::new() }
    }

    pub fn raise(&self, what: &'static str, of: &str, severity: Severity, text: String) {
        self.say(what, of, severity, true, text);
    }

    /// It is over. Said at the first time, too: a life before this one may have raised it.
    pub fn clear(&self, what: &'static str, of: &str, text: &str) {
        self.say(what, of, Severity::Info, false, text.to_owned());
    }

    fn say(&self, what: &'static str, of: &str, severity: Severity, raised: bool, text: String) {
        let mut state = self.state();
        let key = (what.to_owned(), of.to_owned());
        let before = state.said.get(&key);
        // that it is over is one thing, however it is told
        if before.is_some_and(|(s, r, t)| (*s, *r) == (severity, raised) && (!raised || *t == text)) {
            return;
        }
        let was_raised = before.is_some_and(|(_, raised, _)| *raised);
        match (severity, raised) {
            (Severity::Critical, true) => tracing::error!(what, of, "alarm: {text}"),
            (Severity::Warning | Severity::Info, true) => tracing::warn!(what, of, "alarm: {text}"),
            (_, false) if was_raised => tracing::info!(what, of, "alarm is over: {text}"),
            (_, false) => {}
        }
        state.said.insert(key, (severity, raised, text.clone()));
        let up = state.said.values().filter(|(_, raised, _)| *raised).count();
        self.families.alarms.set(i64::try_from(up).unwrap_or(i64::MAX));
        state.queue.push_back(Alarm {
            what: what.to_owned(),
            of: of.to_owned(),
            severity,
            raised,
            role: "empi".to_owned(),
            node: self.node.clone(),
            site: self.site.clone(),
            text,
            at: self.clock.now(),
        });
        if state.queue.len() > MOST {
            state.queue.pop_front();
        }
        self.more.notify_one();
    }

    /// Tells them on the bus, in their order, for ever.
    pub async fn publish(&self, bus: &dyn Bus) {
        loop {
            self.more.notified().await;
            while !self.flush(bus).await {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Tells what waits; whether all of it is told.
    pub async fn flush(&self, bus: &dyn Bus) -> bool {
        let waiting: Vec<Alarm> = self.state().queue.iter().cloned().collect();
        if waiting.is_empty() {
            return true;
        }
        let records = waiting.iter().filter_map(|alarm| {
            let key = format!("{} {}", alarm.what, alarm.of);
            serde_json::to_vec(alarm).ok().map(|value| Record { key, value })
        });
        match bus.publish(bus::ALARMS, records.collect()).await {
            Ok(()) => {
                let mut state = self.state();
                for told in &waiting {
                    // those that were left out meanwhile are not there
                    if state.queue.front() == Some(told) {
                        state.queue.pop_front();
                    }
                }
                true
            }
            Err(error) => {
                tracing::debug!(%error, "alarms wait for the bus");
                false
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
