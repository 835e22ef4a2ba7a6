//! Asks the bus at intervals.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, BusError, Topic};

use crate::health::Health;

/// Who has seen it, in [`Health`].
pub const PING: &str = "ping";
const INTERVAL: Duration = Duration::from_secs(1);
/// A bus that does not answer within it is away.
const PATIENCE: Duration = Duration::from_secs(3);
/// Of topics of many partitions.
const PARTITIONS: u32 = 8;

/// Makes the topics as soon as it can, then asks without end whether the bus is there.
pub async fn watch(bus: Arc<dyn Bus>, health: Health) {
    let topic = |name: &str, partitions| Topic { name: name.to_owned(), partitions };
    let topics = [topic(bus::COPIES, PARTITIONS), topic(bus::EVENTS, PARTITIONS), topic(bus::ALARMS, 1)];
    let mut ensured = false;
    loop {
        let asked = async { if ensured { bus.ping().await } else { bus.ensure(&topics).await } };
        let answer: Result<(), BusError> = tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or_else(|_| Err(BusError::Away("it gives no answer".to_owned())));
        ensured = ensured || answer.is_ok();
        health.seen(PING, answer.map_err(|error| error.to_string()));
        tokio::time::sleep(INTERVAL).await;
    }
}
