//! Alarms of the center's own. They go straight to the store: what rings when the bus is away must not need it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Alarm;
use domain::alarm::Severity;
use store::center::CenterStore;
use tokio::sync::mpsc;

use crate::clock::Clock;

/// Alarms written at once.
const BATCH: usize = 100;
const PAUSE: Duration = Duration::from_secs(1);

/// A handle; all clones are one.
#[derive(Clone, Debug)]
pub struct Bell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: String,
    site: String,
    clock: Clock,
    /// Of each (what, of), whether it is raised, as far as this process knows.
    raised: Mutex<BTreeMap<(String, String), bool>>,
    sender: mpsc::UnboundedSender<Alarm>,
}

impl Bell {
    /// A bell, and what [`ring`] reads.
    pub fn new(node: &str, site: &str, clock: Clock) -> (Self, mpsc::UnboundedReceiver<Alarm>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let raised = Mutex::default();
        (
            Self(Arc::new(Inner { node: node.to_owned(), site: site.to_owned(), clock, raised, sender })),
            receiver,
        )
    }

    /// Something is as it should not be. Said once, until it is over.
    pub fn raise(&self, what: &str, of: &str, severity: Severity, text: &str) {
        if self.changes(what, of, true) {
            match severity {
                Severity::Critical => tracing::error!(what, of, "{text}"),
                Severity::Warning => tracing::warn!(what, of, "{text}"),
                Severity::Info => tracing::info!(what, of, "{text}"),
            }
            self.send(what, of, severity, true, text);
        }
    }

    /// It is as it should be again. Says nothing if it was not raised.
    pub fn over(&self, what: &str, of: &str) {
        if self.changes(what, of, false) {
            tracing::info!(what, of, "over");
            self.send(what, of, Severity::Info, false, "it is over");
        }
    }

    /// What an earlier run of this process had raised.
    pub fn resume(&self, alarms: impl IntoIterator<Item = Alarm>) {
        let mut raised = self.0.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = alarms.into_iter().filter(|alarm| alarm.role == "center" && alarm.node == self.0.node);
        raised.extend(mine.map(|alarm| ((alarm.what, alarm.of), alarm.raised)));
    }

    fn changes(&self, what: &str, of: &str, raised: bool) -> bool {
        let mut all = self.0.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.entry((what.to_owned(), of.to_owned())).or_insert(false);
        std::mem::replace(place, raised) != raised
    }

    fn send(&self, what: &str, of: &str, severity: Severity, raised: bool, text: &str) {
        let alarm = Alarm {
            what: what.to_owned(),
            of: of.to_owned(),
            severity,
            raised,
            role: "center".to_owned(),
            node: self.0.node.clone(),
            site: self.0.site.clone(),
            text: text.to_owned(),
            at: self.0.clock.now(),
        };
        // at the end of the process nobody writes any more
        let _ = self.0.sender.send(alarm);
    }
}

/// Writes what bells say, however long it takes.
pub async fn ring(store: Arc<dyn CenterStore>, mut alarms: mpsc::UnboundedReceiver<Alarm>) {
    let mut batch = Vec::new();
    while alarms.recv_many(&mut batch, BATCH).await > 0 {
        while let Err(error) = store.alarm(batch.clone()).await {
            tracing::warn!(%error, "alarms cannot be written; they are tried again");
            tokio::time::sleep(PAUSE).await;
        }
        batch.clear();
    }
}
