//! Where members are on the network: links come and go, change their MAC address, lose and regain addresses.

use std::collections::btree_map::Entry;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use lb_core::vrrp::{Event, Family, Priority};
use pnet_base::MacAddr;

use super::adverts::{Receiver, Sender};
use super::member::{Member, Place};
use super::netlink::Table;
use super::news::{Kind, State};
use super::packet_socket::{PacketSocket, Protocol};
use super::router::Router;
use super::setup;
use super::thread::{Driver, Id};

/// What is open on one link.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) receivers: Vec<(Family, bool, Receiver)>,
    pub(super) arp: PacketSocket,
    pub(super) neighbours: PacketSocket,
}

impl Sockets {
    fn open(link: u32) -> io::Result<Self> {
        Ok(Self {
            receivers: Vec::new(),
            arp: PacketSocket::open(link, Protocol::Arp)?,
            neighbours: PacketSocket::open(link, Protocol::NeighborDiscovery)?,
        })
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.receivers
            .iter()
            .map(|(_, _, receiver)| receiver.as_fd())
            .chain([self.arp.as_fd(), self.neighbours.as_fd()])
    }
}

/// Where a member is to be.
struct Spot {
    link: u32,
    mac: MacAddr,
    source: IpAddr,
}

impl Driver {
    pub(super) fn read_links(&mut self, now: Instant) {
        match self.monitor.drain() {
            Ok(false) => {}
            Ok(true) => {
                self.refresh_links(now);
                self.judge_all(now);
            }
            Err(error) => tracing::warn!(%error, "the kernel's news of links cannot be read"),
        }
    }

    /// Addresses of an earlier life, whatever its configuration was.
    pub(super) fn remove_leftovers(&mut self) {
        self.delete_leftover_links();
        let ours: Vec<_> = self.monitor.table().ours().map(|found| (found.link, found.address)).collect();
        for (link, address) in ours {
            match self.writer.remove(link, address) {
                Ok(_) => tracing::warn!(%address, "an address that an earlier run left behind is removed"),
                Err(error) => {
                    tracing::error!(%address, %error, "an address of an earlier run cannot be removed")
                }
            }
        }
    }

    /// Brings every member to where its interface is now.
    pub(super) fn refresh_links(&mut self, now: Instant) {
        self.note_interfaces();
        for id in self.ids() {
            let Some(router) = self.routers.get(id.router) else { continue };
            let Some(member) = router.members.get(id.member) else { continue };
            match spot(self.monitor.table(), router, member) {
                Ok(spot) => self.settle(id, &spot, now),
                Err(why) => self.uproot(id, why, now),
            }
            self.reconcile(id, now);
        }
        self.close_unused();
    }

    /// A socket that could not be opened may be now: the kernel does not tell.
    pub(super) fn settle_homeless(&mut self, now: Instant) {
        if self.routers.iter().flat_map(|router| &router.members).any(|member| member.place.is_none()) {
            self.refresh_links(now);
        }
    }

    fn note_interfaces(&mut self) {
        let table = self.monitor.table();
        let tracked = self.routers.iter().flat_map(|router| &router.settings.track.interfaces);
        self.facts.interfaces = tracked
            .map(|tracked| (tracked.what.clone(), table.link(&tracked.what).is_some_and(|link| link.up)))
            .collect();
    }

    fn settle(&mut self, id: Id, spot: &Spot, now: Instant) {
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let Some(member) = router.members.get_mut(id.member) else { return };
        let table = self.monitor.table();
        let macvlan_gone = member.virtual_mac.as_mut().is_some_and(|virtual_mac| virtual_mac.is_gone(table));
        match &mut member.place {
            Some(_) if macvlan_gone => {
                self.uproot(id, "its macvlan was deleted".to_owned(), now);
                self.move_in(id, spot, now);
            }
            Some(place) if (place.link, place.source) == (spot.link, spot.source) => {
                let changed = std::mem::replace(&mut place.mac, spot.mac) != spot.mac;
                if changed {
                    self.happened(id, Kind::Link, format!("its MAC address is {} now", spot.mac), now);
                    self.drive(id, Event::LinkChanged, now);
                }
            }
            Some(_) => {
                self.uproot(id, "its place on the network changes".to_owned(), now);
                self.move_in(id, spot, now);
            }
            None => self.move_in(id, spot, now),
        }
    }

    fn move_in(&mut self, id: Id, spot: &Spot, now: Instant) {
        match self.open(id, spot) {
            Ok(place) => {
                let Some(router) = self.routers.get_mut(id.router) else { return };
                let Some(member) = router.members.get_mut(id.member) else { return };
                member.outgoing.update(&setup::spec(&router.settings, member.family, place.source));
                member.place = Some(place);
                let grouped = self.clusters.iter().any(|cluster| cluster.members.contains(&id));
                let Some(settings) = member.settings(&router.settings, router.verdict.priority, grouped)
                else {
                    return;
                };
                let actions = member.machine.reconfigure(now, settings);
                for (id, event) in self.carry_out_all(id, actions, now) {
                    self.drive(id, event, now);
                }
                self.happened(id, Kind::Link, format!("on {} with {}", spot.link, spot.source), now);
                self.drive(id, Event::LinkUp, now);
            }
            Err(error) => self.uproot(id, error, now),
        }
    }

