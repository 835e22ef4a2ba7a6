//! The protocol's own MAC address: a macvlan that has the virtual addresses of one member.
//!
//! It is there as long as the virtual router, and switched on only while that is Active; switched off, it answers no
//! ARP and takes no frame, whatever is left on it. It only receives, and answers ARP and neighbour solicitations:
//! advertisements leave from the interface itself with its own addresses, and so does what routes do not send through
//! the macvlan. Announcements leave from the interface too, with the virtual MAC address as their source.

use std::fs;
use std::io;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use lb_core::vrrp::{Family, Vrid};
use pnet_base::MacAddr;

use super::member::Member;
use super::netlink::{LINK_GROUP, Link, Table, Writer};
use super::thread::{Driver, Id};

/// The route to the addresses' subnet through the macvlan comes after that through the interface, even if the
/// interface's is lost and made anew: what this host sends of its own must not come from a virtual address.
const ROUTE_METRIC: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct VirtualMac {
    /// The interface that it is on.
    pub(super) parent: u32,
    pub(super) link: u32,
    pub(super) mac: MacAddr,
    /// The kernel has told of it: if it is not there any more, somebody deleted it.
    seen: bool,
}

impl VirtualMac {
    /// Makes the macvlan, switched off, on the interface of this index and name.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn new(
        writer: &Writer,
        parent: u32,
        parent_name: &str,
        family: Family,
        vrid: Vrid,
    ) -> io::Result<Self> {
        let (name, mac) = (name(family, vrid, parent), address(family, vrid));
        let link = writer
            .add_macvlan(parent, &name, mac)
            .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        for (path, wanted) in settings(family, parent_name, &name) {
            if let Err(error) = set(&path, &wanted) {
                tracing::warn!(path, wanted = wanted.start(), %error, "the virtual MAC address may not work: set it");
            }
        }
        Ok(Self { parent, link, mac, seen: false })
    }

    /// Switches it on, with these addresses.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn install(&self, writer: &Writer, addresses: &[IpNet]) -> io::Result<()> {
        writer.switch_on(self.link)?;
        addresses.iter().try_for_each(|address| writer.add_with_metric(self.link, *address, ROUTE_METRIC))
    }

    /// Whether it is there and switched on, as far as the kernel has told.
    pub(super) fn is_on(&self, table: &Table) -> bool {
        table.link_by_index(self.link).is_some_and(|link| link.switched_on)
    }

    /// Whether somebody deleted it.
    pub(super) fn is_gone(&mut self, table: &Table) -> bool {
        let there = table.link_by_index(self.link).is_some();
        self.seen |= there;
        self.seen && !there
    }
}

impl Member {
    /// Index of the link that has the addresses, or is to have them.
    pub(super) fn address_link(&self) -> Option<u32> {
        let place = self.place.as_ref()?;
        Some(self.virtual_mac.as_ref().map_or(place.link, |virtual_mac| virtual_mac.link))
    }

    /// What the addresses are announced with.
    pub(super) fn address_mac(&self) -> Option<MacAddr> {
        let place = self.place.as_ref()?;
        Some(self.virtual_mac.as_ref().map_or(place.mac, |virtual_mac| virtual_mac.mac))
    }
}

impl Driver {
    /// Makes sure that a member that is to have one has one, on this interface.
    ///
    /// # Errors
    /// What the kernel says.
    pub(super) fn provide_virtual_mac(&mut self, id: Id, parent: u32) -> io::Result<()> {
        let Some(router) = self.routers.get_mut(id.router) else { return Ok(()) };
        let Some(member) = router.members.get_mut(id.member) else { return Ok(()) };
        if !router.settings.virtual_mac {
            return Ok(());
        }
        let table = self.monitor.table();
        // one of another interface went with that
        member.virtual_mac.take_if(|existing| existing.parent != parent || existing.is_gone(table));
        if member.virtual_mac.is_none() {
            let (interface, vrid) = (&router.settings.interface, router.settings.vrid);
            let virtual_mac = VirtualMac::new(&self.writer, parent, interface, member.family, vrid)?;
            member.virtual_mac = Some(virtual_mac);
        }
        Ok(())
    }

    /// The member is not to be Active again.
    pub(super) fn discard_virtual_mac(&mut self, id: Id) {
        let Some(virtual_mac) = self.member(id).and_then(|member| member.virtual_mac.take()) else { return };
        if let Err(error) = self.writer.delete_link(virtual_mac.link) {
            tracing::error!(%error, "the macvlan of a virtual MAC address cannot be deleted");
        }
    }

    /// Of an earlier life.
    pub(super) fn delete_leftover_links(&self) {
        for link in self.monitor.table().links().filter(|link| is_ours(link)) {
            match self.writer.delete_link(link.index) {
                Ok(()) => {
                    tracing::warn!(link = link.name, "a macvlan that an earlier run left behind is deleted")
                }
                Err(error) => {
                    tracing::error!(link = link.name, %error, "a macvlan of an earlier run cannot be deleted");
                }
            }
        }
    }
}

/// RFC 9568 7.3.
fn address(family: Family, vrid: Vrid) -> MacAddr {
    let family = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    MacAddr(0, 0, 0x5e, 0, family, vrid.get())
}

/// `vrrp.51.2`: VRID 51 on the link with the index 2, for a VRID is one router's on one interface only.
fn name(family: Family, vrid: Vrid, parent: u32) -> String {
    match family {
        Family::V4 => format!("vrrp.{}.{parent}", vrid.get()),
        Family::V6 => format!("vrrp6.{}.{parent}", vrid.get()),
    }
}

fn is_ours(link: &Link) -> bool {
    let has_virtual_mac = link.mac.is_some_and(|mac| mac.octets().starts_with(&[0, 0, 0x5e, 0]));
    link.group == LINK_GROUP && has_virtual_mac && link.name.starts_with("vrrp")
}

type Setting = (String, RangeInclusive<i32>);

/// What the kernel must be told in /proc/sys/net, and what it may be.
fn settings(family: Family, parent: &str, macvlan: &str) -> Vec<Setting> {
    let v4 = |link: &str, name, wanted| (format!("ipv4/conf/{link}/{name}"), wanted);
    let v6 = |name, wanted| (format!("ipv6/conf/{macvlan}/{name}"), wanted);
    // each link answers for its own addresses only
    let mut settings = vec![v4(parent, "arp_ignore", 1..=8), v4(macvlan, "arp_ignore", 1..=8)];
    settings.extend(match family {
        Family::V4 => vec![
            // and asks with no address of another's
            v4(parent, "arp_announce", 2..=2),
            // the way back is through the interface; 0 would not count where `all` has 1
            v4(macvlan, "rp_filter", 2..=2),
            // the first address goes alone
            v4(macvlan, "promote_secondaries", 1..=1),
            v6("disable_ipv6", 1..=1),
        ],
        // no address nor default route from a router's advertisement
        Family::V6 => vec![v6("accept_ra", 0..=0)],
    });
    settings
}

/// To the nearest value that is wanted. Fine if there is no such setting, as where there is no IPv6.
fn set(path: &str, wanted: &RangeInclusive<i32>) -> io::Result<()> {
    let path = format!("/proc/sys/net/{path}");
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let current: i32 = text.trim().parse().map_err(io::Error::other)?;
    if wanted.contains(&current) {
        return Ok(());
    }
    fs::write(&path, current.clamp(*wanted.start(), *wanted.end()).to_string())
}

#[cfg(test)]
mod tests;
