//! A bank's system at the door: what it may do.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, RateLimiter};
use ipnet::IpNet;
use jiff::tz::TimeZone;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::quota::Quota;
use crate::accept::MOST_RECIPIENTS;
use crate::config::Bank;
use crate::problem::{Code, Problem};

/// All who show one of its keys share it.
#[derive(Debug)]
pub struct Client {
    pub bank: domain::Bank,
    pub quota: Option<Quota>,
    rate: Option<(NonZeroU32, DefaultDirectRateLimiter)>,
    sources: Vec<IpNet>,
    at_once: Arc<Semaphore>,
    polls: Arc<Semaphore>,
}

/// What a request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Waits, perhaps: it must not take the place of one that works.
    Poll,
    Work,
}

impl Client {
    #[must_use]
    pub fn new(bank: &Bank, zone: &TimeZone) -> Self {
        let rate = bank.rate.map(|rate| {
            // a request with many recipients fits at once
            let burst = rate.max(NonZeroU32::MIN.saturating_add(MOST_RECIPIENTS - 1));
            (rate, RateLimiter::direct(governor::Quota::per_second(rate).allow_burst(burst)))
        });
        Self {
            bank: bank.name.clone(),
            quota: bank.quota.map(|most| Quota::new(most, zone.clone())),
            rate,
            sources: bank.sources.clone(),
            at_once: Arc::new(Semaphore::new(bank.at_once)),
            polls: Arc::new(Semaphore::new(bank.polls)),
        }
    }

    /// # Errors
    /// Its requests do not come from there.
    pub fn comes_from(&self, source: IpAddr) -> Result<(), Problem> {
        if self.sources.is_empty() || self.sources.iter().any(|network| network.contains(&source)) {
            return Ok(());
        }
        Err(Problem::new(Code::SourceNotAllowed, format!("this key may not be used from {source}")))
    }

    /// Counts messages, or other requests, against its rate.
    ///
    /// # Errors
    /// They are too many now.
    pub fn charge(&self, count: NonZeroU32) -> Result<(), Problem> {
        let Some((rate, limiter)) = &self.rate else { return Ok(()) };
        let seconds = match limiter.check_n(count) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(until)) => until.wait_time_from(DefaultClock::default().now()).as_secs() + 1,
            // more than ever fits at once; a request's recipients are counted before
            Err(_) => 1,
        };
        let message = format!("this is more than the {rate} messages a second that were agreed");
        Err(Problem::new(Code::RateExceeded, message).after(seconds))
    }

    /// Held while a request is under way.
    ///
    /// # Errors
    /// There are too many.
    pub fn enter(&self, purpose: Purpose) -> Result<OwnedSemaphorePermit, Problem> {
        let places = match purpose {
            Purpose::Poll => &self.polls,
            Purpose::Work => &self.at_once,
        };
        Arc::clone(places).try_acquire_owned().map_err(|_| {
            Problem::new(Code::TooManyAtOnce, "too many requests with this bank's keys are under way")
                .after(1)
        })
    }
}
