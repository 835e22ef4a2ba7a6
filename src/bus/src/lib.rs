//! Topics of records that outlive whoever wrote them.
//!
//! | topic | written by | read by | key | partitions |
//! |---|---|---|---|---|
//! | [`COPIES`] | UAOPs | center | `uaopId` | many |
//! | [`EVENTS`] | UAOPs | center | gateway and account: their events stay in order | many |
//! | [`ALARMS`] | all | center | what it is about | one |
//! | [`for_bank`] | center, EMPIs | the EMPIs of one `empiId` | `uaopId` or `mo_id` | one: its offset is the bank's cursor |
//!
//! Delivery is at least once: who reads keeps what he has done under unique keys.

mod check;
mod embedded;
mod error;
mod kafka;
mod metrics;
mod place;

use async_trait::async_trait;
use domain::EmpiId;

pub use error::BusError;
pub use metrics::{Metrics, metered};
pub use place::{Kafka, Place, open};

/// Copies of messages: [`domain::MessageCopy`].
pub const COPIES: &str = "smsline.copies";
/// Events of gateways: [`domain::Told`].
pub const EVENTS: &str = "smsline.events";
/// [`domain::Alarm`].
pub const ALARMS: &str = "smsline.alarms";

/// The topic of an EMPI: [`domain::ForBank`].
#[must_use]
pub fn for_bank(empi: &EmpiId) -> String {
    format!("smsline.empi.{empi}")
}

/// A topic that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub partitions: u32,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Records with the same key stay in order.
    pub key: String,
    /// JSON.
    pub value: Vec<u8>,
}

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub topic: String,
    pub partition: u32,
    /// Grows in its partition; may have gaps.
    pub offset: i64,
    pub key: String,
    pub value: Vec<u8>,
}

/// A bus. All clones of what it hands out are one.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Makes the topics that are missing.
    ///
    /// # Errors
    /// The bus is away, or a topic is there with fewer partitions.
    async fn ensure(&self, topics: &[Topic]) -> Result<(), BusError>;

    /// Writes records; when this returns `Ok`, all are durable. After an error some may be: writing them again may double
    /// them.
    ///
    /// # Errors
    /// The bus is away for longer than its patience, or refuses a record.
    async fn publish(&self, topic: &str, records: Vec<Record>) -> Result<(), BusError>;

    /// Reads topics as a member of a group: each partition goes to one member, from where the group has committed, or from
    /// the first record. The topics must be there.
    ///
    /// # Errors
    /// The bus cannot be reached.
    async fn subscribe(&self, group: &str, topics: &[&str]) -> Result<Box<dyn Consumer>, BusError>;

    /// Whether it answers now: for `/readyz`.
    async fn ping(&self) -> Result<(), BusError>;
}

/// One member of a group.
#[async_trait]
pub trait Consumer: Send {
    /// The next records, at least one, at most `most`; waits for them. Cancelling it loses none.
    ///
    /// # Errors
    /// The bus is away. Trying again is in order.
    async fn next(&mut self, most: usize) -> Result<Vec<Delivered>, BusError>;

    /// Everything that [`Consumer::next`] has handed out is done: no member of the group gets it again.
    ///
    /// # Errors
    /// The bus is away, or the partition went to another member: the records come again, perhaps elsewhere.
    async fn commit(&mut self) -> Result<(), BusError>;
}
