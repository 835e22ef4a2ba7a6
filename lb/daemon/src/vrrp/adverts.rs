//! Raw sockets of IP protocol 112. None of them ever blocks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use lb_core::vrrp::packet::{Datagram, PROTOCOL, TTL};
use lb_core::vrrp::{Endpoints, Family};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, setsockopt, sockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

/// Where advertisements go that are for every router of a network.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// Internetwork control, RFC 2474: routers and switches serve it first.
const NETWORK_CONTROL: u32 = 0xc0;
/// So many bytes may wait while this process cannot run.
const BUFFER: usize = 256 * 1024;
const IPV4_HEADER_LEN: usize = 20;

/// Whether this process may have such sockets.
///
/// # Errors
/// What the kernel says.
pub fn check_permission() -> io::Result<()> {
    raw(Family::V4).map(drop)
}

fn raw(family: Family) -> io::Result<Socket> {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let socket =
        Socket::new(domain, Type::RAW.nonblocking().cloexec(), Some(Protocol::from(i32::from(PROTOCOL))))?;
    Ok(socket)
}

/// Takes what arrives on one link.
#[derive(Debug)]
pub struct Receiver {
    socket: Socket,
    family: Family,
}

impl Receiver {
    /// With `multicast` the link joins the routers' group.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(link: u32, name: &str, family: Family, multicast: bool) -> io::Result<Self> {
        let socket = raw(family)?;
        socket.bind_device(Some(name.as_bytes()))?;
        // more than the system's limit takes a privilege, and is no must
        let _ = socket.set_recv_buffer_size(BUFFER);
        match family {
            Family::V4 => {
                socket.set_multicast_all_v4(false)?;
                if multicast {
                    socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(link))?;
                }
            }
            Family::V6 => {
                socket.set_multicast_all_v6(false)?;
                setsockopt(&socket, sockopt::Ipv6RecvHopLimit, &true)?;
                setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
                if multicast {
                    socket.join_multicast_v6(&GROUP_V6, link)?;
                }
            }
        }
        Ok(Self { socket, family })
    }

    /// The next datagram; `None` when there is none. What is no whole IP packet is passed over.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<Datagram<'a>>> {
        loop {
            let read = match self.family {
                Family::V4 => self.receive_v4(buffer),
                Family::V6 => self.receive_v6(buffer),
            };
            match read {
                Ok(Some(Read { endpoints, ttl, start, end })) => {
                    let payload = buffer.get(start..end).unwrap_or_default();
                    return Ok(Some(Datagram { endpoints, ttl, payload }));
                }
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn receive_v4(&self, buffer: &mut [u8]) -> io::Result<Option<Read>> {
        let length = nix::sys::socket::recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?;
        Ok(buffer.get(..length).and_then(ipv4))
    }

    fn receive_v6(&self, buffer: &mut [u8]) -> io::Result<Option<Read>> {
        let mut control = nix::cmsg_space!(nix::libc::in6_pktinfo, nix::libc::c_int);
        let mut parts = [io::IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrIn6>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let (mut ttl, mut destination) = (None, None);
        for control in message.cmsgs()? {
            match control {
                ControlMessageOwned::Ipv6HopLimit(limit) => ttl = u8::try_from(limit).ok(),
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    destination = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr));
                }
                _ => {}
            }
        }
        let source = message.address.map(|address| address.ip());
        let (Some(source), Some(destination), Some(ttl)) = (source, destination, ttl) else {
            return Ok(None);
        };
        let endpoints = Endpoints::V6 { source, destination };
        Ok(Some(Read { endpoints, ttl, start: 0, end: message.bytes }))
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

struct Read {
    endpoints: Endpoints,
    ttl: u8,
    start: usize,
    end: usize,
}

/// Raw sockets of IPv4 give the header, too.
fn ipv4(packet: &[u8]) -> Option<Read> {
    let header: &[u8; IPV4_HEADER_LEN] = packet.first_chunk()?;
    let start = usize::from(header[0] & 0x0f) * 4;
    let end = usize::from(u16::from_be_bytes([header[2], header[3]])).min(packet.len());
    let address = |at: usize| Some(Ipv4Addr::from(*packet.get(at..)?.first_chunk::<4>()?));
    let endpoints = Endpoints::V4 { source: address(12)?, destination: address(16)? };
    (start >= IPV4_HEADER_LEN && start <= end).then_some(Read { endpoints, ttl: header[8], start, end })
}

/// Sends from one address on one link.
#[derive(Debug)]
pub struct Sender {
    socket: Socket,
    link: u32,
}

impl Sender {
    /// # Errors
    /// What the kernel says; for one, that `source` is not an address of the link.
    pub fn open(link: u32, name: &str, source: IpAddr) -> io::Result<Self> {
        let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
        let socket = raw(family)?;
        socket.bind_device(Some(name.as_bytes()))?;
        match family {
            Family::V4 => {
                socket.set_ttl_v4(TTL.into())?;
                socket.set_multicast_ttl_v4(TTL.into())?;
                socket.set_multicast_loop_v4(false)?;
                socket.set_tos_v4(NETWORK_CONTROL)?;
            }
            Family::V6 => {
                socket.set_unicast_hops_v6(TTL.into())?;
                socket.set_multicast_hops_v6(TTL.into())?;
                socket.set_multicast_loop_v6(false)?;
                socket.set_multicast_if_v6(link)?;
                socket.set_tclass_v6(NETWORK_CONTROL)?;
            }
        }
        // it receives nothing: its queue would fill with every advertisement of the network
        socket.attach_filter(&[socket2::SockFilter::new(nix::libc::BPF_RET as u16, 0, 0, 0)])?;
        let sender = Self { socket, link };
        sender.socket.bind(&sender.scoped(source).into())?;
        Ok(sender)
    }

    /// # Errors
    /// What the kernel says.
    pub fn send(&self, destination: IpAddr, payload: &[u8]) -> io::Result<()> {
        self.socket.send_to(payload, &self.scoped(destination).into()).map(drop)
    }

    fn scoped(&self, address: IpAddr) -> SocketAddr {
        match address {
            IpAddr::V4(_) => SocketAddr::new(address, 0),
            IpAddr::V6(address) => SocketAddrV6::new(address, 0, 0, self.link).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_ipv4_is_taken_off() {
        let mut packet = vec![0x45, 0xc0, 0, 24, 0, 0, 0, 0, 254, 112, 0, 0, 192, 0, 2, 1, 224, 0, 0, 18];
        packet.extend([1, 2, 3, 4, 0, 0]);
        let read = ipv4(&packet).unwrap();
        assert_eq!((read.ttl, read.start, read.end), (254, 20, 24));
        assert_eq!(read.endpoints.source(), IpAddr::from([192, 0, 2, 1]));
        for broken in [&packet[..19], &[0x4f; 24][..], &[0x41; 24][..], &[]] {
            assert!(ipv4(broken).is_none_or(|read| read.start <= read.end), "{broken:?}");
        }
        packet[0] = 0x4f;
        assert!(ipv4(&packet).is_none(), "a header longer than the packet");
    }
}
