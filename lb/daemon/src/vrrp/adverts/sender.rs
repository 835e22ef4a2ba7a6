//! What goes out.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use lb_core::vrrp::packet::TTL;
use nix::libc::{BPF_K, BPF_RET};
use socket2::{Domain, SockFilter, Socket};

use super::raw_socket;

/// Internetwork control (RFC 2474, 4.2.2.2).
const TRAFFIC_CLASS: u32 = 0xc0;

/// Sends packets of IP protocol 112 out of one link, from one address.
#[derive(Debug)]
pub struct Sender {
    socket: Socket,
    /// The scope of a link-local address.
    link: u32,
}

impl Sender {
    /// Out of the link of this index and name. Needs CAP_NET_RAW.
    ///
    /// # Errors
    /// What the operating system says; in particular [`io::ErrorKind::AddrNotAvailable`] when this host does not have
    /// `source`, or not yet (an IPv6 address while duplicates of it are looked for).
    pub fn open(link: u32, link_name: &str, source: IpAddr) -> io::Result<Self> {
        let domain = if source.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let socket = raw_socket(domain, link_name)?;
        // It hears all that a receiver hears, and nobody reads it.
        socket.attach_filter(&[SockFilter::new((BPF_RET | BPF_K) as u16, 0, 0, 0)])?;
        match source {
            IpAddr::V4(source) => {
                socket.set_ttl_v4(TTL.into())?;
                socket.set_tos_v4(TRAFFIC_CLASS)?;
                socket.set_multicast_ttl_v4(TTL.into())?;
                socket.set_multicast_loop_v4(false)?;
                socket.set_multicast_if_v4(&source)?;
            }
            IpAddr::V6(_) => {
                socket.set_unicast_hops_v6(TTL.into())?;
                socket.set_tclass_v6(TRAFFIC_CLASS)?;
                socket.set_multicast_hops_v6(TTL.into())?;
                socket.set_multicast_loop_v6(false)?;
                socket.set_multicast_if_v6(link)?;
            }
        }
        let sender = Self { socket, link };
        sender.socket.bind(&sender.scoped(source).into())?;
        Ok(sender)
    }

    /// Hands one packet to the kernel, which has to write no checksum. Never waits.
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::WouldBlock`] when the link takes no more for now.
    pub fn send(&self, destination: IpAddr, payload: &[u8]) -> io::Result<()> {
        self.socket.send_to(payload, &self.scoped(destination).into()).map(drop)
    }

    fn scoped(&self, address: IpAddr) -> SocketAddr {
        match address {
            IpAddr::V4(address) => (address, 0).into(),
            IpAddr::V6(address) => SocketAddrV6::new(address, 0, 0, self.link).into(),
        }
    }
}
