//! Which server a connection goes to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use super::server::{Server, Standing};
use super::{Pool, ServerId};
use crate::balance::maglev::{Maglev, Member};
use crate::balance::{Candidate, least_connections, random_two, smooth_wrr};
use crate::config::{Balance, Tiers};

/// A connection that needs a server.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The client's address.
    pub source: IpAddr,
    /// Servers that this connection has tried in vain.
    pub tried: &'a [ServerId],
}

/// The server that a connection goes to. One of its slots is taken until the pool hears how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub server: ServerId,
    pub name: Arc<str>,
    pub address: SocketAddr,
    /// The server's priority; 255 for the sorry server.
    pub tier: u8,
    pub sorry: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoServer {
    #[error("no server is usable")]
    Down,
    /// Worth to wait for: see [`crate::config::Pool::queue_timeout`].
    #[error("every usable server is at its connection limit")]
    Full,
    #[error("every usable server was tried")]
    Exhausted,
}

impl Pool {
    /// The next candidate for a connection; takes one of its slots.
    ///
    /// First the server that persistence names, then the tiers in their order, then the sorry server. A tier
    /// whose servers are full or were all tried is passed over, as nginx passes on to its backups.
    ///
    /// # Errors
    /// When no server may take the connection.
    pub fn pick(&mut self, request: &Request<'_>, now: Instant) -> Result<Pick, NoServer> {
        let position = self.persistent(request, now).or_else(|| self.balanced(request, now));
        let position = match position {
            Some(position) => position,
            None => self.last_resort(request)?,
        };
        let server = &mut self.servers[position];
        let address = server.resolved.ok_or(NoServer::Down)?;
        server.live += 1;
        server.pending += 1;
        if let (Some(table), false) = (&mut self.persistence, server.sorry) {
            table.record(request.source, server.id, now);
        }
        Ok(Pick {
            server: server.id,
            name: Arc::clone(&server.name),
            address,
            tier: server.settings.priority,
            sorry: server.sorry,
        })
    }

    /// The server that the source had, as long as it may serve. Persistence does not hold a source on a lower
    /// tier in classic mode: there, a lower tier is for when the higher ones are not usable.
    fn persistent(&self, request: &Request<'_>, now: Instant) -> Option<usize> {
        let id = self.persistence.as_ref()?.get(request.source, now)?;
        let position = self.servers.iter().position(|server| server.id == id)?;
        let server = &self.servers[position];
        let tier_serves = match self.settings.tiers {
            Tiers::Classic => self.active_tier.is_none_or(|active| server.settings.priority <= active),
            Tiers::SpillOver(_) => true,
        };
        (tier_serves && server.serves_persistent() && self.open(server, request, now)).then_some(position)
    }

    fn balanced(&mut self, request: &Request<'_>, now: Instant) -> Option<usize> {
        let drawn = match self.settings.tiers {
            Tiers::Classic => None,
            Tiers::SpillOver(_) => self.draw_tier(request, now),
        };
        drawn
            .and_then(|tier| self.balanced_in(tier, request, now))
            .or_else(|| (0..self.tiers.len()).find_map(|tier| self.balanced_in(tier, request, now)))
    }

    /// Smooth round robin by load over the tiers that can take this connection: over 100 connections, each
    /// tier has exactly its percentage.
    fn draw_tier(&mut self, request: &Request<'_>, now: Instant) -> Option<usize> {
        let mut tiers = self.take_candidates();
        tiers.extend(self.tiers.iter().enumerate().filter_map(|(slot, tier)| {
            let mut servers = self.servers[tier.servers.clone()].iter();
            let takes = tier.load.percent > 0
                && servers.any(|server| eligible(server, tier.load.panic) && self.open(server, request, now));
            takes.then_some(Candidate { slot, weight: tier.load.percent, live: 0, current: tier.current })
        }));
        let drawn = smooth_wrr::pick(&mut tiers).map(|position| tiers[position].slot);
        for tier in &tiers {
            self.tiers[tier.slot].current = tier.current;
        }
        self.candidates = tiers;
        drawn
    }

