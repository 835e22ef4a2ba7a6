//! Copies of messages, for the center.

use bus::Record;
use domain::{MessageCopy, Millis, Submission};
use link::Identity;

use crate::publisher::{Publisher, Stopped};

/// Publishes them.
#[derive(Clone, Debug)]
pub struct Copies {
    pub me: Identity,
    pub publisher: Publisher,
}

impl Copies {
    /// Returns when all are durable.
    ///
    /// # Errors
    /// See [`Stopped`].
    pub async fn publish(&self, submissions: impl Iterator<Item = &Submission>) -> Result<(), Stopped> {
        let records = submissions.filter_map(|submission| self.record(submission)).collect();
        self.publisher.publish(records).await
    }

    /// A submission is always JSON.
    fn record(&self, submission: &Submission) -> Option<Record> {
        let copy = MessageCopy {
            uaop: self.me.node.clone(),
            site: self.me.site.clone(),
            at: Millis::from(runtime::clock::since_epoch()),
            submission: submission.clone(),
        };
        let value = serde_json::to_vec(&copy).ok()?;
        Some(Record { key: submission.uaop_id.to_string(), value })
    }
}
