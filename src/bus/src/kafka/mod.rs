//! The bus on brokers that speak Kafka's protocol.
//!
//! | module | is |
//! |---|---|
//! | `writer` | the producer |
//! | `reader` | a consumer |
//! | `topics` | which topics there are, and making those that are missing |
//! | `context` | what librdkafka tells us meanwhile |
//! | `error` | what its errors mean |

mod context;
mod error;
mod reader;
mod topics;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use self::reader::Reader;
use self::topics::Topics;
use self::writer::Writer;
use crate::{Bus, BusError, Consumer, Kafka, Record, Topic, check};

/// Partitions of a topic at most.
const PARTITIONS: u32 = 1024;
/// How long [`Bus::ping`] waits, at most.
const PING: Duration = Duration::from_secs(2);

pub(crate) struct Brokers {
    config: ClientConfig,
    writer: Arc<Writer>,
    topics: Topics,
    patience: Duration,
}

impl Brokers {
    pub(crate) fn open(settings: &Kafka, keep: Duration, client: &str) -> Result<Self, BusError> {
        let config = config(settings, client);
        let writer = Arc::new(Writer::open(&config, settings.patience)?);
        let topics = Topics::new(config.clone(), writer.clone(), settings, keep);
        Ok(Self { config, writer, topics, patience: settings.patience })
    }
}

#[async_trait]
impl Bus for Brokers {
    async fn ensure(&self, topics: &[Topic]) -> Result<(), BusError> {
        for topic in topics {
            check::topic(&topic.name)?;
            check::partitions(topic, PARTITIONS)?;
        }
        self.topics.ensure(topics).await
    }

    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError> {
        check::topic(topic)?;
        check::records(&records)?;
        self.topics.known(topic).await?;
        self.writer.publish(topic, &records).await
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError> {
        let found = self.topics.found(self.patience).await?;
        for name in topics {
            check::topic(name)?;
            if !found.contains_key(*name) {
                return Err(check::no_topic(name));
            }
        }
        Ok(Box::new(Reader::open(&self.config, group, topics)?))
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.topics.found(self.patience.min(PING)).await.map(|_| ())
    }
}

/// What all clients of one bus have in common.
fn config(settings: &Kafka, client: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", settings.brokers.join(","))
        .set("client.id", client)
        .set("socket.keepalive.enable", "true")
        // a request to a broker that hangs; librdkafka's minute is longer than anybody waits here
        .set("socket.timeout.ms", "10000")
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Notice);
    config
}
