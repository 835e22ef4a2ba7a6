//! What comes in.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use lb_core::vrrp::packet::Datagram;
use lb_core::vrrp::{Endpoints, Family};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{c_int, in6_pktinfo};
use nix::sys::socket::sockopt::{Ipv6RecvHopLimit, Ipv6RecvPacketInfo, RcvBufForce};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn6, recv, recvmsg, setsockopt};
use socket2::{Domain, InterfaceIndexOrAddress, Socket};

use super::{GROUP_V4, GROUP_V6, raw_socket};

/// More than the longest advertisement, which carries 255 IPv6 addresses and a trailer.
pub const BUFFER_BYTES: usize = 8 * 1024;

/// Holds what comes while a thread that cannot run should have read it.
const QUEUE_BYTES: usize = 1024 * 1024;

const IPV4_HEADER_LEN: usize = 20;

/// One packet.
#[derive(Clone, Copy, Debug)]
pub enum Incoming<'a> {
    Datagram(Datagram<'a>),
    /// Its IP header is no good, or it is longer than the buffer. To be counted.
    Malformed,
}

/// All packets of IP protocol 112 that one link brings in, of one family.
#[derive(Debug)]
pub struct Receiver {
    socket: Socket,
    family: Family,
    multicast: bool,
}

impl Receiver {
    /// Listens on the link of this index and name; `multicast`: to the group as well. Needs CAP_NET_RAW.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(link: u32, link_name: &str, family: Family, multicast: bool) -> io::Result<Self> {
        let domain = match family {
            Family::V4 => Domain::IPV4,
            Family::V6 => Domain::IPV6,
        };
        let socket = raw_socket(domain, link_name)?;
        // Beyond the system's limit only with CAP_NET_ADMIN.
        if setsockopt(&socket, RcvBufForce, &QUEUE_BYTES).is_err() {
            socket.set_recv_buffer_size(QUEUE_BYTES)?;
        }
        match family {
            Family::V4 => {
                // Not what other sockets of this host have joined.
                socket.set_multicast_all_v4(false)?;
                if multicast {
                    socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(link))?;
                }
            }
            Family::V6 => {
                setsockopt(&socket, Ipv6RecvHopLimit, &true)?;
                setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
                if multicast {
                    socket.join_multicast_v6(&GROUP_V6, link)?;
                }
            }
        }
        Ok(Self { socket, family, multicast })
    }

    /// The next packet, read into `buffer` (of [`BUFFER_BYTES`]); `None`: no more for now.
    ///
    /// # Errors
    /// What the operating system says of the socket.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Option<Incoming<'a>>> {
        let parts = loop {
            let received = match self.family {
                Family::V4 => self.receive_v4(buffer),
                Family::V6 => self.receive_v6(buffer),
            };
            match received {
                Ok(Some(parts)) if self.is_for_others(&parts) => {}
                Ok(parts) => break parts,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            }
        };
        let incoming = parts.and_then(|Parts { endpoints, ttl, payload }| {
            let payload = buffer.get(payload)?;
            Some(Datagram { endpoints, ttl, payload })
        });
        Ok(Some(incoming.map_or(Incoming::Malformed, Incoming::Datagram)))
    }

    /// The kernel gives the IP header as well.
    fn receive_v4(&self, buffer: &mut [u8]) -> nix::Result<Option<Parts>> {
        // With MSG_TRUNC the length is that of the packet, however short the buffer is.
        let len = recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_TRUNC)?;
        Ok(buffer.get(..len).and_then(parse_ipv4))
    }

    /// The kernel gives what follows the IP header, and what stood there on the side.
    fn receive_v6(&self, buffer: &mut [u8]) -> nix::Result<Option<Parts>> {
        let mut control = cmsg_space!(c_int, in6_pktinfo);
        let mut parts = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrIn6>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::empty(),
        )?;
        if message.flags.contains(MsgFlags::MSG_TRUNC) {
            return Ok(None);
        }
        let (mut hop_limit, mut destination) = (None, None);
        // An error is a control message too many, and then one of ours may be missing.
        for control in message.cmsgs().into_iter().flatten() {
            match control {
                ControlMessageOwned::Ipv6HopLimit(limit) => hop_limit = u8::try_from(limit).ok(),
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    destination = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr));
                }
                _ => {}
            }
        }
        let source = message.address.map(|address| address.ip());
        let parts = source.zip(destination).zip(hop_limit).map(|((source, destination), ttl)| Parts {
            endpoints: Endpoints::V6 { source, destination },
            ttl,
            payload: 0..message.bytes,
        });
        Ok(parts)
    }

    /// Raw sockets of IPv6 hear what any socket of the host has joined; IPV6_MULTICAST_ALL is for others.
    fn is_for_others(&self, parts: &Parts) -> bool {
        match parts.endpoints {
            Endpoints::V4 { .. } => false,
            Endpoints::V6 { destination, .. } => destination.is_multicast() && !self.multicast,
        }
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A [`Datagram`] whose payload is a part of a buffer.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    endpoints: Endpoints,
    ttl: u8,
    payload: std::ops::Range<usize>,
}

