//! Carries out what pools decide: tells the log, the metrics and the workers.

use std::sync::{Arc, Weak};

use lb_core::pool::Event;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Control;
use crate::end::EndReason;
use crate::service::{PoolEvents, SharedPool};
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
