//! What is finished goes to the topics of the EMPIs, in the order of the store. A process that is stopped between the two
//! steps publishes again; whoever reads knows a report by its message and revision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Record, Topic};
use domain::{EmpiId, ForBank};
use store::center::CenterStore;
use tokio::sync::{Notify, watch};

use crate::intake::told;
use crate::metrics::Families;
use crate::patience::{Engine, Patience};

/// Records published at once.
const BATCH: usize = 1000;
/// How often it looks without being rung: what another center, or an earlier run, has left.
const LOOK: Duration = Duration::from_secs(1);

/// The publisher.
pub struct Outbox {
    pub bus: Arc<dyn Bus>,
    pub store: Arc<dyn CenterStore>,
    /// Of the center: nobody reads its topic, its reports are in the store.
    pub own: EmpiId,
    /// Those whose topics must be there from the start.
    pub owners: BTreeSet<EmpiId>,
    pub patience: Patience,
    pub families: Arc<Families>,
    pub more: Arc<Notify>,
}

impl Outbox {
    /// Publishes until it is told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let work = async {
            let mut ensured = BTreeSet::new();
            let owners: Vec<&EmpiId> = self.owners.iter().collect();
            self.ensure(&mut ensured, &owners).await;
            loop {
                while self.publish(&mut ensured).await > 0 {}
                tokio::select! {
                    () = self.more.notified() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
        };
        tokio::select! {
            () = told(&mut stop) => {}
            () = work => {}
        }
    }

    /// How many it has published.
    async fn publish(&self, ensured: &mut BTreeSet<EmpiId>) -> usize {
        let rows = self.patience.until_done(Engine::Store, || self.store.outbox(BATCH)).await;
        let found = rows.len();
        let mut of_empis: BTreeMap<EmpiId, (Vec<i64>, Vec<ForBank>)> = BTreeMap::new();
        for (place, row) in rows {
            let (places, rows) = of_empis.entry(empi(&row).clone()).or_default();
            places.push(place);
            rows.push(row);
        }
        for (empi, (places, rows)) in of_empis {
            if empi != self.own {
                self.ensure(ensured, &[&empi]).await;
                let topic = bus::for_bank(&empi);
                let publish = || self.bus.publish(&topic, rows.iter().filter_map(record).collect());
                self.patience.until_done(Engine::Bus, publish).await;
                for row in &rows {
                    self.families.published.with_label_values(&[empi.as_str(), kind(row)]).inc();
                }
            }
            let mark = || self.store.published(places.clone());
            self.patience.until_done(Engine::Store, mark).await;
        }
        found
    }

    async fn ensure(&self, ensured: &mut BTreeSet<EmpiId>, empis: &[&EmpiId]) {
        let missing: Vec<&EmpiId> = empis.iter().copied().filter(|empi| !ensured.contains(*empi)).collect();
        if missing.is_empty() {
            return;
        }
        let topics: Vec<Topic> =
            missing.iter().map(|empi| Topic { name: bus::for_bank(empi), partitions: 1 }).collect();
        self.patience.until_done(Engine::Bus, || self.bus.ensure(&topics)).await;
        ensured.extend(missing.into_iter().cloned());
    }
}

const fn empi(row: &ForBank) -> &EmpiId {
    match row {
        ForBank::Report(report) => &report.empi_id,
        ForBank::Mo(mo) => &mo.empi_id,
    }
}

const fn kind(row: &ForBank) -> &'static str {
    match row {
        ForBank::Report(_) => "report",
        ForBank::Mo(_) => "mo",
    }
}

/// Every value of these types is JSON.
fn record(row: &ForBank) -> Option<Record> {
    let key = match row {
        ForBank::Report(report) => report.uaop_id.to_string(),
        ForBank::Mo(mo) => mo.mo_id.clone(),
    };
    serde_json::to_vec(row).ok().map(|value| Record { key, value })
}
