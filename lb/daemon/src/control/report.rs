//! The daemon as plain data, for `lb status`.

use std::time::Instant;

use lb_core::pool::Status;
use serde::{Deserialize, Serialize};

use super::Control;
use crate::vrrp::RouterStatus;

/// The daemon at one moment.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Report {
    pub version: String,
    pub node: Option<String>,
    pub file: String,
    pub uptime_seconds: f64,
    pub workers: usize,
    /// It stops: no new connections.
    pub draining: bool,
    pub listeners: Vec<ListenerReport>,
    pub pools: Vec<Status>,
    #[serde(default)]
    pub virtual_routers: Vec<RouterStatus>,
}

/// A listener at one moment.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ListenerReport {
    pub name: String,
    pub binds: Vec<String>,
    pub pool: String,
    pub connections: u32,
    pub max_connections: Option<u32>,
    pub accepted: u64,
    /// From clients.
    pub received_bytes: u64,
    /// To clients.
    pub sent_bytes: u64,
}

impl Control {
    pub fn report(&self) -> Report {
        let state = self.state();
        let listeners = state.services.values().map(|service| {
            let (settings, shared) = (&service.settings, &service.shared);
            ListenerReport {
                name: settings.name.clone(),
                binds: settings.binds.iter().map(ToString::to_string).collect(),
                pool: settings.pool.clone(),
                connections: shared.live(),
                max_connections: settings.max_connections,
                accepted: shared.metrics.accepted.get(),
                received_bytes: shared.metrics.received_bytes.get(),
                sent_bytes: shared.metrics.sent_bytes.get(),
            }
        });
        let now = Instant::now();
        Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            node: state.node.clone(),
            file: self.file.display().to_string(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            workers: self.workers.len(),
            draining: self.draining.load(std::sync::atomic::Ordering::Relaxed),
            listeners: listeners.collect(),
            pools: state.pools.values().map(|pool| pool.shared.with(|pool| pool.status(now))).collect(),
            virtual_routers: self.virtual_routers(),
        }
    }
}
