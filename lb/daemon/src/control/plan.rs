//! What a reload would change, and how many live connections each change touches.

use std::time::Instant;

use lb_core::config::{Change, Config, OnDown, Plan};
use lb_core::pool::Status;
use serde::{Deserialize, Serialize};
use settings::Fault;

use super::{Control, State};
use crate::host;

/// One change of a plan.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Preview {
    #[serde(flatten)]
    pub change: Change,
    /// Live connections that it touches.
    pub connections: u32,
    /// What becomes of them.
    pub effect: String,
}

impl Control {
    /// # Errors
    /// The faults of `text`.
    pub fn preview(&self, text: &str) -> Result<Vec<Preview>, Vec<Fault>> {
        let new = host::compile(text, self.chosen_node.as_deref())?.config;
        let state = self.state();
        let plan = Plan::between(&state.config, &new);
        Ok(plan.changes.into_iter().map(|change| state.preview(change, &new)).collect())
    }
}

impl State {
    fn preview(&self, change: Change, new: &Config) -> Preview {
        let (connections, effect) = match &change {
            Change::Process { needs_restart: true, .. } => (0, "takes a restart; stays as it is"),
            Change::Process { .. } => (0, "takes effect at once"),
            Change::PoolAdded { .. } | Change::ServerAdded { .. } => (0, "gets new connections only"),
            Change::ListenerAdded { .. } => (0, "is opened"),
            Change::PoolRemoved { pool } => (self.on_pool(pool), "stay until they end"),
            Change::PoolChanged { pool, .. } => (self.on_pool(pool), "stay; new connections follow"),
            Change::ServerChanged { pool, server, .. } => {
                (self.on_server(pool, server), "stay; new connections follow")
            }
            Change::ServerRemoved { pool, server, .. } => {
                (self.on_server(pool, server), when_removed(pool, new))
            }
            Change::ListenerRemoved { listener } | Change::ListenerRebound { listener, .. } => {
                (self.on_listener(listener), "stay until they end")
            }
            Change::ListenerChanged { listener, .. } => {
                (self.on_listener(listener), "stay; new connections follow")
            }
            Change::VirtualRouterAdded { .. } => (0, "listens, and takes the addresses if nobody has them"),
            Change::VirtualRouterRemoved { .. } => (0, "lets go of its addresses"),
            Change::VirtualRouterReplaced { .. } => {
                (0, "lets go of its addresses and begins anew; the other router takes them meanwhile")
            }
            Change::VirtualRouterChanged { .. } => (0, "stays in its state"),
        };
        Preview { change, connections, effect: effect.to_owned() }
    }

    fn on_listener(&self, name: &str) -> u32 {
        self.listeners.get(name).map_or(0, |listener| listener.live())
    }

    fn on_pool(&self, name: &str) -> u32 {
        self.status(name).map_or(0, |status| status.servers.iter().map(|server| server.live).sum())
    }

    fn on_server(&self, pool: &str, name: &str) -> u32 {
        let servers = self.status(pool).map(|status| status.servers).unwrap_or_default();
        servers.iter().filter(|server| server.name == name).map(|server| server.live).sum()
    }

    fn status(&self, pool: &str) -> Option<Status> {
        let running = self.pools.get(pool)?;
        Some(running.shared.with(|machine| machine.status(Instant::now())))
    }
}

/// A reload that changes `on_down` too has it in force already when it takes the server away.
fn when_removed(pool: &str, new: &Config) -> &'static str {
    let settings = new.pools.iter().find(|candidate| candidate.name == pool);
    match settings.map(|pool| pool.on_down) {
        Some(OnDown::Close) => "are closed (on_down: close)",
        Some(OnDown::Keep) | None => "stay until they end (on_down: keep)",
    }
}
