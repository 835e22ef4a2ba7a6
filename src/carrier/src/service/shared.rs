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
    messages: AtomicU32,
    /// Of the ids of reports and MO.
    deliveries: AtomicU32,
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
        let messages = match record {
            Some(_) => last as u32,
            None => runtime::clock::since_epoch().subsec_micros(),
        };
        Self {
            clock: Clock::new(config.time_zone.clone()),
            numbers: Arc::new(Numbers::starting_at(1)),
            messages: AtomicU32::new(messages),
            deliveries: AtomicU32::new(messages.wrapping_mul(REPORTS_OF_MESSAGE)),
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
    pub fn limits<P: Carrier>(&self, window: u16, idle_end: Option<Duration>) -> Limits {
        let timers = &self.config.timers;
        Limits {
            window,
            inbound: window,
            answer: match P::FAMILY {
                Family::Cmpp | Family::Smgp => timers.answer,
                Family::Sgip => timers.sgip_answer,
            },
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
    pub fn message_numbers(&self, ids: usize) -> u32 {
        self.messages.fetch_add(u32::try_from(ids).unwrap_or(u32::MAX), Ordering::Relaxed)
    }

    /// A number for the id of a report or MO, or for the reference of a long MO.
    pub fn delivery_number(&self) -> u32 {
        self.deliveries.fetch_add(1, Ordering::Relaxed)
    }

    /// The id of a report or MO. It names another gateway than the ids of messages, so that both have all numbers.
    pub fn delivery_id<P: Carrier>(&self, now: Moment) -> MessageId {
        let node = (self.config.node + DELIVERIES) % GATEWAYS;
        // SGIP makes its id out of the sequence that it goes out with
        P::message_id(P::sequence(0, node, now.stamp), node, self.delivery_number(), now.stamp)
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

/// A message has a report or two.
const REPORTS_OF_MESSAGE: u32 = 2;

/// Numbers of gateways, and how far those for reports and MO are from the configured one: another first digit of six.
const GATEWAYS: u32 = 1_000_000;
const DELIVERIES: u32 = 500_000;

impl Watched for Shared {
    fn registry(&self) -> &Registry {
        &self.families.registry
    }

    /// It serves from its first moment on.
    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wire::cmpp::Cmpp;
    use wire::protocol::Messages;
    use wire::smgp::Smgp;

    use super::*;

    #[test]
    fn reports_take_no_numbers_from_messages_and_their_ids_name_another_gateway() {
        let text = "listen: { smgp: '127.0.0.1:0' }
node: 999999
accounts: { a: { protocol: smgp-3.0, id: '1', secret: s } }
";
        let config = crate::config::read(text).unwrap();
        let shared = Shared::new(config, Vec::new(), Families::new().unwrap(), None, 0);
        let now = shared.clock.moment();
        let first = shared.message_numbers(1);
        let reports = [shared.delivery_id::<Smgp>(now), shared.delivery_id::<Smgp>(now)];
        assert_eq!(shared.message_numbers(1), first.wrapping_add(1));
        assert_ne!(reports[0], reports[1]);
        assert_eq!(reports[0].as_bytes()[..3], [0x49, 0x99, 0x99]);
        let number = shared.deliveries.load(Ordering::Relaxed);
        let message = Cmpp::message_id(0, shared.config.node, number, now.stamp);
        assert_ne!(shared.delivery_id::<Cmpp>(now), message);
    }
}
