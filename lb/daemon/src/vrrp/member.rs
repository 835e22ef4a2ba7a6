//! One family of one virtual router: its machine, and where that meets the network.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use ipnet::IpNet;
use lb_core::config::VirtualRouter;
use lb_core::vrrp::packet::Expected;
use lb_core::vrrp::packet::auth::{self, Authenticator, Context};
use lb_core::vrrp::{Addresses, Family, Machine, Priority, Settings};
use pnet_base::MacAddr;

use super::adverts::Sender;
use super::outgoing::Outgoing;
use super::refusals::Refusals;
use super::setup;

/// One machine and its edge.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) family: Family,
    pub(super) machine: Machine,
    pub(super) expected: Expected,
    /// Of what is received.
    pub(super) verifier: Option<Authenticator>,
    pub(super) outgoing: Outgoing,
    /// Where it is on the network; `None` = nowhere, and `absent` says why.
    pub(super) place: Option<Place>,
    pub(super) absent: String,
    /// The addresses, if they are wanted on the host.
    pub(super) wanted: Option<Wanted>,
    /// When the addresses were last decided to be installed, until they are announced.
    pub(super) taking_over: Option<Instant>,
    /// A claim of another, to be told when the claimant had time to say that it is Active.
    pub(super) claim: Option<Claim>,
    pub(super) refusals: Refusals,
    /// Why the last advertisement could not be sent.
    pub(super) unsent: Option<io::ErrorKind>,
}

/// A link, and what is used of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) link: u32,
    pub(super) mac: MacAddr,
    pub(super) source: IpAddr,
    pub(super) sender: Sender,
}

/// Addresses that were installed.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) addresses: Vec<IpNet>,
    pub(super) since: Instant,
    /// The kernel has told that they are there: from now on, one that is not was removed.
    pub(super) seen: bool,
}

impl Wanted {
    /// When the kernel must have told.
    pub(super) fn limit(&self) -> Instant {
        self.since + NEWS_OF_ADDRESSES
    }
}

/// The kernel tells of IPv6 addresses a little later.
const NEWS_OF_ADDRESSES: Duration = Duration::from_millis(250);

#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) due: Instant,
    pub(super) address: IpAddr,
    pub(super) mac: MacAddr,
}

impl Member {
    /// In Initialize, nowhere on the network. `None` when the router has no addresses of that family.
    pub(super) fn new(router: &VirtualRouter, family: Family, grouped: bool) -> Option<Self> {
        let addresses: Vec<IpAddr> = router.addresses_of(family).map(|address| address.addr()).collect();
        let addresses = Addresses::new(addresses).ok()?;
        let source = setup::unspecified(family);
        Some(Self {
            family,
            machine: Machine::new(setup::settings(router, addresses, source, grouped)),
            expected: setup::expected(router, family),
            verifier: setup::verification(router).map(Authenticator::new),
            outgoing: Outgoing::new(&setup::spec(router, family, source))?,
            place: None,
            absent: String::new(),
            wanted: None,
            taking_over: None,
            claim: None,
            refusals: Refusals::default(),
            unsent: None,
        })
    }

    /// The settings that it should have, where it is.
    pub(super) fn settings(&self, router: &VirtualRouter, grouped: bool) -> Option<Settings> {
        let addresses = router.addresses_of(self.family).map(|address| address.addr()).collect();
        Some(setup::settings(router, Addresses::new(addresses).ok()?, self.source(), grouped))
    }

    /// Other keys, or another mode; what was seen stays known, so that it is no use to send it again.
    pub(super) fn verify_by(&mut self, settings: Option<auth::Settings>) {
        match (&mut self.verifier, settings) {
            (Some(verifier), Some(settings)) => verifier.reconfigure(settings),
            (verifier, settings) => *verifier = settings.map(Authenticator::new),
        }
    }

    /// What advertisements come from, as far as that is known.
    pub(super) fn source(&self) -> IpAddr {
        self.place.as_ref().map_or_else(|| setup::unspecified(self.family), |place| place.source)
    }

    /// Sends an advertisement to every destination.
    ///
    /// # Errors
    /// The first that could not be sent.
    pub(super) fn advertise(&mut self, priority: Option<Priority>) -> io::Result<()> {
        let Some(place) = &self.place else { return Ok(()) };
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut outcome = Ok(());
        for (destination, packet) in self.outgoing.advert(priority, wall) {
            // each destination gets it, whatever became of the one before
            let sent = place.sender.send(destination, &packet);
            outcome = outcome.and(sent);
        }
        outcome
    }

    /// Who an authenticated packet of `source` is from.
    pub(super) fn context(&self, source: IpAddr) -> Context {
        Context { version: self.expected.version, vrid: self.expected.vrid, source }
    }

    /// When it wants to be served.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = Instant> {
        let unseen = self.wanted.as_ref().filter(|wanted| !wanted.seen).map(Wanted::limit);
        self.machine.next_deadline().into_iter().chain(self.claim.map(|claim| claim.due)).chain(unseen)
    }

    /// What the guard calls it.
    pub(super) fn guarded_as(&self, router: &str) -> String {
        format!("{router}/{}", self.family)
    }
}
