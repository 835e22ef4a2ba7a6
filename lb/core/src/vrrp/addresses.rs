//! The addresses of a virtual router, and the two ends of a packet: never two families at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

use super::values::Family;

/// What an advertisement can carry: 1 to 255 addresses of one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(Vec<IpAddr>);

/// Why addresses cannot be advertised together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressesError {
    #[error("an advertisement carries 1 to 255 addresses, not {0}")]
    Count(usize),
    #[error("an advertisement carries IPv4 or IPv6 addresses, not both")]
    Families,
}

impl Addresses {
    /// # Errors
    /// None, more than 255, or of both families.
    pub fn new(addresses: Vec<IpAddr>) -> Result<Self, AddressesError> {
        let count = addresses.len();
        let Some(first) = addresses.first() else {
            return Err(AddressesError::Count(count));
        };
        if count > 255 {
            return Err(AddressesError::Count(count));
        }
        if addresses.iter().any(|address| address.is_ipv4() != first.is_ipv4()) {
            return Err(AddressesError::Families);
        }
        Ok(Self(addresses))
    }

    pub fn family(&self) -> Family {
        if self.0[0].is_ipv4() { Family::V4 } else { Family::V6 }
    }

    pub fn as_slice(&self) -> &[IpAddr] {
        &self.0
    }

    /// As the wire counts them.
    pub fn count(&self) -> u8 {
        self.0.len() as u8
    }

    /// Whether both are of the same addresses, in whatever order.
    pub fn same_set(&self, other: &Self) -> bool {
        let sorted = |addresses: &Self| {
            let mut list = addresses.0.clone();
            list.sort_unstable();
            list.dedup();
            list
        };
        self == other || sorted(self) == sorted(other)
    }

    /// RFC 9568 5.2.9 (erratum 8300): the first IPv6 address is a link-local one. IPv4 has no such rule.
    pub fn starts_link_local(&self) -> bool {
        match self.0[0] {
            IpAddr::V4(_) => true,
            IpAddr::V6(first) => first.is_unicast_link_local(),
        }
    }
}

/// Source and destination of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoints {
    V4 { source: Ipv4Addr, destination: Ipv4Addr },
    V6 { source: Ipv6Addr, destination: Ipv6Addr },
}

impl Endpoints {
    /// `None` for two families.
    pub fn new(source: IpAddr, destination: IpAddr) -> Option<Self> {
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Some(Self::V4 { source, destination }),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Some(Self::V6 { source, destination }),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
        }
    }

    pub fn source(&self) -> IpAddr {
        match *self {
            Self::V4 { source, .. } => source.into(),
            Self::V6 { source, .. } => source.into(),
        }
    }

    pub fn family(&self) -> Family {
        match self {
            Self::V4 { .. } => Family::V4,
            Self::V6 { .. } => Family::V6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(addresses: &[&str]) -> Vec<IpAddr> {
        addresses.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn one_to_255_of_one_family() {
        let four = |count| vec![IpAddr::from([192, 0, 2, 1]); count];
        assert_eq!(Addresses::new(four(0)), Err(AddressesError::Count(0)));
        assert_eq!(Addresses::new(four(255)).unwrap().count(), 255);
        assert_eq!(Addresses::new(four(256)), Err(AddressesError::Count(256)));
        assert_eq!(Addresses::new(list(&["192.0.2.1", "fe80::1"])), Err(AddressesError::Families));
    }

    #[test]
    fn order_and_repetition_make_no_other_set() {
        let set = |addresses: &[&str]| Addresses::new(list(addresses)).unwrap();
        let one = set(&["192.0.2.1", "192.0.2.2"]);
        assert!(one.same_set(&set(&["192.0.2.2", "192.0.2.1"])));
        assert!(one.same_set(&set(&["192.0.2.2", "192.0.2.1", "192.0.2.1"])));
        assert!(!one.same_set(&set(&["192.0.2.1"])));
        assert!(!one.same_set(&set(&["192.0.2.1", "192.0.2.3"])));
    }
}
