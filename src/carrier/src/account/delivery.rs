//! What goes to the customer, and over which connection.

use std::collections::{BTreeSet, VecDeque};

use wire::exchange::Incoming;

/// The number of a connection of this process.
pub type LinkId = u32;

/// A report or MO on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub incoming: Incoming,
    /// The connection that the submit came over, of a report.
    pub origin: Option<LinkId>,
    /// Over another connection than that, if there is one.
    pub elsewhere: bool,
    /// The answer that waits until this is sent.
    pub unlocks: Option<Unlock>,
    /// It was sent before.
    pub again: bool,
}

/// An answer of a connection that waits for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlock {
    pub link: LinkId,
    pub ticket: u64,
}

/// What is due, in the order in which it came to be, until a connection takes it. Pure.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Delivery>,
    /// The connections that carry reports and MO.
    carriers: BTreeSet<LinkId>,
}

/// How many deliveries a connection looks at for one that is meant for it. When so many are meant for another, that
/// one is slow, and the first goes wherever there is room.
const LOOK_AHEAD: usize = 64;

impl Outbox {
    pub fn add_carrier(&mut self, link: LinkId) {
        self.carriers.insert(link);
    }

    pub fn remove_carrier(&mut self, link: LinkId) {
        self.carriers.remove(&link);
    }

    #[must_use]
    pub fn has_carriers(&self) -> bool {
        !self.carriers.is_empty()
    }

    pub fn push(&mut self, delivery: Delivery) {
        self.waiting.push_back(delivery);
    }

    /// The next for this connection.
    pub fn take(&mut self, link: LinkId) -> Option<Delivery> {
        let meant = self.waiting.iter().take(LOOK_AHEAD).position(|delivery| self.suits(delivery, link));
        let slow = self.waiting.len() >= LOOK_AHEAD;
        self.waiting.remove(meant.or_else(|| slow.then_some(0))?)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn suits(&self, delivery: &Delivery, link: LinkId) -> bool {
        match delivery.origin {
            None => true,
            Some(origin) if delivery.elsewhere => origin != link || self.carriers.len() < 2,
            Some(origin) => origin == link || !self.carriers.contains(&origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::text::Text;

    use super::*;

    fn delivery(name: u8, origin: Option<LinkId>, elsewhere: bool) -> Delivery {
        let incoming = Incoming::UserState { user: Text::EMPTY, condition: name };
        Delivery { incoming, origin, elsewhere, unlocks: None, again: false }
    }

    fn take(outbox: &mut Outbox, link: LinkId) -> Option<u8> {
        outbox.take(link).map(|delivery| match delivery.incoming {
            Incoming::UserState { condition, .. } => condition,
            Incoming::Report(_) | Incoming::Mo(_) => panic!("not ours"),
        })
    }

    #[test]
    fn a_report_goes_back_over_its_connection_or_over_another_as_it_should() {
        let mut outbox = Outbox::default();
        outbox.add_carrier(1);
        outbox.add_carrier(2);
        outbox.push(delivery(0, Some(1), false));
        outbox.push(delivery(1, Some(1), true));
        outbox.push(delivery(2, None, false));
        assert_eq!(take(&mut outbox, 2), Some(1));
        assert_eq!(take(&mut outbox, 2), Some(2));
        assert_eq!(take(&mut outbox, 2), None);
        assert_eq!(take(&mut outbox, 1), Some(0));
    }

    #[test]
    fn a_report_whose_connection_is_gone_goes_over_any() {
        let mut outbox = Outbox::default();
        outbox.add_carrier(1);
        outbox.add_carrier(2);
        outbox.push(delivery(0, Some(1), false));
        assert_eq!(take(&mut outbox, 2), None);
        outbox.remove_carrier(1);
        outbox.push(delivery(1, Some(2), true));
        assert_eq!(take(&mut outbox, 2), Some(0));
        assert_eq!(take(&mut outbox, 2), Some(1));
        assert!(outbox.is_empty());
    }

    #[test]
    fn a_slow_connection_does_not_hold_up_the_others() {
        let mut outbox = Outbox::default();
        outbox.add_carrier(1);
        outbox.add_carrier(2);
        for name in 0..64 {
            outbox.push(delivery(name, Some(1), false));
        }
        assert_eq!(take(&mut outbox, 2), Some(0));
        assert_eq!(take(&mut outbox, 2), None);
        assert_eq!(outbox.len(), 63);
    }
}
