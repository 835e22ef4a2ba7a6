//! Which server a connection goes to, and what becomes of connections when servers change.
//!
//! A [`Pool`] is one state machine for all workers. Workers call [`Pool::pick`] and then, for the server that
//! they got, exactly one of
//!
//! - [`Pool::connect_failed`] or [`Pool::connect_abandoned`], or
//! - [`Pool::connected`] and, at the end of the connection, [`Pool::closed`].
//!
//! Whoever runs checks finds in [`Pool::servers`] what is due when, brings [`Pool::check_result`] with the
//! [`Question`] that was asked, and calls [`Pool::tick`] at [`Pool::next_deadline`]. What others must do about a change comes back as [`Event`]s, in order.
//!
//! A server is *usable* when it is up (operator, name, check and agent agree), not ejected and has weight.
//! A *draining* one (operator, agent, or weight 0) serves only the sources that persistence sends to it.

mod connections;
mod control;
mod events;
mod persistence;
mod reconfigure;
mod select;
mod server;
mod settle;
mod status;
mod tiers;

#[cfg(test)]
mod tests;

use std::time::Instant;

pub use control::{CheckResult, ServerView};
pub use events::{CloseReason, Event, Pace, Reason};
pub use select::{NoServer, Pick, Request};
pub use server::{AdminState, Counters, Question, ServerId};
pub use status::{CheckStatus, ServerStatus, State, Status, TierStatus};

use crate::balance::Candidate;
use crate::balance::rng::SplitMix64;
use crate::config;
use persistence::Persistence;
use server::Server;
use tiers::Tier;

/// A group of servers that can stand in for each other, and all that is known about them.
#[derive(Debug)]
pub struct Pool {
    settings: config::Pool,
    /// By tier and, in a tier, in the file's order; then the sorry server; then retired ones.
    servers: Vec<Server>,
    tiers: Vec<Tier>,
    persistence: Option<Persistence>,
    next_id: u32,
    rng: SplitMix64,
    /// As last announced by events.
    usable: usize,
    active_tier: Option<u8>,
    /// The tier in use is a better one than before, but nothing has shown yet that it works.
    return_pending: bool,
    /// Kept only so that a pick allocates nothing.
    candidates: Vec<Candidate>,
}

impl Pool {
    /// Every server in its start state, nothing announced: [`Pool::status`] shows it. `seed` decides jitter
    /// and random picks.
    pub fn new(settings: config::Pool, now: Instant, seed: u64) -> Self {
        let mut pool = Self {
            settings: config::Pool { servers: Vec::new(), sorry_server: None, ..settings.clone() },
            servers: Vec::new(),
            tiers: Vec::new(),
            persistence: None,
            next_id: 0,
            rng: SplitMix64::new(seed),
            usable: 0,
            active_tier: None,
            return_pending: false,
            candidates: Vec::new(),
        };
        // What a reconfiguration of an empty pool would announce is the start state, not news.
        drop(pool.reconfigure(settings, now));
        pool
    }

    pub fn settings(&self) -> &config::Pool {
        &self.settings
    }

    fn server(&self, id: ServerId) -> Option<&Server> {
        self.servers.iter().find(|server| server.id == id)
    }

    fn server_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        self.servers.iter_mut().find(|server| server.id == id)
    }

    /// One that the configuration still has, the sorry server included.
    fn configured_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        self.server_mut(id).filter(|server| !server.retired)
    }
}
