//! Frames on one link: our announcements out, the claims of others in.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use nix::libc::{
    BPF_ABS, BPF_B, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, ETH_P_ARP, ETH_P_IPV6, SKF_AD_IFINDEX,
    SKF_AD_OFF,
};
use socket2::{Domain, SockFilter, Socket, Type};

use crate::sys;

/// What a socket is for. One protocol each, and the second only where it is needed: for a socket of ETH_P_ALL the kernel
/// would show every frame of a busy link to the filter, and our own as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Arp,
    /// Sends any IPv6; receives neighbour advertisements.
    NeighborDiscovery,
}

/// An Ethernet frame of the [`Protocol`]s, whole as far as anything that we read, fits into so many bytes.
pub const FRAME_BYTES: usize = 256;

/// Sends frames of a protocol on a link, and receives those of others. Needs CAP_NET_RAW. Never blocks.
///
/// When the link goes down, the next call says [`NetworkDown`](io::ErrorKind::NetworkDown), once; the socket goes on when
/// the link is up again. When the link is gone it is of no further use, even if another of that name comes.
#[derive(Debug)]
pub struct PacketSocket(Socket);

impl PacketSocket {
    /// # Errors
    /// What the operating system says.
    pub fn open(link: u32, protocol: Protocol) -> io::Result<Self> {
        // Without a protocol it receives nothing; so nothing comes in before the filter.
        let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
        socket.set_nonblocking(true)?;
        socket.attach_filter(&filter(link, protocol))?;
        let protocol = match protocol {
            Protocol::Arp => ETH_P_ARP,
            Protocol::NeighborDiscovery => ETH_P_IPV6,
        };
        socket.bind(&sys::link_address(link, protocol as u16))?;
        Ok(Self(socket))
    }

    /// Sends a whole Ethernet frame of the socket's protocol.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.0.send(frame).map(drop)
    }

    /// The next frame of another's; what does not fit into `buffer` is cut off.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when there is none, and what the operating system says.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn filter(link: u32, protocol: Protocol) -> Vec<SockFilter> {
    const ICMPV6: (u32, u32) = (14 + 6, 58); // where its number is in the frame, and the number
    const ADVERTISEMENT: (u32, u32) = (14 + 40, 136);
    let step = |code: u32, on_false, value| SockFilter::new(code as u16, 0, on_false, value);
    let accept = step(BPF_RET | BPF_K, 0, FRAME_BYTES as u32);
    let reject = step(BPF_RET | BPF_K, 0, 0);
    let load = |offset| step(BPF_LD | BPF_B | BPF_ABS, 0, offset);
    let equal = |value, on_false| step(BPF_JMP | BPF_JEQ | BPF_K, on_false, value);
    // What comes in for a VLAN or a macvlan on top of this link is shown here too; it is that link's.
    let load_link = step(BPF_LD | BPF_W | BPF_ABS, 0, (SKF_AD_OFF + SKF_AD_IFINDEX) as u32);
    match protocol {
        Protocol::Arp => vec![load_link, equal(link, 1), accept, reject],
        Protocol::NeighborDiscovery => vec![
            // first what sorts out most
            load(ICMPV6.0),
            equal(ICMPV6.1, 5),
            load(ADVERTISEMENT.0),
            equal(ADVERTISEMENT.1, 3),
            load_link,
            equal(link, 1),
            accept,
            reject,
        ],
    }
}

#[cfg(test)]
mod tests;
