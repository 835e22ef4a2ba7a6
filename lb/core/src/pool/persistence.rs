//! Which server a source had.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::ServerId;
use crate::config;

/// Most sources that are remembered; beyond, the one that is longest silent is forgotten. About 150 bytes each.
const MOST_SOURCES: usize = 1_000_000;
/// Sources forgotten in one call: the pool is locked meanwhile.
const EXPIRE_AT_ONCE: usize = 1024;
/// How long a source may be kept after its time: so that busy pools need not be looked after for each one.
const SWEEP: Duration = Duration::from_secs(1);

/// Sources, and the order in which they last came.
#[derive(Debug)]
pub(super) struct Persistence {
    settings: config::Persistence,
    capacity: usize,
    sources: BTreeMap<IpAddr, Entry>,
    /// By the number of their last visit, which grows with time.
    order: BTreeMap<u64, IpAddr>,
    visits: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    server: ServerId,
    last: Instant,
    visit: u64,
}

impl Persistence {
    pub fn new(settings: config::Persistence) -> Self {
        Self::with_capacity(settings, MOST_SOURCES)
    }

    fn with_capacity(settings: config::Persistence, capacity: usize) -> Self {
        Self { settings, capacity, sources: BTreeMap::new(), order: BTreeMap::new(), visits: 0 }
    }

    /// New settings; other prefix lengths make other sources, so those forget everything.
    pub fn reconfigure(&mut self, settings: config::Persistence) {
        let lengths = |settings: &config::Persistence| (settings.prefix_v4, settings.prefix_v6);
        if lengths(&settings) == lengths(&self.settings) {
            self.settings = settings;
        } else {
            *self = Self::with_capacity(settings, self.capacity);
        }
    }

    pub fn get(&self, source: IpAddr, now: Instant) -> Option<ServerId> {
        let entry = self.sources.get(&self.masked(source))?;
        (now.saturating_duration_since(entry.last) < self.settings.timeout).then_some(entry.server)
    }

    /// The source's connection to `server` begins now.
    pub fn record(&mut self, source: IpAddr, server: ServerId, now: Instant) {
        let source = self.masked(source);
        self.visits += 1;
        let entry = Entry { server, last: now, visit: self.visits };
        if let Some(before) = self.sources.insert(source, entry) {
            self.order.remove(&before.visit);
        }
        self.order.insert(self.visits, source);
        if self.sources.len() > self.capacity
            && let Some((_, longest_silent)) = self.order.pop_first()
        {
            self.sources.remove(&longest_silent);
        }
    }

    /// When [`Self::expire`] is worth a call, at most once in each [`SWEEP`] unless there is too much for one call;
    /// [`Self::get`] sees by itself whose time is over.
    pub fn next_sweep(&self) -> Option<Instant> {
        self.next_expiry().map(|at| at + SWEEP)
    }

    fn next_expiry(&self) -> Option<Instant> {
        let (_, source) = self.order.first_key_value()?;
        self.sources.get(source).map(|entry| entry.last + self.settings.timeout)
    }