/// `None`: its header does not fit, or says another length. What follows the packet is cut off.
fn parse_ipv4(packet: &[u8]) -> Option<Parts> {
    let header = packet.first_chunk::<IPV4_HEADER_LEN>()?;
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let whole = header[0] >> 4 == 4
        && (IPV4_HEADER_LEN..=total_len).contains(&header_len)
        && total_len <= packet.len();
    let address = |at: usize| IpAddr::from([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let endpoints = Endpoints::new(address(12), address(16))?;
    whole.then_some(Parts { endpoints, ttl: header[8], payload: header_len..total_len })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// From 198.51.100.10 to 224.0.0.18, TTL 255, with options and payload of these lengths.
    fn packet(options: usize, payload: usize) -> Vec<u8> {
        let total = IPV4_HEADER_LEN + options + payload;
        let mut packet = vec![0; total];
        packet[0] = 0x45 + (options / 4) as u8;
        packet[2..4].copy_from_slice(&(total as u16).to_be_bytes());
        packet[8] = 255;
        packet[9] = 112;
        packet[12..16].copy_from_slice(&[198, 51, 100, 10]);
        packet[16..20].copy_from_slice(&GROUP_V4.octets());
        packet
    }

    #[test]
    fn an_ipv4_header_ends_where_it_says() {
        let endpoints = Endpoints::V4 { source: Ipv4Addr::new(198, 51, 100, 10), destination: GROUP_V4 };
        for (options, payload) in [(0, 12), (4, 12), (40, 12), (0, 0)] {
            let start = IPV4_HEADER_LEN + options;
            let expected = Parts { endpoints, ttl: 255, payload: start..start + payload };
            assert_eq!(parse_ipv4(&packet(options, payload)), Some(expected));
        }
        let mut followed = packet(0, 12);
        followed.extend([0; 14]);
        assert_eq!(parse_ipv4(&followed).unwrap().payload, 20..32);
    }

    #[test]
    fn an_ipv4_header_that_does_not_fit_is_none() {
        let good = packet(4, 12);
        let bad = |offset: usize, value: u8| {
            let mut packet = good.clone();
            packet[offset] = value;
            packet
        };
        for (what, packet) in [
            ("version", bad(0, 0x66)),
            ("header below 20 bytes", bad(0, 0x44)),
            ("header beyond the packet", bad(0, 0x4f)),
            ("length beyond the packet", bad(3, 37)),
            ("length within the header", bad(3, 23)),
        ] {
            assert_eq!(parse_ipv4(&packet), None, "{what}");
        }
        for len in 0..good.len() {
            assert_eq!(parse_ipv4(&good[..len]), None, "{len}");
        }
    }
}
