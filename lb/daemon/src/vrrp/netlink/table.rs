//! What links and addresses there are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use netlink_packet_route::address::AddressFlags;
use pnet_base::MacAddr;

use super::change::Change;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Another when a link of this name is made anew.
    pub index: u32,
    pub name: String,
    /// By an operator, or a program.
    pub switched_on: bool,
    /// Switched on, and able to carry packets.
    pub up: bool,
    pub group: u32,
    /// Of an Ethernet.
    pub mac: Option<MacAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Index of the link that has it.
    pub link: u32,
    pub address: IpNet,
    /// Put there by us, now or in an earlier life: see [`ADDRESS_PROTOCOL`](super::ADDRESS_PROTOCOL).
    pub ours: bool,
    pub(super) flags: AddressFlags,
}

impl Address {
    /// IPv6: not usable yet, or never: nobody knows whether another host has it.
    pub fn tentative(&self) -> bool {
        self.flags.contains(AddressFlags::Tentative)
    }

    /// IPv6: another host has it, so this one does not use it.
    pub fn duplicate(&self) -> bool {
        self.flags.contains(AddressFlags::Dadfailed)
    }

    /// IPv4: not the first of its subnet. IPv6: temporary.
    pub fn secondary(&self) -> bool {
        self.flags.contains(AddressFlags::Secondary)
    }
}

/// The links and addresses of a network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    links: BTreeMap<u32, Link>,
    /// In the kernel's order, as far as it can be known.
    addresses: Vec<Address>,
}

impl Table {
    /// Whether that changed anything.
    pub(super) fn apply(&mut self, change: Change) -> bool {
        match change {
            Change::Link(link) => {
                let known = self.links.insert(link.index, link.clone());
                known.is_none_or(|known| known != link)
            }
            Change::LinkGone(index) => {
                self.addresses.retain(|address| address.link != index);
                self.links.remove(&index).is_some()
            }
            Change::Address(new) => match self.position(new.link, new.address) {
                None => {
                    self.addresses.push(new);
                    true
                }
                Some(position) => {
                    let known = &mut self.addresses[position];
                    let changed = *known != new;
                    *known = new;
                    changed
                }
            },
            Change::AddressGone { link, address } => {
                let position = self.position(link, address);
                position.map(|position| self.addresses.remove(position)).is_some()
            }
        }
    }

    fn position(&self, link: u32, address: IpNet) -> Option<usize> {
        self.addresses.iter().position(|known| known.link == link && known.address == address)
    }

    /// The link that has this name now.
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.values().find(|link| link.name == name)
    }

    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    pub fn link_by_index(&self, index: u32) -> Option<&Link> {
        self.links.get(&index)
    }

    /// Those of the link with this index.
    pub fn addresses(&self, index: u32) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |address| address.link == index)
    }

    /// Whether the link with this index has exactly this.
    pub fn holds(&self, index: u32, address: IpNet) -> bool {
        self.addresses(index).any(|known| known.address == address)
    }

    /// Every form in which the link with this index has `address`: with one prefix length or another.
    pub fn forms(&self, index: u32, address: IpAddr) -> impl Iterator<Item = &Address> {
        self.addresses(index).filter(move |known| known.address.addr() == address)
    }

    /// Whether the link with this index has `address`, with whatever prefix and flags.
    pub fn has(&self, index: u32, address: IpAddr) -> bool {
        self.addresses(index).any(|known| known.address.addr() == address)
    }

    /// On any link.
    pub fn ours(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(|address| address.ours)
    }

    /// The link's own IPv4 address: the first that is neither ours nor `excluding`; a secondary one only for want of a
    /// primary one.
    pub fn primary_v4(&self, index: u32, excluding: &[IpAddr]) -> Option<Ipv4Addr> {
        let v4 = |address: &Address| match address.address {
            IpNet::V4(net) => Some(net.addr()),
            IpNet::V6(_) => None,
        };
        let primary = self.own(index, excluding).filter(|address| !address.secondary()).find_map(v4);
        primary.or_else(|| self.own(index, excluding).find_map(v4))
    }

    /// The link's own link-local IPv6 address: the first usable one that is neither ours nor `excluding`.
    pub fn link_local(&self, index: u32, excluding: &[IpAddr]) -> Option<Ipv6Addr> {
        self.own(index, excluding).filter(|address| !address.tentative() && !address.duplicate()).find_map(
            |address| match address.address {
                IpNet::V6(net) => Some(net.addr()).filter(Ipv6Addr::is_unicast_link_local),
                IpNet::V4(_) => None,
            },
        )
    }

    fn own<'a>(&'a self, index: u32, excluding: &'a [IpAddr]) -> impl Iterator<Item = &'a Address> {
        self.addresses(index)
            .filter(move |address| !address.ours && !excluding.contains(&address.address.addr()))
    }
}

#[cfg(test)]
mod tests;
