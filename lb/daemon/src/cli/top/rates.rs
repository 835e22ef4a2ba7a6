//! What happened between two reports, per second.

use std::collections::BTreeMap;

use lb_core::pool::ServerId;

use crate::control::{ListenerReport, Report};

/// Rates of everything that both reports have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rates {
    listeners: BTreeMap<String, ListenerRates>,
    servers: BTreeMap<(String, ServerId), f64>,
}

/// Per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListenerRates {
    pub connections: f64,
    pub received_bytes: f64,
    pub sent_bytes: f64,
}

/// Reports that are closer together tell nothing about rates.
const SHORTEST: f64 = 0.05;

impl Rates {
    /// `None` when the reports are too close together, or another process made the second.
    pub fn between(old: &Report, new: &Report) -> Option<Self> {
        let seconds = new.uptime_seconds - old.uptime_seconds;
        if seconds < SHORTEST {
            return None;
        }
        let per_second = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
        let listener = |old: &ListenerReport, new: &ListenerReport| ListenerRates {
            connections: per_second(old.accepted, new.accepted),
            received_bytes: per_second(old.received_bytes, new.received_bytes),
            sent_bytes: per_second(old.sent_bytes, new.sent_bytes),
        };
        let listeners = new.listeners.iter().filter_map(|new| {
            let old = old.listeners.iter().find(|old| old.name == new.name)?;
            Some((new.name.clone(), listener(old, new)))
        });
        let servers = new.pools.iter().flat_map(|pool| {
            let before = old.pools.iter().find(|old| old.name == pool.name);
            pool.servers.iter().filter_map(move |new| {
                let old = before?.servers.iter().find(|old| old.id == new.id)?;
                let rate = per_second(old.counters.connections, new.counters.connections);
                Some(((pool.name.clone(), new.id), rate))
            })
        });
        Some(Self { listeners: listeners.collect(), servers: servers.collect() })
    }

    pub fn listener(&self, name: &str) -> Option<ListenerRates> {
        self.listeners.get(name).copied()
    }

    /// New connections.
    pub fn server(&self, pool: &str, server: ServerId) -> Option<f64> {
        self.servers.get(&(pool.to_owned(), server)).copied()
    }
}
