//! `vrrp:`.

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::vrrp::packet::ChecksumForm;
use crate::vrrp::packet::auth::{AntiReplay, Mode};
use crate::vrrp::{AdvertInterval, AnnounceAgain, AuthV2, Family, Preempt, Priority, Version, Vrid};

/// Virtual addresses that this host takes and releases. Addresses of both families move together, as one virtual
/// router of each.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualRouter {
    pub name: String,
    /// Where the addresses are, and where advertisements go.
    pub interface: String,
    pub vrid: Vrid,
    pub version: Version,
    pub priority: Priority,
    pub advert_interval: AdvertInterval,
    /// How many advertisements a Backup may miss before it takes over.
    pub down_adverts: NonZeroU8,
    pub preempt: Preempt,
    /// Each with its prefix length; never empty.
    pub addresses: Vec<IpNet>,
    /// What advertisements come from, at most one of each family; else the interface's first address of IPv4, its
    /// link-local one of IPv6.
    pub sources: Vec<IpAddr>,
    /// Unicast peers; empty = multicast.
    pub peers: Vec<IpAddr>,
    /// The least TTL of what unicast peers send; 255 = they are on the same network.
    pub least_ttl: u8,
    /// Of version 3 over IPv4, as sent; both are accepted.
    pub checksum: ChecksumForm,
    /// Authentication type 1 of version 2.
    pub password: AuthV2,
    pub authentication: Option<Authentication>,
    /// Virtual routers of one group are Active together or not at all.
    pub group: Option<String>,
    pub announce: Announce,
    pub track: Track,
    pub notify: Option<Notify>,
    /// The addresses are on a macvlan with the protocol's own MAC address.
    pub virtual_mac: bool,
}

impl VirtualRouter {
    /// The addresses of one family.
    pub fn addresses_of(&self, family: Family) -> impl Iterator<Item = IpNet> {
        self.addresses.iter().copied().filter(move |address| family_of(address.addr()) == family)
    }

    /// The families that it has addresses of.
    pub fn families(&self) -> impl Iterator<Item = Family> {
        [Family::V4, Family::V6].into_iter().filter(|family| self.addresses_of(*family).next().is_some())
    }

    /// What advertisements of this family come from, if that is configured.
    #[must_use]
    pub fn source_of(&self, family: Family) -> Option<IpAddr> {
        self.sources.iter().copied().find(|source| family_of(*source) == family)
    }

    /// Unicast peers of this family.
    pub fn peers_of(&self, family: Family) -> impl Iterator<Item = IpAddr> {
        self.peers.iter().copied().filter(move |peer| family_of(*peer) == family)
    }
}

/// Which family an address is of.
#[must_use]
pub fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// The HMAC trailer of `draft-cassen-vrrp-auth-hmac`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The first one signs; all are accepted. Never empty.
    pub keys: Vec<KeyFile>,
    pub mode: Mode,
    pub anti_replay: AntiReplay,
}

/// A secret of 32 to 64 bytes that stands in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub id: NonZeroU8,
    pub file: PathBuf,
    pub secret: Secret,
}

/// Bytes that are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Gratuitous ARP and unsolicited neighbour advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Of each address, in one burst.
    pub count: u8,
    /// When bursts are repeated.
    pub again: AnnounceAgain,
}

/// What the host's fitness depends on. A thing with a weight changes the priority, a thing without one bars the host
/// from having the addresses while it fails.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// Pools that must have a usable server, or the host cannot serve.
    pub pools: Vec<TrackedPool>,
    pub interfaces: Vec<Tracked<String>>,
    pub commands: Vec<Tracked<TrackedCommand>>,
    pub files: Vec<Tracked<PathBuf>>,
}

/// A pool that the addresses are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedPool {
    pub pool: String,
    /// With fewer usable servers the host is worse than one that has them all.
    pub quorum: u32,
}

/// Something that is well or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked<T> {
    pub what: T,
    /// Added to the priority while it is well, if positive; subtracted while it is not, if negative; `None` = the
    /// host must not have the addresses while it is not well.
    pub weight: Option<i16>,
}

/// A program that tells by its exit code whether something is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedCommand {
    pub name: String,
    /// Program and arguments; never empty.
    pub command: Vec<String>,
    pub interval: Duration,
    pub timeout: Duration,
    /// So many successes in a row are well again.
    pub rise: u32,
    /// So many failures in a row are not well.
    pub fall: u32,
}

/// Who is told of changes, in order and one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Program and arguments; keepalived's arguments follow: `INSTANCE NAME MASTER|BACKUP|FAULT|STOP PRIORITY`.
    pub command: Option<Vec<String>>,
    /// Gets what Alertmanager's webhook sends.
    pub webhook: Option<String>,
    pub timeout: Duration,
}
