//! A carrier with one account, and a gateway that has it.

use std::time::Duration;

use anyhow::Result;

use super::protocol::ACCOUNT;
use super::{Carrier, Feed, Gateway, Keys, Protocol};
use crate::ports::{self, Port};

/// What is set up; every key can be another.
#[derive(Clone, Debug)]
pub struct Scene {
    protocol: Protocol,
    gateway: Keys,
    account: Keys,
    carrier: Keys,
    customer: Keys,
}

/// A gateway and its carrier at work; both end when this is dropped.
#[derive(Debug)]
pub struct Line {
    pub gateway: Gateway,
    pub carrier: Carrier,
    /// All events from the first on.
    pub feed: Feed,
    _listener: Port,
}

impl Scene {
    /// A carrier without faults that reports soon.
    #[must_use]
    pub fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            gateway: Keys::new(),
            account: Keys::new(),
            carrier: Keys::new(),
            customer: Keys::new().set("behaviour", "{ report: 5ms }"),
        }
    }

    /// A key of the gateway's file.
    #[must_use]
    pub fn gateway(self, key: &str, value: impl std::fmt::Display) -> Self {
        Self { gateway: self.gateway.set(key, value), ..self }
    }

    /// A key of the gateway's account.
    #[must_use]
    pub fn account(self, key: &str, value: impl std::fmt::Display) -> Self {
        Self { account: self.account.set(key, value), ..self }
    }

    /// A key of the carrier's file.
    #[must_use]
    pub fn carrier(self, key: &str, value: impl std::fmt::Display) -> Self {
        Self { carrier: self.carrier.set(key, value), ..self }
    }

    /// A key of the carrier's account.
    #[must_use]
    pub fn customer(self, key: &str, value: impl std::fmt::Display) -> Self {
        Self { customer: self.customer.set(key, value), ..self }
    }

    /// Starts both and waits until they are connected.
    ///
    /// # Errors
    /// One of them does not start; with its log.
    pub fn start(self) -> Result<Line> {
        let mut line = self.start_unconnected()?;
        line.gateway.wait_ready()?;
        Ok(line)
    }

    /// As [`Scene::start`], for a gateway that does not get connected.
    ///
    /// # Errors
    /// As [`Scene::start`].
    pub fn start_unconnected(self) -> Result<Line> {
        self.start_with(Gateway::spawn)
    }

    /// As [`Scene::start`], with a disk of so many bytes for the gateway's spool. Needs root.
    ///
    /// # Errors
    /// As [`Scene::start`].
    pub fn start_on_small_disk(self, bytes: u64) -> Result<Line> {
        self.start_with(|config| Gateway::start_on_small_disk(config, bytes))
    }

    fn start_with(self, start: impl FnOnce(&Keys) -> Result<Gateway>) -> Result<Line> {
        let Self { protocol, gateway, account, carrier, customer } = self;
        let listener = ports::reserve()?;
        let customer = customer.over(protocol.customer(listener.address()));
        let carrier = Carrier::start(&carrier.set("accounts", Keys::new().set(ACCOUNT, customer)))?;
        let account = account.over(protocol.account(carrier.address(protocol), listener.address()));
        let gateway = start(&gateway.set("accounts", format!("[ {account} ]")))?;
        let feed = Feed::follow(gateway.uplink(), "uaop-1");
        Ok(Line { gateway, carrier, feed, _listener: listener })
    }
}

impl Line {
    /// Waits until the carrier has got through every report and MO that it has.
    ///
    /// # Errors
    /// The deadline has passed; with its counts.
    pub fn wait_delivered(&self, deadline: Duration) -> Result<()> {
        let control = self.carrier.control();
        let mut last = None;
        let result = crate::wait::until("the carrier's reports and MO", deadline, || {
            let counts = control.counts().ok()?;
            let done = counts.reports.is_done() && counts.mo.is_done();
            last = Some(counts);
            done.then_some(())
        });
        result.map_err(|error| error.context(format!("{last:#?}")))
    }
}
