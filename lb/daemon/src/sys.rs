//! The one place with `unsafe`: system calls that no library wraps.
#![allow(unsafe_code, reason = "each block says why it is sound")]

use std::os::fd::{AsFd, AsRawFd};

use nix::libc;
use socket2::{SockAddr, SockAddrStorage};

nix::ioctl_read_bad!(siocoutq, libc::TIOCOUTQ, libc::c_int);
nix::ioctl_read_bad!(siocinq, libc::FIONREAD, libc::c_int);

/// Bytes that have come on a TCP socket and were not read yet (`SIOCINQ`).
///
/// # Errors
/// What the operating system says.
pub fn unread_bytes(socket: impl AsFd) -> nix::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for the duration of the call, and the kernel writes one c_int.
    unsafe { siocinq(socket.as_fd().as_raw_fd(), &raw mut bytes) }?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Bytes that the peer of a TCP socket has not acknowledged yet (`SIOCOUTQ`).
///
/// # Errors
/// What the operating system says.
pub fn unacknowledged_bytes(socket: impl AsFd) -> nix::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open for the duration of the call, and the kernel writes one c_int.
    unsafe { siocoutq(socket.as_fd().as_raw_fd(), &raw mut bytes) }?;
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Where a packet socket is bound to: frames of `protocol` (an `ETH_P_` number) on the link with this index.
pub fn link_address(index: u32, protocol: u16) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: sockaddr_ll is one of the platform's socket addresses, and all bytes zero are a valid one.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index.cast_signed();
    // SAFETY: the family, set above, says what the storage holds, and the length is of that.
    unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) }
}
