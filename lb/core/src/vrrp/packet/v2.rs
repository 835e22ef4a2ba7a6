//! Version 2 (RFC 3768), IPv4 only.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-------+-------+---------------+---------------+---------------+
//! | ver 2 | type 1|     VRID      |   priority    |     count     |
//! +-------+-------+---------------+---------------+---------------+
//! |   auth type   |  interval (s) |           checksum            |
//! +---------------+---------------+-------------------------------+
//! |                      IPv4 address x count                     |
//! +---------------------------------------------------------------+
//! |              authentication data, always 8 bytes              |
//! |                                                               |
//! +---------------------------------------------------------------+
//! ```
//! The checksum covers all of it, the authentication data too, and no pseudo header.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::{ADVERTISEMENT, Advert, Datagram, EncodeError, HEADER_LEN, Received, Rejected, checksum, cut};
use crate::vrrp::{Addresses, AdvertInterval, Family, Priority, Version, Vrid};

const ADDRESS_LEN: usize = 4;
const AUTH_LEN: usize = 8;

const AUTH_NONE: u8 = 0;
const AUTH_PASSWORD: u8 = 1;

/// What both sides must agree on; it protects from mistakes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthV2 {
    #[default]
    None,
    /// Type 1 of RFC 2338: the password stands in every packet for all to read.
    Password(Password),
}

/// Up to 8 bytes, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password([u8; AUTH_LEN]);

impl Password {
    /// `None` when it is longer than 8 bytes.
    pub fn new(password: &[u8]) -> Option<Self> {
        let mut bytes = [0; AUTH_LEN];
        bytes.get_mut(..password.len())?.copy_from_slice(password);
        Some(Self(bytes))
    }

    /// As on the wire.
    pub fn bytes(self) -> [u8; AUTH_LEN] {
        self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

pub(super) fn decode<'a>(
    datagram: &Datagram<'a>,
    header: &[u8; HEADER_LEN],
    auth: &AuthV2,
) -> Result<Received<'a>, Rejected> {
    if datagram.endpoints.family() != Family::V4 {
        return Err(Rejected::Family);
    }
    let [_, vrid, priority, count, auth_type, seconds, ..] = *header;
    let addresses_end = HEADER_LEN + ADDRESS_LEN * usize::from(count);
    let (message, trailer) = cut(datagram, addresses_end + AUTH_LEN)?;
    if checksum::checksum(&[message]) != 0 {
        return Err(Rejected::Checksum);
    }
    let vrid = Vrid::try_from(vrid).map_err(|_| Rejected::Vrid(vrid))?;
    auth.check(auth_type, &message[addresses_end..])?;
    let interval = AdvertInterval::new(Version::V2, Duration::from_secs(seconds.into()))
        .map_err(|_| Rejected::Interval(seconds.into()))?;
    let (addresses, _) = message[HEADER_LEN..addresses_end].as_chunks::<ADDRESS_LEN>();
    let addresses = addresses.iter().map(|&octets| IpAddr::from(octets)).collect();
    let addresses = Addresses::new(addresses).map_err(|_| Rejected::Count)?;
    let advert = Advert { vrid, priority: Priority::from_wire(priority), interval, addresses };
    Ok(Received { advert, checksum: None, message, trailer })
}

pub(super) fn encode(advert: &Advert, auth: AuthV2) -> Result<Vec<u8>, EncodeError> {
    if advert.addresses.family() != Family::V4 {
        return Err(EncodeError::Family);
    }
    AdvertInterval::new(Version::V2, advert.interval.get())
        .map_err(|_| EncodeError::Interval(advert.interval))?;
    let seconds = advert.interval.get().as_secs() as u8;
    let (auth_type, auth_data) = match auth {
        AuthV2::None => (AUTH_NONE, [0; AUTH_LEN]),
        AuthV2::Password(Password(bytes)) => (AUTH_PASSWORD, bytes),
    };
    let mut message = vec![
        2 << 4 | ADVERTISEMENT,
        advert.vrid.get(),
        advert.priority.map_or(0, Priority::get),
        advert.addresses.count(),
        auth_type,
        seconds,
        0,
        0,
    ];
    for address in advert.addresses.as_slice() {
        if let IpAddr::V4(address) = address {
            message.extend(Ipv4Addr::octets(address));
        }
    }
    message.extend(auth_data);
    checksum::write(&[], &mut message);
    Ok(message)
}

impl AuthV2 {
    fn check(&self, auth_type: u8, data: &[u8]) -> Result<(), Rejected> {
        match (self, auth_type) {
            // RFC 3768 5.3.10: its data is ignored.
            (Self::None, AUTH_NONE) => Ok(()),
            (Self::Password(Password(ours)), AUTH_PASSWORD) if data == ours => Ok(()),
            (Self::Password(_), AUTH_PASSWORD) => Err(Rejected::Password),
            (Self::None | Self::Password(_), other) => Err(Rejected::AuthType(other)),
        }
    }
}
