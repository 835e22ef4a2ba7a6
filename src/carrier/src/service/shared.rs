//! What all connections share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prometheus::Registry;
use runtime::endpoint::Watched;
use wire::exchange::MessageId;
use wire::protocol::Moment;
use wire::session::{Limits, Numbers};
use wire::text::Text;

use crate::account::{Account, LinkId};
use crate::clock::Clock;
use crate::config::{Config, Family};
use crate::metrics::Families;
use crate::protocol::Carrier;
use crate::record::{Entry, Record, RecordEnded};

/// One for the whole carrier.
#[derive(Debug)]
pub struct Shared {
    pub config: Config,
    pub accounts: Vec<Arc<Account>>,
    pub families: Families,
    pub clock: Clock,
    pub numbers: Arc<Numbers>,
    record: Option<Record>,
    /// Of message ids.
    count: AtomicU32,
    link: AtomicU32,
}

impl Shared {
    /// `last`: the number of the last message in the record. Ids go on from there, so that they differ from those of
    /// an earlier run within the same second.
    #[must_use]
    pub fn new(
        config: Config,
        accounts: Vec<Arc<Account>>,
        families: Families,
        record: Option<Record>,
        last: u64,
    ) -> Self {
        #[allow(clippy::cast_possible_truncation)] // they wrap
        let count = match record {
            Some(_) => (last as u32).wrapping_mul(IDS_OF_MESSAGE),
            None => runtime::clock::since_epoch().subsec_micros(),
        };
        Self {
            clock: Clock::new(config.time_zone.clone()),
            numbers: Arc::new(Numbers::starting_at(1)),
            count: AtomicU32::new(count),
            link: AtomicU32::new(1),
            config,
            accounts,
            families,
            record,
        }
    }

    /// The account of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<Account>> {
        self.accounts.iter().find(|account| &*account.name == name)
    }

    /// The account that logs in as `id`.
    #[must_use]
    pub fn account(&self, family: Family, id: &Text<16>) -> Option<Arc<Account>> {
        let wanted =
            |account: &&Arc<Account>| account.config.protocol.family() == family && account.config.id == *id;
        self.accounts.iter().find(wanted).cloned()
    }

    #[must_use]
    pub fn limits(&self, window: u16, idle_end: Option<Duration>) -> Limits {
        let timers = &self.config.timers;
        Limits {
            window,
            inbound: window,
            answer: timers.answer,
            tries: timers.tries,
            idle: timers.probe,
            idle_end,
            login: timers.login,
        }
    }

    pub fn next_link(&self) -> LinkId {
        self.link.fetch_add(1, Ordering::Relaxed)
    }

    /// The first of so many numbers for message ids.
    pub fn count(&self, ids: usize) -> u32 {
        self.count.fetch_add(u32::try_from(ids).unwrap_or(u32::MAX), Ordering::Relaxed)
    }

    /// The id of a report or MO.
    pub fn delivery_id<P: Carrier>(&self, now: Moment) -> MessageId {
        let node = self.config.node;
        // SGIP makes its id out of the sequence that it goes out with
        P::message_id(P::sequence(0, node, now.stamp), node, self.count(1), now.stamp)
    }

    /// Whether there is a record.
    #[must_use]
    pub fn records(&self) -> bool {
        self.record.is_some()
    }

    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Waits until the record has room.
    ///
    /// # Errors
    /// It cannot be written any more.
    pub async fn write_record(&self, entries: Vec<Entry>) -> Result<(), RecordEnded> {
        match &self.record {
            Some(record) => record.write(entries).await,
            None => Ok(()),
        }
    }
}

/// A message has an id, and its report one or two.
const IDS_OF_MESSAGE: u32 = 3;

impl Watched for Shared {
    fn registry(&self) -> &Registry {
        &self.families.registry
    }

    /// It serves from its first moment on.
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}