    fn balanced_in(&mut self, tier: usize, request: &Request<'_>, now: Instant) -> Option<usize> {
        match self.settings.balance {
            Balance::SourceHash => self.hashed(tier, request, now),
            balance @ (Balance::RoundRobin | Balance::LeastConnections | Balance::RandomTwo) => {
                self.ordered(tier, balance, request, now)
            }
        }
    }

    fn ordered(
        &mut self,
        tier: usize,
        balance: Balance,
        request: &Request<'_>,
        now: Instant,
    ) -> Option<usize> {
        let mut candidates = self.take_candidates();
        let slow_start = self.settings.slow_start;
        candidates.extend(
            self.members(tier)
                .filter(|(_, server)| self.open(server, request, now))
                .map(|(slot, server)| candidate(slot, server, server.slowed_weight(slow_start, now))),
        );
        let position = match balance {
            Balance::RoundRobin | Balance::SourceHash => smooth_wrr::pick(&mut candidates),
            Balance::LeastConnections => least_connections::pick(&mut candidates),
            Balance::RandomTwo => random_two::pick(&candidates, &mut self.rng),
        };
        for candidate in &candidates {
            self.servers[candidate.slot].current = candidate.current;
        }
        let picked = position.map(|position| candidates[position].slot);
        self.candidates = candidates;
        picked
    }

    /// By Maglev over all eligible servers; a full or tried one passes its sources on. Slow start does not
    /// lower the weight here (nor in nginx): it would move the same sources again and again.
    fn hashed(&mut self, tier: usize, request: &Request<'_>, now: Instant) -> Option<usize> {
        let mut members = self.take_candidates();
        members.extend(self.members(tier).map(|(slot, server)| candidate(slot, server, server.weight())));
        let wanted = || {
            members
                .iter()
                .map(|member| Member { hash: self.servers[member.slot].hash, weight: member.weight })
        };
        let current =
            self.tiers[tier].table.take().filter(|table| wanted().eq(table.members().iter().copied()));
        let table =
            current.unwrap_or_else(|| Maglev::new(wanted().collect(), self.tiers[tier].servers.len()));
        let picked = table
            .lookup(request.source, |member| self.open(&self.servers[members[member].slot], request, now))
            .map(|member| members[member].slot);
        self.tiers[tier].table = Some(table);
        self.candidates = members;
        picked
    }

    /// Nobody can take it: is it worth waiting, or is it the sorry server's?
    fn last_resort(&self, request: &Request<'_>) -> Result<usize, NoServer> {
        let untried = |server: &Server| !request.tried.contains(&server.id);
        let full = (0..self.tiers.len()).any(|tier| self.members(tier).any(|(_, server)| untried(server)));
        if full {
            return Err(NoServer::Full);
        }
        let sorry = self.servers.iter().position(|server| {
            server.sorry && !server.retired && server.standing == Standing::Up && untried(server)
        });
        sorry.ok_or(if request.tried.is_empty() { NoServer::Down } else { NoServer::Exhausted })
    }

    /// Servers of the tier that its state lets take connections, with their positions.
    fn members(&self, tier: usize) -> impl Iterator<Item = (usize, &Server)> {
        let tier = &self.tiers[tier];
        let panic = tier.load.panic;
        tier.servers
            .clone()
            .map(|position| (position, &self.servers[position]))
            .filter(move |(_, server)| eligible(server, panic))
    }

    /// Not tried by this connection, and below its limit.
    fn open(&self, server: &Server, request: &Request<'_>, now: Instant) -> bool {
        !request.tried.contains(&server.id) && server.has_room(self.settings.slow_start, now)
    }

    fn take_candidates(&mut self) -> Vec<Candidate> {
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        candidates
    }
}

fn eligible(server: &Server, panic: bool) -> bool {
    if panic { server.usable_in_panic() } else { server.usable() }
}

fn candidate(slot: usize, server: &Server, weight: u32) -> Candidate {
    Candidate { slot, weight, live: server.live, current: server.current }
}
