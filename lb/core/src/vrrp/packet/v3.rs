//! Version 3 (RFC 9568), IPv4 and IPv6.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------+-------+---------------+---------------+---------------+
//! | ver 3 | type 1|     VRID      |   priority    |     count     |
//! +-------+-------+---------------+---------------+---------------+
//! | resvd |     interval (cs)     |           checksum            |
//! +-------+-----------------------+-------------------------------+
//! |                  IPv4 or IPv6 address x count                 |
//! +---------------------------------------------------------------+
//! ```
//! Over IPv4 the checksum covers the message, with or without a pseudo header; over IPv6 all that the packet
//! carries, and always with one.

use std::net::IpAddr;
use std::time::Duration;

use super::{
    ADVERTISEMENT, Advert, ChecksumForm, Datagram, EncodeError, HEADER_LEN, Received, Rejected, checksum,
    cut, seal_ipv6,
};
use crate::vrrp::{Addresses, AdvertInterval, Endpoints, Family, Priority, Version, Vrid};

/// Before it come four reserved bits.
const INTERVAL_MASK: u16 = 0x0fff;

const V4_LEN: usize = 4;
const V6_LEN: usize = 16;

pub(super) fn decode<'a>(
    datagram: &Datagram<'a>,
    header: &[u8; HEADER_LEN],
) -> Result<Received<'a>, Rejected> {
    let [_, vrid, priority, count, interval_high, interval_low, ..] = *header;
    let address_len = match datagram.endpoints.family() {
        Family::V4 => V4_LEN,
        Family::V6 => V6_LEN,
    };
    let (message, trailer) = cut(datagram, HEADER_LEN + address_len * usize::from(count))?;
    let checksum = check(datagram, message)?;
    let vrid = Vrid::try_from(vrid).map_err(|_| Rejected::Vrid(vrid))?;
    let centis = u16::from_be_bytes([interval_high, interval_low]) & INTERVAL_MASK;
    let interval = AdvertInterval::new(Version::V3, Duration::from_millis(u64::from(centis) * 10))
        .map_err(|_| Rejected::Interval(centis))?;
    let addresses = Addresses::new(addresses(datagram.endpoints.family(), &message[HEADER_LEN..]))
        .map_err(|_| Rejected::Count)?;
    let advert = Advert { vrid, priority: Priority::from_wire(priority), interval, addresses };
    Ok(Received { advert, checksum, message, trailer })
}

pub(super) fn encode(
    advert: &Advert,
    endpoints: Endpoints,
    form: ChecksumForm,
) -> Result<Vec<u8>, EncodeError> {
    if advert.addresses.family() != endpoints.family() {
        return Err(EncodeError::Family);
    }
    AdvertInterval::new(Version::V3, advert.interval.get())
        .map_err(|_| EncodeError::Interval(advert.interval))?;
    let [interval_high, interval_low] = ((advert.interval.get().as_millis() / 10) as u16).to_be_bytes();
    let mut message = vec![
        3 << 4 | ADVERTISEMENT,
        advert.vrid.get(),
        advert.priority.map_or(0, Priority::get),
        advert.addresses.count(),
        interval_high,
        interval_low,
        0,
        0,
    ];
    for address in advert.addresses.as_slice() {
        match address {
            IpAddr::V4(address) => message.extend(address.octets()),
            IpAddr::V6(address) => message.extend(address.octets()),
        }
    }
    match (endpoints.family(), form) {
        (Family::V6, _) => seal_ipv6(&mut message, endpoints),
        (Family::V4, ChecksumForm::MessageOnly) => checksum::write(&[], &mut message),
        (Family::V4, ChecksumForm::PseudoHeader) => {
            checksum::write(&checksum::pseudo_header(endpoints, message.len()), &mut message);
        }
    }
    Ok(message)
}

/// Which form of checksum is right; `None` over IPv6, where there is one.
fn check(datagram: &Datagram<'_>, message: &[u8]) -> Result<Option<ChecksumForm>, Rejected> {
    let with_pseudo_header = |covered: &[u8]| {
        let before = checksum::pseudo_header(datagram.endpoints, covered.len());
        checksum::checksum(&[&before, covered]) == 0
    };
    match datagram.endpoints.family() {
        Family::V6 if with_pseudo_header(datagram.payload) => Ok(None),
        Family::V4 if with_pseudo_header(message) => Ok(Some(ChecksumForm::PseudoHeader)),
        Family::V4 if checksum::checksum(&[message]) == 0 => Ok(Some(ChecksumForm::MessageOnly)),
        Family::V4 | Family::V6 => Err(Rejected::Checksum),
    }
}

fn addresses(family: Family, bytes: &[u8]) -> Vec<IpAddr> {
    match family {
        Family::V4 => bytes.as_chunks::<V4_LEN>().0.iter().map(|&octets| octets.into()).collect(),
        Family::V6 => bytes.as_chunks::<V6_LEN>().0.iter().map(|&octets| octets.into()).collect(),
    }
}
