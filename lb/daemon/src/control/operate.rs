//! What an operator changes by hand: states and weights of servers.

use std::sync::Arc;
use std::time::Instant;

use lb_core::pool::{AdminState, Event, Pool, ServerId};
use thiserror::Error;

use super::Control;
use crate::vrrp::Kind;

/// Why a command names nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum OperateError {
    #[error("no pool is called `{0}`; there are {1}")]
    Pool(String, String),
    #[error("pool `{0}` has no server called `{1}`; it has {2}")]
    Server(String, String, String),
    #[error("no virtual router is called `{0}`; {list}", list = there_are(.1))]
    VirtualRouter(String, String),
}

impl Control {
    /// Takes a server out of use, or puts it back.
    ///
    /// # Errors
    /// There is no such server.
    pub fn set_state(&self, pool: &str, server: &str, state: AdminState) -> Result<(), OperateError> {
        self.operate(pool, server, |pool, id, now| pool.set_admin(id, state, now))?;
        tracing::info!(pool, server, ?state, "state set by an operator");
        let word = match state {
            AdminState::Ready => "ready",
            AdminState::Drain => "drain",
            AdminState::Maint => "maint",
        };
        self.note_command(pool, server, format!("{word}, by an operator"));
        Ok(())
    }

    /// Sets a weight until the file's weight changes; `None` = the file's.
    ///
    /// # Errors
    /// There is no such server.
    pub fn set_weight(&self, pool: &str, server: &str, weight: Option<u16>) -> Result<(), OperateError> {
        self.operate(pool, server, |pool, id, now| pool.set_weight(id, weight, now))?;
        tracing::info!(pool, server, weight, "weight set by an operator");
        let weight = weight.map_or_else(|| "the file's".to_owned(), |weight| weight.to_string());
        self.note_command(pool, server, format!("weight {weight}, by an operator"));
        Ok(())
    }

    fn note_command(&self, pool: &str, server: &str, text: String) {
        self.timeline.record(Instant::now(), Kind::Command, &format!("{pool}/{server}"), text);
    }

    fn operate(
        &self,
        pool: &str,
        server: &str,
        change: impl FnOnce(&mut Pool, ServerId, Instant) -> Vec<Event>,
    ) -> Result<(), OperateError> {
        let shared = {
            let state = self.state();
            let known = || state.pools.keys().cloned().collect::<Vec<_>>().join(", ");
            let running =
                state.pools.get(pool).ok_or_else(|| OperateError::Pool(pool.to_owned(), known()))?;
            Arc::clone(&running.shared)
        };
        let events = shared.with(|machine| {
            let found = machine.servers().find(|view| &**view.name == server).map(|view| view.id);
            let Some(id) = found else {
                let known: Vec<&str> = machine.servers().map(|view| &**view.name).collect();
                return Err(OperateError::Server(pool.to_owned(), server.to_owned(), known.join(", ")));
            };
            Ok(change(machine, id, Instant::now()))
        })?;
        self.forward(&shared, events);
        shared.attention.notify_one();
        shared.slots.ring();
        Ok(())
    }
}

fn there_are(names: &str) -> String {
    if names.is_empty() { "the file has none".to_owned() } else { format!("there are {names}") }
}
