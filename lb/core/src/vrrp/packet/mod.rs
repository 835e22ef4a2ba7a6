//! Advertisements on the wire: IP protocol 112, both versions, both families.
//!
//! A received packet goes through every check that an RFC demands before a field of it is believed; which one
//! it failed is told, and none of them panics. What may differ between routers without harm (the interval in
//! v3, the list of addresses) is left to the [machine](super::Machine).

pub mod auth;
mod checksum;
mod rejected;
mod v2;
mod v3;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use self::checksum::ChecksumForm;
pub use self::rejected::Rejected;
pub use self::v2::{AuthV2, Password};
use super::{Addresses, AdvertInterval, Endpoints, Family, Priority, Version, Vrid};

/// The IP protocol number.
pub const PROTOCOL: u8 = 112;
/// The TTL or hop limit that proves that a packet has crossed no router.
pub const TTL: u8 = 255;

/// Common to both versions, up to the addresses.
const HEADER_LEN: usize = 8;
/// The only type there is.
const ADVERTISEMENT: u8 = 1;
/// The header of an IPv4 packet without options.
const IPV4_HEADER_LEN: usize = 20;
/// The least that an Ethernet frame carries; shorter packets are padded.
const ETHERNET_LEAST: usize = 46;
const VLAN_TAG_LEN: usize = 4;

/// What an advertisement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    pub vrid: Vrid,
    /// `None`: priority 0, the sender lets go.
    pub priority: Option<Priority>,
    pub interval: AdvertInterval,
    pub addresses: Addresses,
}

/// A packet as the socket gave it.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    pub endpoints: Endpoints,
    /// TTL or hop limit.
    pub ttl: u8,
    /// What follows the IP header.
    pub payload: &'a [u8],
}

/// What a virtual router accepts.
#[derive(Clone, Debug)]
pub struct Expected {
    pub version: Version,
    pub vrid: Vrid,
    /// Ours; v2 refuses another.
    pub interval: AdvertInterval,
    /// [`TTL`]; less only for unicast peers behind a router.
    pub least_ttl: u8,
    /// Whether the first IPv6 address must be a link-local one, as RFC 9568 says and keepalived does not.
    pub link_local_first: bool,
    /// Of v2.
    pub auth: AuthV2,
}

/// A packet that passed every check but that of its [trailer](auth).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    pub advert: Advert,
    /// Which of two was seen; `None` where there is only one.
    pub checksum: Option<ChecksumForm>,
    /// The advertisement itself, without what follows.
    pub message: &'a [u8],
    /// What may authenticate it.
    pub trailer: Option<&'a [u8; auth::TRAILER_LEN]>,
}

/// How to put an advertisement on the wire.
#[derive(Clone, Copy, Debug)]
pub enum Encoding {
    V2 {
        auth: AuthV2,
    },
    V3 {
        endpoints: Endpoints,
        /// Over IPv4; IPv6 has one form.
        checksum: ChecksumForm,
    },
}

/// Why an advertisement cannot be put on the wire so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    #[error("the addresses are not of the packet's family")]
    Family,
    #[error("this version cannot say the interval {0:?}")]
    Interval(AdvertInterval),
}

/// Which virtual router a packet is for, before anything is checked: one socket serves many.
pub fn vrid(payload: &[u8]) -> Option<Vrid> {
    payload.get(1).and_then(|&number| Vrid::try_from(number).ok())
}

/// # Errors
/// The first check that the packet fails.
pub fn decode<'a>(datagram: &Datagram<'a>, expected: &Expected) -> Result<Received<'a>, Rejected> {
    let payload = datagram.payload;
    // RFC 9568 7.1, and RFC 3768 7.1, in their order.
    if datagram.ttl < expected.least_ttl {
        return Err(Rejected::Ttl(datagram.ttl));
    }
    let Some(&header) = payload.first_chunk::<HEADER_LEN>() else {
        return Err(Rejected::Length(payload.len()));
    };
    let [version_and_type, vrid, _, count, ..] = header;
    let wanted = match expected.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    if version_and_type >> 4 != wanted {
        return Err(Rejected::Version(version_and_type >> 4));
    }
    if version_and_type & 0x0f != ADVERTISEMENT {
        return Err(Rejected::Type(version_and_type & 0x0f));
    }
    if count == 0 {
        return Err(Rejected::Count);
    }
    let received = match expected.version {
        Version::V2 => v2::decode(datagram, &header, &expected.auth)?,
        Version::V3 => v3::decode(datagram, &header)?,
    };
    if received.advert.vrid != expected.vrid {
        return Err(Rejected::Vrid(vrid));
    }
    if expected.version == Version::V2 && received.advert.interval != expected.interval {
        return Err(Rejected::Interval(header[5].into()));
    }
    if expected.link_local_first && !received.advert.addresses.starts_link_local() {
        return Err(Rejected::FirstAddress);
    }
    Ok(received)
}

/// # Errors
/// The version or the packet's family cannot say it.
pub fn encode(advert: &Advert, encoding: Encoding) -> Result<Vec<u8>, EncodeError> {
    match encoding {
        Encoding::V2 { auth } => v2::encode(advert, auth),
        Encoding::V3 { endpoints, checksum } => v3::encode(advert, endpoints, checksum),
    }
}

/// Writes the checksum of a whole VRRPv3 packet over IPv6, which covers a trailer as well. A kernel that was
/// asked to (`IPV6_CHECKSUM`) does the same.
pub fn seal_ipv6(packet: &mut [u8], endpoints: Endpoints) {
    debug_assert_eq!(endpoints.family(), Family::V6);
    let before = checksum::pseudo_header(endpoints, packet.len());
    checksum::write(&before, packet);
}

/// Cuts a message of `len` bytes off its payload. What follows it is a trailer, or the padding of a short
/// Ethernet frame, or wrong.
fn cut<'a>(
    datagram: &Datagram<'a>,
    len: usize,
) -> Result<(&'a [u8], Option<&'a [u8; auth::TRAILER_LEN]>), Rejected> {
    let payload = datagram.payload;
    let Some((message, rest)) = payload.split_at_checked(len) else {
        return Err(Rejected::Length(payload.len()));
    };
    // Padding cannot be as long as a trailer: 46 - 20 - 12 is less than 28.
    match rest.as_array() {
        Some(trailer) => Ok((message, Some(trailer))),
        None if rest.is_empty() || is_padded(datagram) => Ok((message, None)),
        None => Err(Rejected::Length(payload.len())),
    }
}

/// Whether the packet is as long as an Ethernet frame has to be, less the VLAN tags that were taken off it.
fn is_padded(datagram: &Datagram<'_>) -> bool {
    match datagram.endpoints.family() {
        Family::V4 => {
            let len = IPV4_HEADER_LEN + datagram.payload.len();
            len <= ETHERNET_LEAST && len % VLAN_TAG_LEN == ETHERNET_LEAST % VLAN_TAG_LEN
        }
        // Its header alone leaves no room for padding.
        Family::V6 => false,
    }
}
