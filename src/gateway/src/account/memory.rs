//! Which message a report is about, as long as it is remembered.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use domain::UaopId;
use wire::exchange::MessageId;

/// What is known of an answered part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub uaop_id: UaopId,
    pub part: u8,
    pub answered: Instant,
}

/// The last answered parts by the carrier's message id. What is forgotten here is still joined by the center.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    known: HashMap<MessageId, Known>,
    order: VecDeque<MessageId>,
}

impl Memory {
    /// Remembers the last `most`.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, known: HashMap::new(), order: VecDeque::new() }
    }

    pub fn remember(&mut self, id: MessageId, known: Known) {
        if self.known.insert(id, known).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > self.most {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }

    #[must_use]
    pub fn recall(&self, id: &MessageId) -> Option<&Known> {
        self.known.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first_and_the_number_is_bounded() {
        let mut memory = Memory::new(2);
        let known = |part| Known { uaop_id: "m".parse().unwrap(), part, answered: Instant::now() };
        for id in 1..=3_u8 {
            memory.remember(MessageId::new([id]), known(id));
        }
        memory.remember(MessageId::new([3]), known(9));
        assert_eq!(memory.recall(&MessageId::new([1])), None);
        assert_eq!(memory.recall(&MessageId::new([2])).map(|known| known.part), Some(2));
        assert_eq!(memory.recall(&MessageId::new([3])).map(|known| known.part), Some(9));
    }
}
