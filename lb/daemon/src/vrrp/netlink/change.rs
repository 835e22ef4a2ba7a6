//! One message of the kernel's about a link or an address, read for what we need of it.
//!
//! `netlink-packet-route` would read everything, and refuse a message for one attribute that a newer kernel or an
//! unusual driver writes otherwise.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{NetlinkBuffer, NlaBuffer, NlasIterator};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressFlags, AddressHeader};
use netlink_packet_route::link::{LinkFlags, LinkHeader, LinkLayerType};
use nix::libc::{
    IFA_ADDRESS, IFA_LOCAL, IFLA_ADDRESS, IFLA_GROUP, IFLA_IFNAME, RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR,
    RTM_NEWLINK,
};
use pnet_base::MacAddr;

use super::ADDRESS_PROTOCOL;
use super::table::{Address, Link};

const IFA_FLAGS: u16 = 8;
const IFA_PROTO: u16 = 11;

const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is new, or as new.
    Link(Link),
    LinkGone(u32),
    Address(Address),
    AddressGone {
        link: u32,
        address: IpNet,
    },
}

impl Change {
    /// `None` for what is not about a link or an address of the Internet, or not whole.
    pub(super) fn parse(message: &NetlinkBuffer<&[u8]>) -> Option<Self> {
        let payload = message.payload();
        match message.message_type() {
            RTM_NEWLINK => link(payload).map(Self::Link),
            RTM_DELLINK => link_header(payload).map(|header| Self::LinkGone(header.index)),
            RTM_NEWADDR => address(payload).map(Self::Address),
            RTM_DELADDR => {
                address(payload).map(|gone| Self::AddressGone { link: gone.link, address: gone.address })
            }
            _ => None,
        }
    }
}

/// A bridge tells in the same words of the links that join and leave it.
fn link_header(payload: &[u8]) -> Option<LinkHeader> {
    LinkHeader::parse(payload).ok().filter(|header| header.interface_family == AddressFamily::Unspec)
}

fn link(payload: &[u8]) -> Option<Link> {
    /// RFC 2863's operational status, and nothing less: a link that waits for 802.1X carries no packet of ours.
    const UP: LinkFlags = LinkFlags::Up.union(LinkFlags::LowerUp).union(LinkFlags::Running);
    let header = link_header(payload)?;
    let mut name = None;
    let mut mac = None;
    let mut group = 0;
    for attribute in attributes(payload, LINK_HEADER)? {
        match attribute.kind() {
            IFLA_IFNAME => name = Some(text(attribute.value())),
            IFLA_GROUP => group = attribute.value().try_into().map_or(0, u32::from_ne_bytes),
            IFLA_ADDRESS => mac = <[u8; 6]>::try_from(attribute.value()).ok().map(MacAddr::from),
            _ => {}
        }
    }
    Some(Link {
        index: header.index,
        // Without one, it is about something like a scan for wireless networks.
        name: name?,
        switched_on: header.flags.contains(LinkFlags::Up),
        up: header.flags.contains(UP),
        group,
        mac: mac.filter(|_| header.link_layer_type == LinkLayerType::Ether),
    })
}

fn address(payload: &[u8]) -> Option<Address> {
    let header = AddressHeader::parse(payload).ok()?;
    let mut flags = AddressFlags::from_bits_retain(u32::from(header.flags.bits()));
    let (mut local, mut address, mut ours) = (None, None, false);
    for attribute in attributes(payload, ADDRESS_HEADER)? {
        match attribute.kind() {
            IFA_LOCAL => local = ip(attribute.value()),
            IFA_ADDRESS => address = ip(attribute.value()),
            IFA_PROTO => ours = attribute.value() == [ADDRESS_PROTOCOL],
            IFA_FLAGS => {
                let bits = attribute.value().try_into().ok()?;
                flags = AddressFlags::from_bits_retain(u32::from_ne_bytes(bits));
            }
            _ => {}
        }
    }
    // With both, the other is the peer's.
    let address = IpNet::new(local.or(address)?, header.prefix_len).ok()?;
    Some(Address { link: header.index, address, ours, flags })
}

fn attributes(payload: &[u8], header: usize) -> Option<impl Iterator<Item = NlaBuffer<&[u8]>>> {
    Some(NlasIterator::new(payload.get(header..)?).map_while(Result::ok))
}

fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(value).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(value).map(IpAddr::from);
    v4().or_else(|_| v6()).ok()
}
