//! Connections of each source address: how many are live, and how fast new ones come.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::config::Rate;

/// One entry for each source with live connections, or whose rate is still being held against it.
///
/// The limits are arguments, so that a reload changes them and keeps the counts.
#[derive(Debug, Default)]
pub struct SourceTable {
    sources: BTreeMap<IpAddr, Source>,
}

/// Why a connection of a source is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    #[error("the source has as many connections as it may")]
    Connections,
    #[error("the source connects faster than it may")]
    Rate,
}

impl SourceTable {
    /// Counts a new connection of `source`, whether there are limits or not; one that is `None` does not apply. Who
    /// asks only while a limit is set saves the work, and a limit that comes later does not see the connections that
    /// are there already.
    ///
    /// # Errors
    /// The connection goes beyond a limit; it is not counted then, under neither limit.
    pub fn admit(
        &mut self,
        source: IpAddr,
        now: Instant,
        max_connections: Option<u32>,
        rate: Option<Rate>,
    ) -> Result<(), Refused> {
        let source = source.to_canonical();
        let known = self.sources.get(&source).copied().unwrap_or_default();
        if max_connections.is_some_and(|max| known.live >= max) {
            return Err(Refused::Connections);
        }
        let bucket = match rate {
            Some(rate) => {
                Some(known.bucket.unwrap_or(Bucket { full_at: now }).take(now, rate).ok_or(Refused::Rate)?)
            }
            None => known.bucket,
        };
        self.sources.insert(source, Source { live: known.live.saturating_add(1), bucket });
        Ok(())
    }

    /// A connection that was admitted has ended. To be called once for each.
    pub fn release(&mut self, source: IpAddr) {
        let source = source.to_canonical();
        if let Some(known) = self.sources.get_mut(&source) {
            known.live = known.live.saturating_sub(1);
            if known.live == 0 && known.bucket.is_none() {
                self.sources.remove(&source);
            }
        }
    }

    /// Forgets the sources of which nothing needs to be known any more. To be called now and then: it goes
    /// through the whole table, and between two calls the table grows by no more than the sources admitted.
    pub fn expire(&mut self, now: Instant) {
        self.sources.retain(|_, source| {
            source.bucket = source.bucket.filter(|bucket| bucket.full_at > now);
            source.live > 0 || source.bucket.is_some()
        });
    }

    /// Live connections of `source`.
    pub fn live(&self, source: IpAddr) -> u32 {
        self.sources.get(&source.to_canonical()).map_or(0, |source| source.live)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Source {
    live: u32,
    /// `None` is a full bucket.
    bucket: Option<Bucket>,
}

/// A token bucket as one instant (GCRA): it has the tokens that do not come between now and `full_at`.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// Takes one token; `None` if there is none.
    fn take(self, now: Instant, rate: Rate) -> Option<Self> {
        let token = time_of_one(rate);
        let all = token.saturating_mul(rate.count);
        // Not further than an empty bucket: under an earlier, slower rate it may have been.
        let missing = self.full_at.saturating_duration_since(now).min(all);
        let missing = missing + token;
        (missing <= all).then(|| Self { full_at: now + missing })
    }
}

/// Rounded up, so that rounding never admits more.
fn time_of_one(rate: Rate) -> Duration {
    Duration::from_nanos_u128(rate.per.as_nanos().div_ceil(u128::from(rate.count.max(1))))
}

#[cfg(test)]
mod tests;
