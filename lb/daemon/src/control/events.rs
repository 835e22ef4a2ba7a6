//! Carries out what pools decide: tells the log, the metrics and the workers.

use std::sync::{Arc, Weak};
use std::time::Instant;

use lb_core::pool::Event;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Control;
use crate::end::EndReason;
use crate::service::{PoolEvents, SharedPool};
use crate::vrrp::Kind;
use crate::worker::Command;

/// Runs until the daemon ends.
pub(super) async fn carry_out(control: Weak<Control>, mut events: UnboundedReceiver<PoolEvents>) {
    while let Some(PoolEvents { pool, events }) = events.recv().await {
        let Some(control) = control.upgrade() else { return };
        for event in events {
            control.carry_out(&pool, event);
        }
        pool.attention.notify_one();
        pool.slots.ring();
        control.tell_facts(&control.state());
    }
}

impl Control {
    fn carry_out(&self, pool: &Arc<SharedPool>, event: Event) {
        let families = &self.metrics;
        let name_of_pool = pool.name.as_str();
        if let Some((server, text)) = told(&event) {
            let subject =
                server.map_or_else(|| pool.name.clone(), |server| format!("{}/{server}", pool.name));
            self.timeline.record(Instant::now(), Kind::Health, &subject, text);
        }
        match event {
            Event::ServerUp { name, after, .. } => {
                families.server_transitions.with_label_values(&[name_of_pool, &name, "up"]).inc();
                tracing::info!(pool = name_of_pool, server = %name, after = %after, "server is up");
            }
            Event::ServerDraining { name, reason, .. } => {
                families.server_transitions.with_label_values(&[name_of_pool, &name, "draining"]).inc();
                tracing::info!(pool = name_of_pool, server = %name, %reason, "server is draining");
            }
            Event::ServerDown { name, reason, .. } => {
                families.server_transitions.with_label_values(&[name_of_pool, &name, "down"]).inc();
                tracing::warn!(pool = name_of_pool, server = %name, %reason, "server is down");
            }
            Event::Ejected { name, for_, .. } => {
                families.server_ejections.with_label_values(&[name_of_pool, &name]).inc();
                tracing::warn!(pool = name_of_pool, server = %name, seconds = for_.as_secs_f64(), "server is ejected");
            }
            Event::Readmitted { name, .. } => {
                tracing::info!(pool = name_of_pool, server = %name, "server is readmitted");
            }
            Event::WeightChanged { name, from, to, .. } => {
                tracing::info!(pool = name_of_pool, server = %name, from, to, "weight changed");
            }
            Event::AddressChanged { name, from, to, .. } => {
                let from = from.map(tracing::field::display);
                tracing::info!(pool = name_of_pool, server = %name, from, %to, "address changed");
            }
            Event::CheckNow { .. } => {}
            Event::PoolUp => tracing::info!(pool = name_of_pool, "pool has a usable server again"),
            Event::PoolDown => tracing::error!(pool = name_of_pool, "pool has no usable server"),
            Event::TierChanged { from, to } => {
                // the connections that a drain would close may be on the tier that is needed now
                pool.drain.stop();
                tracing::warn!(pool = name_of_pool, from, to, "tier in use changed");
            }
            Event::CloseConnections { server, reason, pace } => {
                let reason = EndReason::from(reason);
                let epoch = pool.drain.epoch();
                self.tell_all(|| Command::CloseConnections {
                    pool: Arc::clone(pool),
                    server,
                    reason,
                    pace,
                    epoch,
                });
            }
        }
    }
}

/// For the timeline: the server, if it is about one, and what happened.
fn told(event: &Event) -> Option<(Option<&str>, String)> {
    let (server, text) = match event {
        Event::ServerUp { name, after, .. } => (Some(name), format!("up, after {after}")),
        Event::ServerDraining { name, reason, .. } => (Some(name), format!("draining: {reason}")),
        Event::ServerDown { name, reason, .. } => (Some(name), format!("DOWN: {reason}")),
        Event::Ejected { name, for_, .. } => {
            (Some(name), format!("EJECTED for {}", settings::format_duration(*for_)))
        }
        Event::Readmitted { name, .. } => (Some(name), "readmitted".to_owned()),
        Event::WeightChanged { name, from, to, .. } => (Some(name), format!("weight {from} → {to}")),
        Event::AddressChanged { name, from, to, .. } => {
            let from = from.map_or_else(|| "none".to_owned(), |from| from.to_string());
            (Some(name), format!("address {from} → {to}"))
        }
        Event::PoolUp => (None, "a server is usable again".to_owned()),
        Event::PoolDown => (None, "NO SERVER USABLE".to_owned()),
        Event::TierChanged { from, to } => {
            let word = |tier: &Option<u8>| tier.map_or_else(|| "none".to_owned(), |tier| tier.to_string());
            (None, format!("tier in use: {} → {}", word(from), word(to)))
        }
        // the first concerns nobody but the checks; the second has its reason in another entry
        Event::CheckNow { .. } | Event::CloseConnections { .. } => return None,
    };
    Some((server.map(|name| &**name), text))
}
