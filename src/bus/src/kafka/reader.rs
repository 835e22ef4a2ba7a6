//! A consumer: a member of a group that commits when it is told to.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::context::Context;
use super::error;
use crate::{BusError, Consumer, Delivered};

/// Bytes of values in one batch; the last record may go over it.
const BATCH_BYTES: usize = 8 << 20;

pub(super) struct Reader {
    client: Option<Arc<StreamConsumer<Context>>>,
    /// What was handed out and is not committed: by topic and partition.
    handed: BTreeMap<(String, i32), Mark>,
    /// It came behind records, which went out first.
    failed: Option<KafkaError>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    next: i64,
    /// How often the partition had been taken from us when this was handed out.
    taken: u64,
}

impl Reader {
    pub(super) fn open(common: &ClientConfig, group: &str, topics: &[&str]) -> Result<Self, BusError> {
        let mut config = common.clone();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("partition.assignment.strategy", "range")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1000")
            .set("fetch.wait.max.ms", "10")
            // what waits here was read from the brokers too early
            .set("queued.min.messages", "10000")
            .set("queued.max.messages.kbytes", "16384");
        let client: StreamConsumer<Context> =
            config.create_with_context(Context::default()).map_err(|error| error::meaning(&error))?;
        client.subscribe(topics).map_err(|error| error::meaning(&error))?;
        Ok(Self { client: Some(Arc::new(client)), handed: BTreeMap::new(), failed: None })
    }

    fn client(&self) -> Result<Arc<StreamConsumer<Context>>, BusError> {
        self.client.clone().ok_or_else(|| BusError::Away("it was closed".to_owned()))
    }

    fn hand(&mut self, client: &StreamConsumer<Context>, records: &[Delivered]) {
        let counts = client.context().taken();
        for record in records {
            let place = (record.topic.clone(), record.partition.cast_signed());
            let taken = counts.get(&place).copied().unwrap_or(0);
            self.handed.insert(place, Mark { next: record.offset + 1, taken });
        }
    }

    /// Forgets what cannot be committed any more; a partition of it.
    fn forget_lost(&mut self, client: &StreamConsumer<Context>) -> Option<(String, i32)> {
        let counts = client.context().taken();
        let mut lost = None;
        self.handed.retain(|place, mark| {
            let ours = counts.get(place).copied().unwrap_or(0) == mark.taken;
            if !ours {
                lost.get_or_insert_with(|| place.clone());
            }
            ours
        });
        lost
    }

    async fn commit_handed(&mut self, client: Arc<StreamConsumer<Context>>) -> Result<(), BusError> {
        let mut offsets = TopicPartitionList::new();
        for ((topic, partition), mark) in &self.handed {
            let added = offsets.add_partition_offset(topic, *partition, Offset::Offset(mark.next));
            added.map_err(|error| error::meaning(&error))?;
        }
        if offsets.count() == 0 {
            return Ok(());
        }
        let committed = tokio::task::spawn_blocking(move || client.commit(&offsets, CommitMode::Sync)).await;
        match committed {
            Ok(committed) => committed.map_err(|error| error::meaning(&error))?,
            Err(error) => return Err(BusError::Away(format!("the commit was cut short ({error})"))),
        }
        self.handed.clear();
        Ok(())
    }
}

#[async_trait]
impl Consumer for Reader {
    async fn next(&mut self, most: usize) -> Result<Vec<Delivered>, BusError> {
        if let Some(failed) = self.failed.take() {
            return Err(error::meaning(&failed));
        }
        let client = self.client()?;
        let mut stream = client.stream();
        let first = stream.next().await.unwrap_or(Err(KafkaError::Canceled));
        let first = first.map_err(|error| error::meaning(&error))?;
        // nothing is awaited from here on: who cancels loses nothing
        let mut bytes = first.payload_len();
        let mut records = vec![delivered(&first)];
        while records.len() < most && bytes < BATCH_BYTES {
            match stream.next().now_or_never().flatten() {
                Some(Ok(message)) => {
                    bytes += message.payload_len();
                    records.push(delivered(&message));
                }
                Some(Err(error)) => {
                    self.failed = Some(error);
                    break;
                }
                None => break,
            }
        }
        self.hand(&client, &records);
        Ok(records)
    }

    async fn commit(&mut self) -> Result<(), BusError> {
        let client = self.client()?;
        let lost = self.forget_lost(&client);
        self.commit_handed(client).await?;
        match lost {
            None => Ok(()),
            Some((topic, partition)) => Err(BusError::Away(format!(
                "partition {partition} of {topic} went to another member of the group"
            ))),
        }
    }
}

impl Drop for Reader {
    /// Leaving a group takes a word with the brokers, which may be away.
    fn drop(&mut self) {
        let client = self.client.take();
        let left = std::thread::Builder::new().name("bus".to_owned()).spawn(move || drop(client));
        if let Err(error) = left {
            tracing::debug!(%error, "the group will find out that a member left");
        }
    }
}

fn delivered(message: &BorrowedMessage<'_>) -> Delivered {
    Delivered {
        topic: message.topic().to_owned(),
        partition: message.partition().cast_unsigned(),
        offset: message.offset(),
        key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
        value: message.payload().unwrap_or_default().to_vec(),
    }
}
