//! Virtual routers for tests of what is told about them.

use crate::vrrp::{ActivePeer, RouterStatus, State, TakeOver};

/// Active, all is well.
pub fn active(name: &str) -> RouterStatus {
    RouterStatus {
        name: name.to_owned(),
        interface: "eth0".to_owned(),
        vrid: 51,
        version: 3,
        addresses: vec!["192.0.2.100/24".to_owned(), "2001:db8::100/64".to_owned()],
        state: State::Active,
        reason: "no advertisement of 192.0.2.12 for 331 ms".to_owned(),
        state_seconds: 61.0,
        priority: 250,
        configured_priority: 250,
        burdens: Vec::new(),
        held: false,
        advert_interval_seconds: 0.1,
        active_peer: None,
        last_take_over: Some(TakeOver { ago_seconds: 61.0, took_seconds: 0.0012 }),
    }
}

/// Backup behind 192.0.2.12 with priority 240.
pub fn backup(name: &str) -> RouterStatus {
    RouterStatus {
        state: State::Backup,
        reason: "started".to_owned(),
        priority: 200,
        configured_priority: 200,
        active_peer: Some(ActivePeer { source: "192.0.2.12".to_owned(), priority: 240, heard_seconds: 0.02 }),
        last_take_over: None,
        ..active(name)
    }
}
