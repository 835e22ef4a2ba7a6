//! What somebody must know: each state of a thing is told once, when it changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bus::Record;
use domain::alarm::Severity;
use domain::{Alarm, Millis};
use link::Identity;
use tokio::sync::Notify;

use crate::metrics::Metrics;
use crate::publisher::Publisher;

/// Alarms that wait for the bus; beyond it the oldest is dropped.
const MOST: usize = 1000;

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Of a gateway: it is not connected.
    GatewayDown,
    /// Of a route: none of its gateways takes messages.
    RouteDown,
    /// Of a route: it uses a lower tier.
    RouteOnBackup,
    /// Of a carrier: there is no route for a message.
    NoRoute,
    /// Of a UAOP: the bus is away.
    BusAway,
    /// Of a gateway: it told an event that nobody can read.
    EventUnreadable,
}

impl What {
    /// As [`Alarm::what`] has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::GatewayDown => "gateway_down",
            Self::RouteDown => "route_down",
            Self::RouteOnBackup => "route_on_backup",
            Self::NoRoute => "no_route",
            Self::BusAway => "bus_away",
            Self::EventUnreadable => "event_unreadable",
        }
    }

    const fn severity(self) -> Severity {
        match self {
            Self::RouteDown | Self::NoRoute | Self::BusAway => Severity::Critical,
            Self::GatewayDown | Self::RouteOnBackup | Self::EventUnreadable => Severity::Warning,
        }
    }
}

/// A handle; all clones are one.
#[derive(Clone, Debug)]
pub struct Alarms(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    me: Identity,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    more: Notify,
}

#[derive(Debug, Default)]
struct State {
    raised: BTreeMap<(What, String), bool>,
    waiting: VecDeque<Alarm>,
}

impl Alarms {
    #[must_use]
    pub fn new(me: Identity, metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(Inner { me, metrics, state: Mutex::default(), more: Notify::new() }))
    }

    /// How it is with `of` now. The first word about it is told even if all is well: an earlier life of this process may
    /// have raised it. `text` is for people, and holds no number and no text of a message.
    pub fn set(&self, what: What, of: &str, raised: bool, text: impl FnOnce() -> String) {
        let mut state = self.state();
        let key = (what, of.to_owned());
        if state.raised.insert(key, raised) == Some(raised) {
            return;
        }
        let alarm = self.alarm(what, of, raised, text());
        if raised {
            self.0.metrics.alarms.with_label_values(&[what.word()]).inc();
            tracing::warn!(what = what.word(), of, "{}", alarm.text);
        } else {
            tracing::info!(what = what.word(), of, "over: {}", alarm.text);
        }
        state.waiting.push_back(alarm);
        if state.waiting.len() > MOST {
            state.waiting.pop_front();
            self.0.metrics.alarms_dropped.inc();
        }
        drop(state);
        self.0.more.notify_one();
    }

    fn alarm(&self, what: What, of: &str, raised: bool, text: String) -> Alarm {
        Alarm {
            what: what.word().to_owned(),
            of: of.to_owned(),
            severity: what.severity(),
            raised,
            role: self.0.me.role.to_string(),
            node: self.0.me.node.clone(),
            site: self.0.me.site.clone(),
            text,
            at: Millis::from(runtime::clock::since_epoch()),
        }
    }

    /// Publishes them until `stop`, then what still waits.
    pub async fn publish(self, publisher: Publisher, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut stopping = false;
        loop {
            let records: Vec<Record> =
                self.state().waiting.drain(..).filter_map(|alarm| record(&alarm)).collect();
            if !records.is_empty() {
                if publisher.publish(records).await.is_err() {
                    return;
                }
                continue;
            }
            if stopping {
                return;
            }
            tokio::select! {
                () = self.0.more.notified() => {}
                () = &mut stop => stopping = true,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An alarm is always JSON.
fn record(alarm: &Alarm) -> Option<Record> {
    let value = serde_json::to_vec(alarm).ok()?;
    Some(Record { key: format!("{}/{}", alarm.what, alarm.of), value })
}
