//! The producer: idempotent, all replicas, everything of one call on its way at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use tokio::time::{Instant, sleep};

use super::context::Context;
use super::error;
use crate::{BusError, Record};

/// Between two tries when too much is under way.
const FULL: Duration = Duration::from_millis(5);

pub(super) type Client = FutureProducer<Context>;

pub(super) struct Writer {
    config: ClientConfig,
    patience: Duration,
    client: Mutex<Arc<Client>>,
}

impl Writer {
    pub(super) fn open(common: &ClientConfig, patience: Duration) -> Result<Self, BusError> {
        let mut config = common.clone();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "3")
            .set("message.timeout.ms", patience.as_millis().to_string())
            // what Kafka's own clients do with a key
            .set("partitioner", "murmur2_random")
            .set("message.max.bytes", super::topics::MESSAGE_BYTES)
            .set("queue.buffering.max.messages", "100000")
            .set("queue.buffering.max.kbytes", "65536");
        let client = Mutex::new(Arc::new(connect(&config)?));
        Ok(Self { config, patience, client })
    }

    pub(super) fn client(&self) -> Arc<Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn publish(&self, topic: &str, records: &[Record]) -> Result<(), BusError> {
        let client = self.client();
        let Err(failed) = self.publish_by(&client, topic, records).await else { return Ok(()) };
        if client.client().fatal_error().is_some() || error::is_of_the_producer(&failed) {
            self.renew(&client)?;
        }
        Err(error::meaning(&failed))
    }

    async fn publish_by(&self, client: &Client, topic: &str, records: &[Record]) -> Result<(), KafkaError> {
        let deadline = Instant::now() + self.patience;
        let mut under_way = Vec::with_capacity(records.len());
        for record in records {
            under_way.push(queue(client, topic, record, deadline).await?);
        }
        // all are waited for, so that nothing of this call is under way when it returns
        let mut failed = None;
        for delivery in under_way {
            let error = match delivery.await {
                Ok(Ok(_)) => continue,
                Ok(Err((error, _))) => error,
                Err(_) => KafkaError::Canceled,
            };
            failed.get_or_insert(error);
        }
        failed.map_or(Ok(()), Err)
    }

    /// After some errors an idempotent producer is of no more use: another takes its place.
    fn renew(&self, broken: &Arc<Client>) -> Result<(), BusError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&client, broken) {
            tracing::warn!("the bus has a new producer: the last one could not go on");
            *client = Arc::new(connect(&self.config)?);
        }
        Ok(())
    }
}

fn connect(config: &ClientConfig) -> Result<Client, BusError> {
    config.create_with_context(Context::default()).map_err(|error| error::meaning(&error))
}

async fn queue(
    client: &Client,
    topic: &str,
    record: &Record,
    deadline: Instant,
) -> Result<DeliveryFuture, KafkaError> {
    loop {
        let sent = client.send_result(FutureRecord::to(topic).key(&record.key).payload(&record.value));
        match sent {
            Ok(delivery) => return Ok(delivery),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _))
                if Instant::now() < deadline =>
            {
                sleep(FULL).await;
            }
            Err((error, _)) => return Err(error),
        }
    }
}
