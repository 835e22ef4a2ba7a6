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

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;
    use crate::testing::{self, MemoryBus, TestClock, mo, report};

    #[tokio::test]
    async fn what_comes_is_kept_once_and_what_cannot_be_understood_holds_nothing_up() {
        let (store, _folder) = testing::store().await;
        let bus = MemoryBus::default();
        let topic = bus::for_bank(&"bank-1".parse().unwrap());
        for value in [serde_json::to_vec(&mo("m-1")).unwrap(), b"{\"kind\":\"secret\"".to_vec()] {
            bus.put(&topic, &value);
        }
        bus.put(&topic, &serde_json::to_vec(&report("id-1", 1)).unwrap());
        bus.away(true);
        let families = Arc::new(Families::new(&Registry::new()).unwrap());
        let clock: Clock = Arc::new(TestClock::new());
        let alarms = Alarms::new("a".to_owned(), "d".to_owned(), Arc::clone(&clock), Arc::clone(&families));
        let alarms = Arc::new(alarms);
        let kept = watch::Sender::new(-1);
        let mut woken = kept.subscribe();
        let incoming = || Incoming {
            empi: "bank-1".parse().unwrap(),
            group: "g".to_owned(),
            bus: Arc::new(bus.clone()),
            store: Arc::clone(&store),
            called: vec!["core".parse().unwrap()],
            kept: kept.clone(),
            clock: Arc::clone(&clock),
            families: Arc::clone(&families),
            alarms: Arc::clone(&alarms),
        };
        let task = tokio::spawn(incoming().run());
        bus.away(false);
        woken.wait_for(|kept| *kept == 2).await.unwrap();
        let items = store.items(&"core".parse().unwrap(), -1, 10).await.unwrap();
        assert_eq!(items.iter().map(|item| item.cursor).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(families.set_aside.get(), 1);
        assert_eq!(store.counts().await.unwrap().calls, 1);
        while bus.committed("g", &topic) < 3 {
            tokio::task::yield_now().await;
        }
        task.abort();
        // another life goes on behind what was committed
        let task = tokio::spawn(incoming().run());
        bus.put(&topic, &serde_json::to_vec(&mo("m-2")).unwrap());
        woken.wait_for(|kept| *kept == 3).await.unwrap();
        assert_eq!(store.items(&"core".parse().unwrap(), -1, 10).await.unwrap().len(), 3);
        task.abort();
    }
}