    fn open(&mut self, id: Id, spot: &Spot) -> Result<Place, String> {
        let Some(router) = self.routers.get(id.router) else { return Err(String::new()) };
        let Some(member) = router.members.get(id.member) else { return Err(String::new()) };
        let (name, family) = (router.settings.interface.clone(), member.family);
        let multicast = router.settings.peers.is_empty();
        let explain = |error: io::Error| format!("no raw socket on {name}: {error}");
        let Spot { link, mac, source } = *spot;
        let sender = Sender::open(link, &name, source).map_err(explain)?;
        let sockets = match self.sockets.entry(link) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(none) => none.insert(Sockets::open(link).map_err(explain)?),
        };
        let fits = |(of, joined, _): &(Family, bool, Receiver)| *of == family && (*joined || !multicast);
        if !sockets.receivers.iter().any(fits) {
            sockets.receivers.retain(|(of, _, _)| *of != family);
            let receiver = Receiver::open(link, &name, family, multicast).map_err(explain)?;
            sockets.receivers.push((family, multicast, receiver));
        }
        self.provide_virtual_mac(id, link).map_err(|error| format!("no macvlan on {name}: {error}"))?;
        Ok(Place { link, mac, source, sender })
    }

    /// It cannot take part where it is.
    fn uproot(&mut self, id: Id, why: String, now: Instant) {
        let Some(member) = self.member(id) else { return };
        if member.place.is_none() && member.absent == why {
            return;
        }
        let before = std::mem::replace(&mut member.absent, why.clone());
        self.happened(id, Kind::Link, why.clone(), now);
        // it may still say a last word, and remove addresses
        self.drive(id, Event::LinkDown, now);
        if let Some(member) = self.member(id) {
            member.place = None;
        }
        if let Some(router) = self.routers.get_mut(id.router) {
            router.changed = true;
            // the same fault, for another reason
            if router.state == State::Fault && router.reason == before {
                router.reason = why;
            }
        }
    }

    /// What somebody else removed comes back; what is not to be here goes.
    pub(super) fn reconcile(&mut self, id: Id, now: Instant) {
        let table = self.monitor.table();
        let Some(router) = self.routers.get_mut(id.router) else { return };
        let Some(member) = router.members.get_mut(id.member) else { return };
        let Some(link) = member.address_link() else { return };
        if let Some(wanted) = &mut member.wanted {
            let on = member.virtual_mac.as_ref().is_none_or(|virtual_mac| virtual_mac.is_on(table));
            let all = on && wanted.addresses.iter().all(|address| table.holds(link, *address));
            let lost = !all && (wanted.seen || wanted.limit() <= now);
            wanted.seen |= all;
            if lost {
                self.drive(id, Event::AddressLost, now);
            }
            return;
        }
        let owner = router.settings.priority == Priority::OWNER;
        let here = router.settings.addresses_of(member.family).any(|address| table.has(link, address.addr()));
        if here && !owner && self.remove_forms(id, true, now) > 0 {
            self.happened(id, Kind::Addresses, "was here and must not be: removed".to_owned(), now);
        }
    }

    fn close_unused(&mut self) {
        let members = || self.routers.iter().flat_map(|router| &router.members);
        let places = |link: u32| {
            members().filter(move |member| member.place.as_ref().is_some_and(|place| place.link == link))
        };
        self.sockets.retain(|link, _| places(*link).next().is_some());
        for (link, sockets) in &mut self.sockets {
            sockets.receivers.retain(|(family, _, _)| places(*link).any(|member| member.family == *family));
        }
    }
}

/// Where the interface is, and what adverts of a member come from there.
fn spot(table: &Table, router: &Router, member: &Member) -> Result<Spot, String> {
    let name = &router.settings.interface;
    let link = table.link(name).ok_or_else(|| format!("there is no interface {name}"))?;
    if !link.up {
        return Err(format!("interface {name} is down"));
    }
    let mac = link.mac.ok_or_else(|| format!("interface {name} has no MAC address"))?;
    // an owner's addresses are the interface's own
    let virtual_ = router.settings.addresses.iter().filter(|_| router.settings.priority != Priority::OWNER);
    let own: Vec<IpAddr> = virtual_.map(|address| address.addr()).collect();
    let source = match (router.settings.source_of(member.family), member.family) {
        (Some(source), _) if table.has(link.index, source) => source,
        (Some(source), _) => return Err(format!("interface {name} has not the address {source}")),
        (None, Family::V4) => table
            .primary_v4(link.index, &own)
            .ok_or_else(|| format!("interface {name} has no IPv4 address of its own"))?
            .into(),
        (None, Family::V6) => table
            .link_local(link.index, &own)
            .ok_or_else(|| format!("interface {name} has no link-local IPv6 address"))?
            .into(),
    };
    Ok(Spot { link: link.index, mac, source })
}
