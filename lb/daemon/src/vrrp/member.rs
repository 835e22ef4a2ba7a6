//! One family of one virtual router: its machine, and where that meets the network.

use std::io;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use lb_core::config::VirtualRouter;
use lb_core::vrrp::packet::Expected;
use lb_core::vrrp::packet::auth::{Authenticator, Context};
use lb_core::vrrp::{Addresses, Family, Machine, Priority, Settings};
use pnet_base::MacAddr;

use super::adverts::Sender;
use super::outgoing::Outgoing;
use super::setup;
use super::virtual_mac::VirtualMac;
use runtime::clock;

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
    /// Where the addresses are, if they are not on the interface itself.
    pub(super) virtual_mac: Option<VirtualMac>,
    /// The addresses, if they are wanted on the host.
    pub(super) wanted: Option<Wanted>,
    /// Of an owner: addresses that the interface had without us.
    pub(super) own: Vec<IpNet>,
    /// When the addresses were last decided to be installed, until they are announced.
    pub(super) taking_over: Option<Instant>,
    /// A claim of another, to be told when the claimant had time to say that it is Active.
    pub(super) claim: Option<Claim>,
    /// When the last claim was noted; whoever repeats it must not fill the flight recorder.
    pub(super) claimed_at: Option<Instant>,
    /// What was refused of whom, so that it is told once.
    pub(super) refused: Vec<(IpAddr, &'static str)>,
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

const CLAIM_PAUSE: Duration = Duration::from_secs(1);
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
        let expected = setup::expected(router, &addresses);
        Some(Self {
            family,
            machine: Machine::new(setup::settings(router, addresses, source, grouped)),
            expected,
            verifier: setup::authentication(router).map(Authenticator::new),
            outgoing: Outgoing::new(&setup::spec(router, family, source))?,
            place: None,
            absent: String::new(),
            virtual_mac: None,
            wanted: None,
            own: Vec::new(),
            taking_over: None,
            claim: None,
            claimed_at: None,
            refused: Vec::new(),
            unsent: None,
        })
    }

    /// The settings that it should have, where it is; `priority` has the weights added.
    pub(super) fn settings(
        &self,
        router: &VirtualRouter,
        priority: Priority,
        grouped: bool,
    ) -> Option<Settings> {
        let addresses = router.addresses_of(self.family).map(|address| address.addr()).collect();
        let settings = setup::settings(router, Addresses::new(addresses).ok()?, self.source(), grouped);
        Some(Settings { priority, ..settings })
    }

    /// With other keys. What was seen stays known, so that nothing of it is good again.
    pub(super) fn authenticate(&mut self, router: &VirtualRouter) {
        match (&mut self.verifier, setup::authentication(router)) {
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
        let wall = clock::since_epoch();
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

    /// Whether to note a claim; as often as it is answered.
    pub(super) fn claim_is_news(&mut self, now: Instant) -> bool {
        let is_news = self.claimed_at.is_none_or(|at| now >= at + CLAIM_PAUSE);
        if is_news {
            self.claimed_at = Some(now);
        }
        is_news
    }

    /// The router that advertises, and its priority.
    pub(super) fn active_peer(&self) -> Option<(IpAddr, Priority)> {
        self.machine.active_peer().map(|(source, priority, _)| (source, priority))
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
