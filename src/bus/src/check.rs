//! What both engines refuse, so that a change of engine brings no surprise.

use crate::{BusError, Record, Topic};

/// The longest value, in bytes: below what Kafka's brokers take (as topics are made here) with key and framing.
pub(crate) const VALUE_BYTES: usize = 3 << 19;
const KEY_BYTES: usize = 1024;
/// Kafka's.
const NAME_BYTES: usize = 249;

pub(crate) fn topic(name: &str) -> Result<(), BusError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > NAME_BYTES || name.starts_with('.') || !name.chars().all(plain) {
        let rule = "letters, digits, '.', '_' and '-', not beginning with '.', at most 249";
        return Err(BusError::Refused(format!("`{name}` is no name of a topic: {rule}")));
    }
    Ok(())
}

pub(crate) fn partitions(topic: &Topic, most: u32) -> Result<(), BusError> {
    if (1..=most).contains(&topic.partitions) {
        return Ok(());
    }
    Err(BusError::Refused(format!("{}: {} partitions are not 1 to {most}", topic.name, topic.partitions)))
}

/// A topic cannot grow: its keys would move.
pub(crate) fn enough(wanted: &Topic, found: u32) -> Result<(), BusError> {
    if found >= wanted.partitions {
        return Ok(());
    }
    Err(BusError::Refused(format!(
        "{}: it has {found} partitions and {} are wanted; drain it, remove it, and start again",
        wanted.name, wanted.partitions
    )))
}

pub(crate) fn no_topic(name: &str) -> BusError {
    BusError::Refused(format!("there is no topic {name}"))
}

pub(crate) fn records(records: &[Record]) -> Result<(), BusError> {
    for record in records {
        if record.key.len() > KEY_BYTES || record.value.len() > VALUE_BYTES {
            return Err(BusError::Refused(format!(
                "a record has {} bytes under a key of {}; it may have {VALUE_BYTES}, its key {KEY_BYTES}",
                record.value.len(),
                record.key.len()
            )));
        }
    }
    Ok(())
}
