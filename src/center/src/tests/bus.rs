//! A bus in memory that can be away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bus::{Bus, BusError, Consumer, Delivered, Record, Topic};
use tokio::sync::watch;

#[derive(Clone)]
pub struct FakeBus(Arc<Inner>);

struct Inner {
    topics: Mutex<BTreeMap<String, Vec<Record>>>,
    committed: Mutex<BTreeMap<(String, String), usize>>,
    away: AtomicBool,
    commits: AtomicUsize,
    changed: watch::Sender<()>,
}

impl FakeBus {
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            topics: Mutex::default(),
            committed: Mutex::default(),
            away: AtomicBool::new(false),
            commits: AtomicUsize::new(0),
            changed: watch::Sender::new(()),
        }))
    }

    pub fn set_away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
        self.0.changed.send_replace(());
    }

    pub fn put(&self, topic: &str, value: impl Into<Vec<u8>>) {
        let record = Record { key: String::new(), value: value.into() };
        self.0.topics.lock().unwrap().entry(topic.to_owned()).or_default().push(record);
        self.0.changed.send_replace(());
    }

    pub fn records(&self, topic: &str) -> Vec<Record> {
        self.0.topics.lock().unwrap().get(topic).cloned().unwrap_or_default()
    }

    pub fn has_topic(&self, topic: &str) -> bool {
        self.0.topics.lock().unwrap().contains_key(topic)
    }

    pub fn committed(&self, topic: &str) -> usize {
        let place = ("center".to_owned(), topic.to_owned());
        self.0.committed.lock().unwrap().get(&place).copied().unwrap_or_default()
    }

    fn check(&self) -> Result<(), BusError> {
        if self.0.away.load(Ordering::SeqCst) { Err(BusError::Away("unplugged".to_owned())) } else { Ok(()) }
    }
}

#[async_trait]
impl Bus for FakeBus {
    async fn ensure(&self, topics: &[Topic]) -> Result<(), BusError> {
        self.check()?;
        for topic in topics {
            self.0.topics.lock().unwrap().entry(topic.name.clone()).or_default();
        }
        Ok(())
    }

    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError> {
        self.check()?;
        let mut topics = self.0.topics.lock().unwrap();
        topics.get_mut(topic).ok_or_else(|| BusError::Refused(format!("no topic {topic}")))?.extend(records);
        drop(topics);
        self.0.changed.send_replace(());
        Ok(())
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError> {
        self.check()?;
        let at = topics.iter().map(|topic| {
            let place = (group.to_owned(), (*topic).to_owned());
            let next = self.0.committed.lock().unwrap().get(&place).copied().unwrap_or_default();
            ((*topic).to_owned(), next)
        });
        let changed = self.0.changed.subscribe();
        Ok(Box::new(FakeConsumer { bus: self.clone(), group: group.to_owned(), at: at.collect(), changed }))
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.check()
    }
}

struct FakeConsumer {
    bus: FakeBus,
    group: String,
    at: BTreeMap<String, usize>,
    changed: watch::Receiver<()>,
}

impl FakeConsumer {
    fn take(&mut self, most: usize) -> Vec<Delivered> {
        let topics = self.bus.0.topics.lock().unwrap();
        let mut taken = Vec::new();
        for (topic, next) in &mut self.at {
            let records = topics.get(topic).map(Vec::as_slice).unwrap_or_default();
            for record in records.iter().skip(*next).take(most - taken.len()) {
                let Record { key, value } = record.clone();
                let offset = i64::try_from(*next).unwrap();
                taken.push(Delivered { topic: topic.clone(), partition: 0, offset, key, value });
                *next += 1;
            }
        }
        taken
    }
}

#[async_trait]
impl Consumer for FakeConsumer {
    async fn next(&mut self, most: usize) -> Result<Vec<Delivered>, BusError> {
        loop {
            self.changed.borrow_and_update();
            self.bus.check()?;
            let taken = self.take(most);
            if !taken.is_empty() {
                return Ok(taken);
            }
            self.changed.changed().await.unwrap();
        }
    }

    async fn commit(&mut self) -> Result<(), BusError> {
        self.bus.check()?;
        self.bus.0.commits.fetch_add(1, Ordering::SeqCst);
        for (topic, next) in &self.at {
            self.bus.0.committed.lock().unwrap().insert((self.group.clone(), topic.clone()), *next);
        }
        Ok(())
    }
}