    pub fn expire(&mut self, now: Instant) {
        for _ in 0..EXPIRE_AT_ONCE {
            if self.next_expiry().is_none_or(|at| at > now) {
                return;
            }
            if let Some((_, source)) = self.order.pop_first() {
                self.sources.remove(&source);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.sources.len()
    }

    fn masked(&self, source: IpAddr) -> IpAddr {
        match source.to_canonical() {
            IpAddr::V4(address) => {
                let host_bits = 32 - u32::from(self.settings.prefix_v4.min(32));
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            IpAddr::V6(address) => {
                let host_bits = 128 - u32::from(self.settings.prefix_v6.min(128));
                let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::health::test_epoch;

    const SETTINGS: config::Persistence =
        config::Persistence { timeout: Duration::from_secs(60), prefix_v4: 24, prefix_v6: 64 };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_is_a_prefix() {
        let (mut table, t) = (Persistence::new(SETTINGS), test_epoch());
        table.record(ip("192.0.2.1"), ServerId(1), t);
        table.record(ip("2001:db8::1"), ServerId(2), t);
        for (source, server) in [
            ("192.0.2.200", Some(ServerId(1))),
            ("::ffff:192.0.2.9", Some(ServerId(1))),
            ("192.0.3.1", None),
            ("2001:db8::ffff:1", Some(ServerId(2))),
            ("2001:db8:0:1::1", None),
        ] {
            assert_eq!(table.get(ip(source), t), server, "{source}");
        }
    }

    #[test]
    fn prefixes_of_all_and_no_bits() {
        let t = test_epoch();
        let mut whole = Persistence::new(config::Persistence { prefix_v4: 32, prefix_v6: 128, ..SETTINGS });
        whole.record(ip("192.0.2.1"), ServerId(1), t);
        assert_eq!(whole.get(ip("192.0.2.2"), t), None);
        let mut none = Persistence::new(config::Persistence { prefix_v4: 0, prefix_v6: 0, ..SETTINGS });
        none.record(ip("192.0.2.1"), ServerId(1), t);
        assert_eq!(none.get(ip("203.0.113.1"), t), Some(ServerId(1)));
    }

    #[test]
    fn the_timeout_runs_from_the_last_connection() {
        let (mut table, t) = (Persistence::new(SETTINGS), test_epoch());
        table.record(ip("192.0.2.1"), ServerId(1), t);
        table.record(ip("192.0.2.1"), ServerId(1), t + Duration::from_secs(50));
        assert_eq!(table.next_expiry(), Some(t + Duration::from_secs(110)));
        assert_eq!(table.get(ip("192.0.2.1"), t + Duration::from_secs(109)), Some(ServerId(1)));
        assert_eq!(table.get(ip("192.0.2.1"), t + Duration::from_secs(110)), None, "before any tick");
        table.expire(t + Duration::from_secs(110));
        assert_eq!((table.len(), table.order.len(), table.next_expiry()), (0, 0, None));
    }

    #[test]
    fn beyond_its_size_the_longest_silent_is_forgotten() {
        let (mut table, t) = (Persistence::with_capacity(SETTINGS, 2), test_epoch());
        table.record(ip("10.0.1.1"), ServerId(1), t);
        table.record(ip("10.0.2.1"), ServerId(2), t);
        table.record(ip("10.0.1.1"), ServerId(1), t);
        table.record(ip("10.0.3.1"), ServerId(3), t);
        assert_eq!((table.len(), table.order.len()), (2, 2));
        assert_eq!(table.get(ip("10.0.2.1"), t), None);
        assert_eq!(table.get(ip("10.0.1.1"), t), Some(ServerId(1)));
    }

    #[test]
    fn many_expire_in_several_calls() {
        let settings = config::Persistence { prefix_v4: 32, ..SETTINGS };
        let (mut table, t) = (Persistence::new(settings), test_epoch());
        for number in 0..1500 {
            table.record(Ipv4Addr::from_bits(number).into(), ServerId(1), t);
        }
        let later = t + Duration::from_secs(60);
        table.expire(later);
        assert_eq!(table.len(), 1500 - EXPIRE_AT_ONCE);
        assert!(table.next_expiry().unwrap() <= later);
        table.expire(later);
        assert_eq!(table.len(), 0);
    }

    #[test]
    fn sources_that_come_all_the_time_are_swept_once_a_second() {
        let settings = config::Persistence { prefix_v4: 32, ..SETTINGS };
        let (mut table, t) = (Persistence::new(settings), test_epoch());
        let at = |number: u32| t + Duration::from_millis(10) * number;
        for number in 0..1000 {
            table.record(Ipv4Addr::from_bits(number).into(), ServerId(1), at(number));
        }
        let mut sweeps = 0;
        while let Some(next) = table.next_sweep() {
            table.expire(next);
            sweeps += 1;
        }
        assert!((9..=11).contains(&sweeps), "{sweeps} sweeps over 10 s");
    }

    #[test]
    fn another_timeout_counts_for_known_sources_and_another_prefix_forgets_them() {
        let (mut table, t) = (Persistence::new(SETTINGS), test_epoch());
        table.record(ip("192.0.2.1"), ServerId(1), t);
        table.reconfigure(config::Persistence { timeout: Duration::from_secs(10), ..SETTINGS });
        assert_eq!(table.get(ip("192.0.2.1"), t), Some(ServerId(1)));
        assert_eq!(table.get(ip("192.0.2.1"), t + Duration::from_secs(10)), None);
        table.reconfigure(config::Persistence { prefix_v4: 32, ..SETTINGS });
        assert_eq!(table.len(), 0);
    }
}
