//! Which topics there are, and making those that are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::Producer;
use tokio::time::{Instant, sleep};

use super::context::Context;
use super::error;
use super::writer::Writer;
use crate::{BusError, Kafka, Topic, check};

/// The longest message, with key and framing: of the topics that are made, and of our producers.
pub(super) const MESSAGE_BYTES: &str = "2097152";
/// Between two looks whether a new topic can be used.
const LOOK: Duration = Duration::from_millis(20);

pub(super) struct Topics {
    config: ClientConfig,
    writer: Arc<Writer>,
    patience: Duration,
    replicas: i32,
    keep_milliseconds: String,
    /// That were there when they were looked for.
    known: Mutex<BTreeSet<String>>,
}

impl Topics {
    pub(super) fn new(config: ClientConfig, writer: Arc<Writer>, settings: &Kafka, keep: Duration) -> Self {
        Self {
            config,
            writer,
            patience: settings.patience,
            replicas: i32::from(settings.replicas),
            keep_milliseconds: keep.as_millis().to_string(),
            known: Mutex::default(),
        }
    }

    /// Whether the topic is there, before anything is written to it: what is written to a missing one would make it, with a
    /// number of partitions that nobody chose.
    pub(super) async fn known(&self, topic: &str) -> Result<(), BusError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(topic);
        if known() {
            return Ok(());
        }
        self.found(self.patience).await?;
        if known() { Ok(()) } else { Err(BusError::Away(format!("there is no topic {topic} yet"))) }
    }

    /// All topics with their partitions. A question for one would make it, with a number of partitions that nobody chose.
    pub(super) async fn found(&self, patience: Duration) -> Result<BTreeMap<String, u32>, BusError> {
        let client = self.writer.client();
        let asked = tokio::task::spawn_blocking(move || client.client().fetch_metadata(None, patience)).await;
        let metadata = match asked {
            Ok(metadata) => metadata.map_err(|error| error::meaning(&error))?,
            Err(error) => return Err(BusError::Away(format!("the question was cut short ({error})"))),
        };
        // one whose partitions have no leader yet cannot be used
        let usable = metadata.topics().iter().filter(|topic| topic.error().is_none()).map(|topic| {
            let led = topic.partitions().iter().filter(|partition| partition.leader() >= 0).count();
            (topic.name().to_owned(), u32::try_from(led).unwrap_or(u32::MAX))
        });
        let found: BTreeMap<String, u32> = usable.collect();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(found.keys().cloned());
        Ok(found)
    }

    pub(super) async fn ensure(&self, wanted: &[Topic]) -> Result<(), BusError> {
        let found = self.found(self.patience).await?;
        let missing: Vec<&Topic> = wanted.iter().filter(|topic| !found.contains_key(&topic.name)).collect();
        let mut found = if missing.is_empty() { found } else { self.make(&missing).await? };
        let deadline = Instant::now() + self.patience;
        loop {
            let checked = wanted
                .iter()
                .try_for_each(|topic| check::enough(topic, found.get(&topic.name).copied().unwrap_or(0)));
            if checked.is_ok() || missing.is_empty() || Instant::now() >= deadline {
                return checked;
            }
            sleep(LOOK).await;
            found = self.found(self.patience).await?;
        }
    }

    /// All topics after that.
    async fn make(&self, missing: &[&Topic]) -> Result<BTreeMap<String, u32>, BusError> {
        let admin: AdminClient<Context> =
            self.config.create_with_context(Context::default()).map_err(|error| error::meaning(&error))?;
        let topics: Vec<NewTopic<'_>> = missing.iter().map(|topic| self.new_topic(topic)).collect();
        let options =
            AdminOptions::new().request_timeout(Some(self.patience)).operation_timeout(Some(self.patience));
        let made = admin.create_topics(&topics, &options).await.map_err(|error| error::meaning(&error))?;
        for result in made {
            match result {
                Ok(name) => tracing::info!(topic = name, "made"),
                // another process was faster
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) if error::is_final(code) => {
                    return Err(BusError::Refused(format!("{name} cannot be made: {code}")));
                }
                Err((name, code)) => return Err(BusError::Away(format!("{name} cannot be made: {code}"))),
            }
        }
        self.found(self.patience).await
    }

    fn new_topic<'a>(&'a self, topic: &'a Topic) -> NewTopic<'a> {
        let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
        NewTopic::new(&topic.name, partitions, TopicReplication::Fixed(self.replicas))
            .set("retention.ms", &self.keep_milliseconds)
            .set("max.message.bytes", MESSAGE_BYTES)
    }
}
