//! What is known of the other routers, and what is told of them once and not every time.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::action::{Actions, Record};
use super::super::event::Heard;
use super::super::{AdvertInterval, Priority};
use super::{Machine, Phase};

#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    /// The one that said last that it is Active.
    pub(super) active: Option<ActivePeer>,
    /// What was told last of differences in configuration.
    differs: Option<Difference>,
    own_address_told: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ActivePeer {
    pub(super) source: IpAddr,
    pub(super) priority: Priority,
    pub(super) interval: AdvertInterval,
    pub(super) heard_at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Difference {
    source: IpAddr,
    addresses: bool,
    interval: Option<Duration>,
}

impl Machine {
    /// Takes note of the sender. False when it is ourselves.
    pub(super) fn is_worth_hearing(&mut self, heard: &Heard, now: Instant, out: &mut Actions) -> bool {
        if heard.source == self.settings.source {
            if !std::mem::replace(&mut self.peers.own_address_told, true) {
                out.record(Record::OwnAddressHeard);
            }
            return false;
        }
        self.tell_differences(heard, out);
        let before = self.peers.active.filter(|peer| peer.source == heard.source);
        match heard.priority {
            Some(priority) => {
                if let (Some(before), Phase::Backup(_)) = (before, &self.phase) {
                    tell_missed(&before, now, out);
                }
                let (source, interval) = (heard.source, heard.interval);
                self.peers.active = Some(ActivePeer { source, priority, interval, heard_at: now });
            }
            None if before.is_some() => self.peers.active = None,
            None => {}
        }
        true
    }

    /// RFC 9568 7.1: another list is logged, and the advertisement counts nevertheless.
    fn tell_differences(&mut self, heard: &Heard, out: &mut Actions) {
        let interval = heard.interval.get();
        let difference = Difference {
            source: heard.source,
            addresses: !heard.addresses.same_set(&self.settings.addresses),
            interval: (interval != self.settings.interval.get()).then_some(interval),
        };
        if self.peers.differs.replace(difference) == Some(difference) {
            return;
        }
        let source = heard.source;
        if difference.addresses {
            out.record(Record::AddressesDiffer { source });
        }
        if let Some(theirs) = difference.interval {
            out.record(Record::IntervalDiffers { source, theirs });
        }
    }
}

fn tell_missed(before: &ActivePeer, now: Instant, out: &mut Actions) {
    let gap = now.saturating_duration_since(before.heard_at).as_nanos();
    let interval = before.interval.get().as_nanos();
    // Half an interval late is late, not lost.
    let count = ((gap + interval / 2) / interval).saturating_sub(1) as u32;
    if count > 0 {
        out.record(Record::AdvertsMissed { source: before.source, count });
    }
}
