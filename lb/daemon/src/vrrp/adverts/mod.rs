//! Advertisements on their way: raw sockets of IP protocol 112.
//!
//! | module | what it is |
//! |---|---|
//! | [`Receiver`] | what comes in on one link, of one family |
//! | [`Sender`] | puts packets on one link, from one address, without ever waiting |

mod receiver;
mod sender;
#[cfg(test)]
pub(super) mod tests;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use lb_core::vrrp::packet::PROTOCOL;
use socket2::{Domain, Protocol, Socket, Type};

pub use self::receiver::{BUFFER_BYTES, Incoming, Receiver};
pub use self::sender::Sender;

/// Where advertisements go when no unicast peer is named.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// As [`GROUP_V4`].
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// Whether this process may have sockets of this kind.
///
/// # Errors
/// [`io::ErrorKind::PermissionDenied`] without CAP_NET_RAW, or what else the operating system says.
pub fn check_permission() -> io::Result<()> {
    Socket::new(Domain::IPV4, Type::RAW, Some(protocol())).map(drop)
}

fn protocol() -> Protocol {
    Protocol::from(i32::from(PROTOCOL))
}

/// Bound to the link, so that nothing of another one comes in or goes out.
fn raw_socket(domain: Domain, link_name: &str) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::RAW.nonblocking(), Some(protocol()))?;
    socket.bind_device(Some(link_name.as_bytes()))?;
    Ok(socket)
}
