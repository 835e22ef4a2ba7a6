//! What a role counts of its bus.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use prometheus::{Histogram, IntCounter, IntCounterVec};
use runtime::register::Register;

use crate::{Bus, BusError, Consumer, Delivered, Record, Topic};

/// Seconds of one publish.
const BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 10.0];

/// The families; their names begin with the role's word, then `bus_`.
#[derive(Clone, Debug)]
pub struct Metrics {
    published: IntCounterVec,
    seconds: Histogram,
    consumed: IntCounterVec,
    errors: IntCounterVec,
}

impl Metrics {
    /// # Errors
    /// When a family of one of the names is registered already.
    pub fn register(register: Register<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            published: register.counters(
                "bus_published_total",
                "Records that are durable on the bus",
                &["topic"],
            )?,
            seconds: register.histogram(
                "bus_publish_seconds",
                "Time of one publish, until all its records are durable",
                BUCKETS.to_vec(),
            )?,
            consumed: register.counters(
                "bus_consumed_total",
                "Records that were read from the bus, repetitions included",
                &["topic"],
            )?,
            errors: register.counters(
                "bus_errors_total",
                "What the bus did not do, by what was asked: ensure, publish, subscribe, next, commit",
                &["what"],
            )?,
        })
    }

    fn seen<T>(&self, what: &str, result: Result<T, BusError>) -> Result<T, BusError> {
        if result.is_err() {
            self.errors.with_label_values(&[what]).inc();
        }
        result
    }
}

/// The same bus, counted.
#[must_use]
pub fn metered(bus: Arc<dyn Bus>, metrics: Metrics) -> Arc<dyn Bus> {
    Arc::new(Metered { bus, metrics })
}

struct Metered {
    bus: Arc<dyn Bus>,
    metrics: Metrics,
}

#[async_trait]
impl Bus for Metered {
    async fn ensure(&self, topics: &[Topic]) -> Result<(), BusError> {
        self.metrics.seen("ensure", self.bus.ensure(topics).await)
    }

    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError> {
        let (count, started) = (records.len() as u64, Instant::now());
        self.metrics.seen("publish", self.bus.publish(topic, records).await)?;
        self.metrics.seconds.observe(started.elapsed().as_secs_f64());
        self.metrics.published.with_label_values(&[topic]).inc_by(count);
        Ok(())
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError> {
        let consumer = self.metrics.seen("subscribe", self.bus.subscribe(group, topics).await)?;
        let consumed = topics.iter().map(|topic| {
            let counter = self.metrics.consumed.with_label_values(&[topic]);
            ((*topic).to_owned(), counter)
        });
        Ok(Box::new(MeteredConsumer {
            consumer,
            consumed: consumed.collect(),
            metrics: self.metrics.clone(),
        }))
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.bus.ping().await
    }
}

struct MeteredConsumer {
    consumer: Box<dyn Consumer>,
    /// By topic; they are few.
    consumed: Vec<(String, IntCounter)>,
    metrics: Metrics,
}

#[async_trait]
impl Consumer for MeteredConsumer {
    async fn next(&mut self, most: usize) -> Result<Vec<Delivered>, BusError> {
        let delivered = self.metrics.seen("next", self.consumer.next(most).await)?;
        for (topic, counter) in &self.consumed {
            counter.inc_by(delivered.iter().filter(|record| record.topic == *topic).count() as u64);
        }
        Ok(delivered)
    }

    async fn commit(&mut self) -> Result<(), BusError> {
        self.metrics.seen("commit", self.consumer.commit().await)
    }
}
