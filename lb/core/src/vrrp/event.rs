//! What happens to a virtual router.

use std::net::IpAddr;

use super::action::Term;
use super::{Addresses, AdvertInterval, Eligibility, Priority};

/// One thing that a [`Machine`](super::Machine) is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Startup,
    Shutdown,
    /// It passed every check of the [codec](super::packet).
    AdvertReceived(Heard),
    /// A deadline has passed. To be told after everything else that has already happened.
    TimerExpired,
    LinkUp,
    LinkDown,
    /// The interface is up as before, but its MAC address or what is behind it has changed.
    LinkChanged,
    /// What [`InstallAddresses`](super::Action::InstallAddresses) came to.
    AddressesInstalled(Term),
    AddressesFailed(Term),
    /// Somebody removed an address that we had installed.
    AddressLost,
    /// Somebody has one of the addresses, as [`Probe`](super::Action::Probe) asked.
    AddressAnswered(IpAddr),
    /// Our own guard, taking us for dead, has removed the addresses and told the others that they are free.
    Withdrawn,
    /// Somebody else claims one of the addresses by ARP or neighbour discovery.
    ConflictSeen(IpAddr),
    EligibilityChanged {
        eligibility: Eligibility,
        /// Configured, with the weights of what is tracked added.
        priority: Priority,
    },
    /// The operator wants the addresses elsewhere.
    Release,
    /// The operator wants the addresses here.
    Take,
    /// It is known otherwise that a router has gone.
    PeerGone(IpAddr),
    /// All members of the group can take over.
    GroupReady,
    /// Another member of the group has lost its addresses to a peer.
    GroupYields,
    /// Whether another member of the group is at fault.
    GroupFault(bool),
}

/// An advertisement, as far as it decides anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub source: IpAddr,
    /// `None`: the sender lets go.
    pub priority: Option<Priority>,
    pub interval: AdvertInterval,
    pub addresses: Addresses,
}
