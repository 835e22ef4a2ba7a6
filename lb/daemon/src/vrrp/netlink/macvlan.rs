//! Links on top of links.

use std::io;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkFlags,
    LinkInfo, LinkMessage, MacVlanMode,
};
use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use pnet_base::MacAddr;

use super::LINK_GROUP;
use super::writer::{Writer, is};

impl Writer {
    /// Makes a macvlan on the link with the index `parent`, and gives its index. It is switched off, in our
    /// [`LINK_GROUP`], and makes no IPv6 address from its MAC address.
    ///
    /// It is one of mode `bridge`: with `private` the kernel would withhold from the parent what others send with the
    /// same MAC address as their source, and so the advertisements of a router that sends them so.
    ///
    /// # Errors
    /// What the kernel says; [`io::ErrorKind::AlreadyExists`] if a link of that name is there,
    /// [`io::ErrorKind::TimedOut`] after two seconds without an answer.
    pub fn add_macvlan(&self, parent: u32, name: &str, mac: MacAddr) -> io::Result<u32> {
        let mode = InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Bridge)]);
        let mut message = LinkMessage::default();
        message.attributes = vec![
            LinkAttribute::IfName(name.to_owned()),
            LinkAttribute::Link(parent),
            LinkAttribute::Address(mac.octets().to_vec()),
            LinkAttribute::Group(LINK_GROUP),
            LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::MacVlan), LinkInfo::Data(mode)]),
        ];
        self.0.tell(&RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)?;
        let link = if_nametoindex(name)?;
        self.generate_no_address(link).inspect_err(|_| {
            // what counts is why it is of no use
            let _ = self.delete_link(link);
        })?;
        Ok(link)
    }

    fn generate_no_address(&self, link: u32) -> io::Result<()> {
        let none = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
        let mut message = on(link);
        message.attributes = vec![LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![none])])];
        match self.0.tell(&RouteNetlinkMessage::SetLink(message), 0) {
            // no IPv6 there
            Err(error) if is(&error, &[Errno::EAFNOSUPPORT]) => Ok(()),
            other => other,
        }
    }

    /// Switches the link with this index on.
    ///
    /// # Errors
    /// What the kernel says; for a macvlan [`io::ErrorKind::AddrInUse`] if another one on the same parent has its MAC
    /// address.
    pub fn switch_on(&self, link: u32) -> io::Result<()> {
        let mut message = on(link);
        (message.header.flags, message.header.change_mask) = (LinkFlags::Up, LinkFlags::Up);
        self.0.tell(&RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Switches the link with this index off: it sends and receives nothing from then on. Its IPv6 addresses go, its
    /// IPv4 addresses stay. Fine if it is gone.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn switch_off(&self, link: u32) -> io::Result<()> {
        let mut message = on(link);
        message.header.change_mask = LinkFlags::Up;
        unless_gone(self.0.tell(&RouteNetlinkMessage::SetLink(message), 0))
    }

    /// Deletes the link with this index. Fine if it is gone. May take some 10 ms.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn delete_link(&self, link: u32) -> io::Result<()> {
        unless_gone(self.0.tell(&RouteNetlinkMessage::DelLink(on(link)), 0))
    }
}

fn on(link: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = link;
    message
}

fn unless_gone(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if is(&error, &[Errno::ENODEV]) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
