//! The one way to a topic: what comes at the same time goes in one write, and is written again until it is durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bus::{Bus, Record};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::health::Health;
use crate::metrics::Metrics;

/// Callers that may wait for their turn; more wait to get there.
const QUEUE: usize = 1024;
/// Records that go in one write, about.
const MOST: usize = 2000;
/// From a failure to the next try.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Nothing is published any more: the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the publisher has stopped")]
pub struct Stopped;

/// A handle; all clones are one. The writer ends with the last.
#[derive(Clone, Debug)]
pub struct Publisher(mpsc::Sender<Job>);

#[derive(Debug)]
struct Job {
    records: Vec<Record>,
    done: oneshot::Sender<()>,
}

/// Writes what the handles hand over.
pub struct Writer {
    pub topic: &'static str,
    pub bus: Arc<dyn Bus>,
    pub health: Health,
    pub metrics: Arc<Metrics>,
}

impl Publisher {
    /// Returns when the records are durable. Whoever waits no longer withdraws those that are not being written.
    ///
    /// # Errors
    /// See [`Stopped`].
    pub async fn publish(&self, records: Vec<Record>) -> Result<(), Stopped> {
        if records.is_empty() {
            return Ok(());
        }
        let (done, durable) = oneshot::channel();
        self.0.send(Job { records, done }).await.map_err(|_| Stopped)?;
        durable.await.map_err(|_| Stopped)
    }
}

impl Writer {
    /// The handle, and the work, which ends when no handle is left.
    pub fn start(self) -> (Publisher, impl Future<Output = ()> + Send) {
        let (sender, jobs) = mpsc::channel(QUEUE);
        (Publisher(sender), self.work(jobs))
    }

    async fn work(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.recv().await {
            self.write(vec![job], &mut jobs).await;
        }
    }

    /// Until all of them are durable, or nobody waits for them.
    async fn write(&self, mut batch: Vec<Job>, jobs: &mut mpsc::Receiver<Job>) {
        let mut pause = PAUSE.0;
        loop {
            fill(&mut batch, jobs);
            batch.retain(|job| !job.done.is_closed());
            if batch.is_empty() {
                // the next who comes will see
                self.health.seen(self.topic, Ok(()));
                return;
            }
            let records: Vec<Record> = batch.iter().flat_map(|job| job.records.clone()).collect();
            let (count, began) = (records.len(), Instant::now());
            match self.bus.publish(self.topic, records).await {
                Ok(()) => {
                    self.durable(count, began.elapsed());
                    for job in batch {
                        // who waits no longer does not mind
                        let _ = job.done.send(());
                    }
                    return;
                }
                Err(error) => {
                    self.failed(&error);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    fn durable(&self, count: usize, took: Duration) {
        self.health.seen(self.topic, Ok(()));
        self.metrics.published.with_label_values(&[self.topic]).inc_by(u64::try_from(count).unwrap_or(0));
        self.metrics.publish_seconds.with_label_values(&[self.topic]).observe(took.as_secs_f64());
    }

    fn failed(&self, error: &bus::BusError) {
        self.metrics.publish_failures.with_label_values(&[self.topic]).inc();
        self.health.seen(self.topic, Err(error.to_string()));
        tracing::warn!(topic = self.topic, %error, "not published; trying again");
    }
}

/// Adds what has come meanwhile.
fn fill(batch: &mut Vec<Job>, jobs: &mut mpsc::Receiver<Job>) {
    let mut count: usize = batch.iter().map(|job| job.records.len()).sum();
    while count < MOST
        && let Ok(job) = jobs.try_recv()
    {
        count += job.records.len();
        batch.push(job);
    }
}
