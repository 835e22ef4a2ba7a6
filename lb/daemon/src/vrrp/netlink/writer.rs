//! Changes to this host's addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{
    AddressAttribute, AddressHeaderFlags, AddressMessage, AddressProtocol, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;

use super::ADDRESS_PROTOCOL;
use super::connection::Connection;

/// Adds and removes addresses of the network namespace in which it was opened. Needs CAP_NET_ADMIN.
#[derive(Debug)]
pub struct Writer(pub(super) Connection);

impl Writer {
    /// # Errors
    /// What the operating system says.
    pub fn open() -> io::Result<Self> {
        Connection::open().map(Self)
    }

    /// Whether this process may change addresses.
    ///
    /// # Errors
    /// [`io::ErrorKind::PermissionDenied`] without CAP_NET_ADMIN, or what else the kernel says.
    pub fn check_permission(&self) -> io::Result<()> {
        // It asks for the right before it looks for the link, which does not exist.
        const NO_LINK: u32 = 0;
        self.remove(NO_LINK, IpAddr::V4(Ipv4Addr::UNSPECIFIED).into()).map(drop)
    }

    /// Puts `address` on the link with this index, usable at once. Fine if it is there, whoever put it there. A
    /// [`Monitor`](super::Monitor) may hear of an IPv6 address a little later.
    ///
    /// # Errors
    /// What the kernel says; [`io::ErrorKind::TimedOut`] after two seconds without an answer.
    pub fn add(&self, link: u32, address: IpNet) -> io::Result<()> {
        self.add_message(message(link, address), address)
    }

    /// As [`add`](Self::add); the route to the address's subnet gets this metric.
    ///
    /// # Errors
    /// As for [`add`](Self::add).
    pub fn add_with_metric(&self, link: u32, address: IpNet, metric: u32) -> io::Result<()> {
        let mut message = message(link, address);
        message.attributes.push(AddressAttribute::RoutePriority(metric));
        self.add_message(message, address)
    }

    fn add_message(&self, mut message: AddressMessage, address: IpNet) -> io::Result<()> {
        message.attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(ADDRESS_PROTOCOL)));
        if let IpNet::V6(_) = address {
            // The election has settled who has it; detecting duplicates would take a second, or the address.
            message.header.flags = AddressHeaderFlags::Nodad;
            message.attributes.push(AddressAttribute::CacheInfo(deprecated()));
        }
        match self.0.tell(&RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL) {
            Err(error) if is(&error, &[Errno::EEXIST]) => Ok(()),
            other => other,
        }
    }

    /// Takes `address` off the link with this index, whoever put it there. `false` if it was not there, or the link
    /// is gone. With the first IPv4 address of a subnet the kernel takes the others too, unless its `promote_secondaries`
    /// is set.
    ///
    /// # Errors
    /// As for [`add`](Self::add).
    pub fn remove(&self, link: u32, address: IpNet) -> io::Result<bool> {
        // The last three: no IPv6 on the link, or in the kernel.
        const ABSENT: [Errno; 5] =
            [Errno::EADDRNOTAVAIL, Errno::ENODEV, Errno::ENXIO, Errno::EAFNOSUPPORT, Errno::EOPNOTSUPP];
        match self.0.tell(&RouteNetlinkMessage::DelAddress(message(link, address)), 0) {
            Ok(()) => Ok(true),
            Err(error) if is(&error, &ABSENT) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn message(link: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = match address {
        IpNet::V4(_) => AddressFamily::Inet,
        IpNet::V6(_) => AddressFamily::Inet6,
    };
    message.header.prefix_len = address.prefix_len();
    message.header.index = link;
    let host: IpAddr = address.addr();
    message.attributes = vec![AddressAttribute::Local(host), AddressAttribute::Address(host)];
    message
}

/// Stays, but is no source of connections that did not ask for it (RFC 6724, rule 3): those would break when it moves.
/// keepalived does so for /128 only; a /64 is as likely a source, being in the subnet of most peers. IPv4 needs nothing:
/// the host's own address is the subnet's primary.
fn deprecated() -> CacheInfo {
    let mut lifetimes = CacheInfo::default();
    lifetimes.ifa_preferred = 0;
    lifetimes.ifa_valid = u32::MAX;
    lifetimes
}

pub(super) fn is(error: &io::Error, errnos: &[Errno]) -> bool {
    error.raw_os_error().is_some_and(|raw| errnos.contains(&Errno::from_raw(raw)))
}

#[cfg(test)]
mod tests;
