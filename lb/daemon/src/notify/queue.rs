//! What waits to be told, and to whom.

use std::collections::{BTreeMap, VecDeque};

use lb_core::config::{Notify, VirtualRouter};

use super::{Change, Word};

/// At most one change of each virtual router.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Change>,
    recipients: BTreeMap<String, Recipient>,
}

#[derive(Debug)]
struct Recipient {
    notify: Notify,
    /// Its router is gone from the file: the last that is told of it is its STOP.
    leaving: bool,
}

impl Queue {
    /// Replaces the settings, also of what waits.
    pub fn configure(&mut self, routers: &[VirtualRouter]) {
        self.recipients.retain(|name, recipient| {
            recipient.leaving = true;
            routers.iter().all(|router| router.name != *name)
        });
        for router in routers {
            if let Some(notify) = router.notify.clone() {
                self.recipients.insert(router.name.clone(), Recipient { notify, leaving: false });
            }
        }
    }

    /// A change takes the place of an older one of its router: the latest state wins, and a router that changes all
    /// the time holds up no other and is held up by none.
    pub fn push(&mut self, change: Change) {
        match self.waiting.iter_mut().find(|waiting| waiting.router == change.router) {
            Some(waiting) => *waiting = change,
            None => self.waiting.push_back(change),
        }
    }

    /// The first that somebody is to be told of.
    pub fn next(&mut self) -> Option<(Change, Notify)> {
        while let Some(change) = self.waiting.pop_front() {
            let Some(recipient) = self.recipients.get(&*change.router) else { continue };
            let notify = recipient.notify.clone();
            if recipient.leaving && change.state == Word::Stop {
                self.recipients.remove(&*change.router);
            }
            return Some((change, notify));
        }
        None
    }
}
