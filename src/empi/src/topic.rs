//! Reports and users' messages, from the bus into the store.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError, Consumer, Delivered, Topic};
use domain::alarm::Severity;
use domain::{Bank, EmpiId, ForBank};
use store::empi::EmpiStore;
use tokio::sync::watch;

use crate::alarms::Alarms;
use crate::clock::Clock;
use crate::metrics::Families;

/// Records at a time.
const MOST: usize = 500;
/// Between tries.
const PAUSE: Duration = Duration::from_secs(1);

/// The topic of this EMPI.
pub struct Incoming {
    pub empi: EmpiId,
    /// Who shares the work: all nodes of one store.
    pub group: String,
    pub bus: Arc<dyn Bus>,
    pub store: Arc<dyn EmpiStore>,
    /// Banks that are called.
    pub called: Vec<Bank>,
    /// The cursor of the last item that was kept.
    pub kept: watch::Sender<i64>,
    pub clock: Clock,
    pub families: Arc<Families>,
    pub alarms: Arc<Alarms>,
}

impl Incoming {
    /// Keeps what comes, for ever. It may be dropped at any time: what was not committed comes again.
    pub async fn run(self) {
        let topic = bus::for_bank(&self.empi);
        loop {
            if let Err(error) = self.follow(&topic).await {
                tracing::warn!(%error, topic, "reports cannot be read; trying again");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn follow(&self, topic: &str) -> Result<(), BusError> {
        let needed = [topic, bus::ALARMS].map(|name| Topic { name: name.to_owned(), partitions: 1 });
        self.bus.ensure(&needed).await?;
        let mut consumer: Box<dyn Consumer> = self.bus.subscribe(&self.group, &[topic]).await?;
        loop {
            let records = consumer.next(MOST).await?;
            self.keep(&records).await;
            consumer.commit().await?;
        }
    }

    /// Returns when all of it is durable.
    async fn keep(&self, records: &[Delivered]) {
        let came: Vec<(i64, ForBank)> = records.iter().filter_map(|record| self.read(record)).collect();
        let Some(last) = came.last().map(|(offset, _)| *offset) else { return };
        while let Err(error) = self.store.keep(came.clone(), &self.called, self.clock.now()).await {
            tracing::error!(%error, "reports cannot be stored; trying again");
            tokio::time::sleep(PAUSE).await;
        }
        for (_, item) in &came {
            let kind = match item {
                ForBank::Report(report) => report.state.word(),
                ForBank::Mo(_) => "mo",
            };
            self.families.items.with_label_values(&[kind]).inc();
        }
        self.kept.send_replace(last);
    }

    /// One that cannot be understood stays on the topic, and holds up none.
    fn read(&self, record: &Delivered) -> Option<(i64, ForBank)> {
        let Delivered { topic, partition, offset, key: _, value } = record;
        match serde_json::from_slice::<ForBank>(value) {
            Ok(item) => Some((*offset, item)),
            Err(error) => {
                self.families.set_aside.inc();
                let place = (error.line(), error.column());
                tracing::error!(topic, partition, offset, ?place, "a record cannot be understood; set aside");
                let text = format!("the record at offset {offset} of {topic} cannot be understood");
                self.alarms.raise("record_set_aside", self.empi.as_str(), Severity::Warning, text);
                None
            }
        }
    }
}
