//! Buses to try, and what is written and read on them.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError, Consumer, Delivered, Kafka, Place, Record, Topic};
use tempfile::TempDir;
use testkit::broker::Broker;
use tokio::time::timeout;

/// A group of Kafka may need several seconds to settle.
pub const LONG: Duration = Duration::from_secs(60);
pub const TOPIC: &str = "smsline.try";

pub enum Engine {
    Embedded(TempDir),
    Kafka(Box<Broker>),
}

impl Engine {
    pub fn embedded() -> Self {
        Self::Embedded(tempfile::tempdir().unwrap())
    }

    pub fn kafka() -> Self {
        Self::Kafka(Box::new(Broker::start().unwrap()))
    }

    /// Another client.
    pub async fn open(&self, client: &str) -> Arc<dyn Bus> {
        match self {
            Self::Embedded(folder) => embedded(folder.path(), client).await,
            Self::Kafka(broker) => kafka(&broker.address(), Duration::from_secs(20)).await,
        }
    }

    /// With [`TOPIC`] of so many partitions.
    pub async fn with_topic(&self, partitions: u32) -> Arc<dyn Bus> {
        let bus = self.open("one").await;
        bus.ensure(&[topic(TOPIC, partitions)]).await.unwrap();
        bus
    }
}

pub async fn embedded(folder: &Path, client: &str) -> Arc<dyn Bus> {
    bus::open(&Place::Embedded { folder: folder.to_owned() }, client).await.unwrap()
}

pub async fn kafka(broker: &str, patience: Duration) -> Arc<dyn Bus> {
    let kafka = Kafka { brokers: vec![broker.to_owned()], patience, replicas: 1 };
    bus::open(&Place::Kafka(kafka), "test").await.unwrap()
}

pub fn topic(name: &str, partitions: u32) -> Topic {
    Topic { name: name.to_owned(), partitions }
}

pub fn record(key: &str, value: impl ToString) -> Record {
    Record { key: key.to_owned(), value: value.to_string().into_bytes() }
}

/// Numbered, each under a key of its own.
pub fn numbered(numbers: std::ops::Range<u32>) -> Vec<Record> {
    numbers.map(|number| record(&format!("key-{number}"), number)).collect()
}

pub fn number(delivered: &Delivered) -> u32 {
    std::str::from_utf8(&delivered.value).unwrap().parse().unwrap()
}

pub fn numbers<'a>(records: impl IntoIterator<Item = &'a Delivered>) -> Vec<u32> {
    let mut numbers: Vec<u32> = records.into_iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The next records, whatever a group does meanwhile.
pub async fn some(consumer: &mut dyn Consumer) -> Vec<Delivered> {
    let patient = async {
        loop {
            match consumer.next(100).await {
                Ok(records) => return records,
                Err(BusError::Away(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(LONG, patient).await.expect("no records came")
}

/// Reads until there are so many.
pub async fn read(consumer: &mut dyn Consumer, count: usize) -> Vec<Delivered> {
    let mut records = Vec::new();
    while records.len() < count {
        records.extend(some(consumer).await);
    }
    assert_eq!(records.len(), count, "more came than there are");
    records
}

/// Reads until all of these numbers were seen; what else comes is a repetition.
pub async fn read_all(consumer: &mut dyn Consumer, wanted: std::ops::Range<u32>) -> Vec<Delivered> {
    let mut missing: BTreeSet<u32> = wanted.collect();
    let mut records = Vec::new();
    while !missing.is_empty() {
        for record in some(consumer).await {
            missing.remove(&number(&record));
            records.push(record);
        }
    }
    records
}
