//! What tests of several modules need.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bus::{Bus, BusError, Consumer, Delivered, Record, Topic};
use domain::{ForBank, Millis, Report};
use serde::de::DeserializeOwned;
use store::empi::EmpiStore;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Time;

/// A time of day that goes on with the (paused) time of tokio, and can be set.
pub struct TestClock {
    start: Instant,
    base: AtomicU64,
    pub steady: AtomicBool,
}

impl TestClock {
    pub const START: u64 = 1_790_000_000_000;

    pub fn new() -> Self {
        Self { start: Instant::now(), base: AtomicU64::new(Self::START), steady: AtomicBool::new(true) }
    }

    pub fn set(&self, base: u64) {
        self.base.store(base, Ordering::SeqCst);
    }
}

impl Time for TestClock {
    fn now(&self) -> Millis {
        let passed = u64::try_from(self.start.elapsed().as_millis()).unwrap();
        Millis(self.base.load(Ordering::SeqCst) + passed)
    }

    fn steady(&self) -> bool {
        self.steady.load(Ordering::SeqCst)
    }
}

/// A store in a folder that goes with the test.
pub async fn store() -> (Arc<dyn EmpiStore>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let place = store::Place::Sqlite { folder: folder.path().to_owned() };
    (store::open_empi(&place, "a").await.unwrap(), folder)
}

pub fn report(id: &str, revision: u32) -> ForBank {
    let json = serde_json::json!({
        "kind": "report", "uaop_id": id, "empi_id": "bank-1", "revision": revision, "state": "delivered", "word": "DELIVRD",
        "to": "13800138000", "parts": 1, "carrier": "mobile", "answered_at": 5, "at": 6,
    });
    serde_json::from_value(json).unwrap()
}

pub fn mo(id: &str) -> ForBank {
    let json = serde_json::json!({
        "kind": "mo", "mo_id": id, "empi_id": "bank-1", "from": "13800138000", "to": "10690000", "text": "TD",
        "part": [1, 2], "at": 6,
    });
    serde_json::from_value(json).unwrap()
}

pub fn as_report(item: &ForBank) -> &Report {
    match item {
        ForBank::Report(report) => report,
        ForBank::Mo(_) => panic!("a user's message"),
    }
}

/// Topics in memory; each consumer reads one topic from where its group has committed.
#[derive(Clone, Default)]
pub struct MemoryBus(Arc<Mutex<Topics>>, Arc<watch::Sender<u64>>);

#[derive(Default)]
struct Topics {
    away: bool,
    topics: BTreeMap<String, Vec<Record>>,
    committed: BTreeMap<(String, String), usize>,
}

struct MemoryConsumer {
    bus: MemoryBus,
    group: String,
    topic: String,
    next: usize,
    changed: watch::Receiver<u64>,
}

impl MemoryBus {
    pub fn away(&self, away: bool) {
        self.0.lock().unwrap().away = away;
        self.1.send_modify(|changes| *changes += 1);
    }

    pub fn values<T: DeserializeOwned>(&self, topic: &str) -> Vec<T> {
        let topics = self.0.lock().unwrap();
        let records = topics.topics.get(topic).into_iter().flatten();
        records.map(|record| serde_json::from_slice(&record.value).unwrap()).collect()
    }

    pub fn put(&self, topic: &str, value: &[u8]) {
        let record = Record { key: "k".to_owned(), value: value.to_vec() };
        self.0.lock().unwrap().topics.entry(topic.to_owned()).or_default().push(record);
        self.1.send_modify(|changes| *changes += 1);
    }

    pub fn committed(&self, group: &str, topic: &str) -> usize {
        let topics = self.0.lock().unwrap();
        topics.committed.get(&(group.to_owned(), topic.to_owned())).copied().unwrap_or(0)
    }

    fn here(&self) -> Result<(), BusError> {
        if self.0.lock().unwrap().away { Err(BusError::Away("on purpose".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn ensure(&self, _: &[Topic]) -> Result<(), BusError> {
        self.here()
    }

    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError> {
        self.here()?;
        for record in records {
            self.put(topic, &record.value);
        }
        Ok(())
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError> {
        self.here()?;
        let (group, topic) = (group.to_owned(), topics[0].to_owned());
        let next = self.committed(&group, &topic);
        Ok(Box::new(MemoryConsumer { bus: self.clone(), group, topic, next, changed: self.1.subscribe() }))
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.here()
    }
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn next(&mut self, most: usize) -> Result<Vec<Delivered>, BusError> {
        loop {
            self.changed.mark_unchanged();
            self.bus.here()?;
            let records: Vec<Record> = {
                let topics = self.bus.0.lock().unwrap();
                let all = topics.topics.get(&self.topic).into_iter().flatten();
                all.skip(self.next).take(most).cloned().collect()
            };
            if !records.is_empty() {
                let first = self.next;
                self.next += records.len();
                let delivered = records.into_iter().enumerate().map(|(place, record)| Delivered {
                    topic: self.topic.clone(),
                    partition: 0,
                    offset: i64::try_from(first + place).unwrap(),
                    key: record.key,
                    value: record.value,
                });
                return Ok(delivered.collect());
            }
            self.changed.changed().await.unwrap();
        }
    }

    async fn commit(&mut self) -> Result<(), BusError> {
        self.bus.here()?;
        let place = (self.group.clone(), self.topic.clone());
        self.bus.0.lock().unwrap().committed.insert(place, self.next);
        Ok(())
    }
}
