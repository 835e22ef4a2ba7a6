//! The bus without a broker: a file for each topic, which processes of one host share.
//!
//! | module | is |
//! |---|---|
//! | `topic` | a file, its writer, who hears of what is written |
//! | `log` | SQL: the records |
//! | `group` | SQL: members, leases, what is done |
//! | `member` | the thread of a consumer |
//! | `source` | one topic of it |
//! | `mailbox` | what that thread waits for |
//! | `consumer` | the handle of it |

mod consumer;
mod group;
mod log;
mod mailbox;
mod member;
mod source;
#[cfg(test)]
mod tests;
mod topic;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use store::StoreError;

use self::consumer::Reader;
use self::group::Identity;
use self::topic::Topic;
use crate::{Bus, BusError, Consumer, Record, check};

pub(crate) struct Embedded {
    folder: PathBuf,
    keep: Duration,
    client: String,
    topics: Mutex<BTreeMap<String, Arc<Topic>>>,
}

impl Embedded {
    pub(crate) async fn open(folder: &Path, keep: Duration, client: &str) -> Result<Self, BusError> {
        let folder = folder.to_owned();
        let folder = blocking(move || topic::folder(&folder)).await?;
        Ok(Self { folder, keep, client: client.to_owned(), topics: Mutex::default() })
    }

    async fn topic(&self, name: &str, partitions: Option<u32>) -> Result<Arc<Topic>, BusError> {
        check::topic(name)?;
        if let Some(topic) = self.topics.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(topic.clone());
        }
        let (folder, keep, owned) = (self.folder.clone(), self.keep, name.to_owned());
        let topic = blocking(move || Topic::open(&folder, &owned, keep, partitions)).await?;
        let topic = topic.ok_or_else(|| check::no_topic(name))?;
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), topic.clone());
        Ok(topic)
    }
}

#[async_trait]
impl Bus for Embedded {
    async fn ensure(&self, topics: &[crate::Topic]) -> Result<(), BusError> {
        for wanted in topics {
            check::partitions(wanted, log::PARTITIONS)?;
            let topic = self.topic(&wanted.name, Some(wanted.partitions)).await?;
            check::enough(wanted, topic.partitions)?;
        }
        Ok(())
    }

    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError> {
        check::records(&records)?;
        let topic = self.topic(topic, None).await?;
        if records.is_empty() {
            return Ok(());
        }
        topic.append(records).await
    }

    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError> {
        let mut opened = Vec::new();
        for name in topics {
            opened.push(self.topic(name, None).await?);
        }
        let member = format!("{} {}", self.client, uuid::Uuid::now_v7());
        let identity = Identity { group: group.to_owned(), member };
        let reader = blocking(move || Reader::start(identity, opened)).await?;
        Ok(Box::new(reader))
    }

    async fn ping(&self) -> Result<(), BusError> {
        let topics: Vec<Arc<Topic>> =
            self.topics.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        match topics.iter().find(|topic| topic.is_failing()) {
            Some(topic) => Err(BusError::Away(format!("{} cannot be written", topic.name))),
            None => Ok(()),
        }
    }
}

impl From<StoreError> for BusError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::DiskFull { .. } | StoreError::InUse { .. } => Self::Away(error.to_string()),
            StoreError::Newer { file, .. }
            | StoreError::Corrupt { file, .. }
            | StoreError::Io { file, .. }
            | StoreError::Unreadable { file, .. }
            | StoreError::Rejected { file, .. } => {
                let file = file.display().to_string();
                let text = error.to_string();
                let detail = text.strip_prefix(&format!("{file}: ")).unwrap_or(&text).to_owned();
                Self::Files { file, detail }
            }
            // a database's: the bus has files
            StoreError::Away { .. }
            | StoreError::Database { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::UnreadableRow { .. }
            | StoreError::Refused(_) => Self::Away(error.to_string()),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BusError> + Send + 'static,
) -> Result<T, BusError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(BusError::Away(format!("the work was cut short ({error})"))))
}
