//! The one place with `unsafe`: system calls that no library wraps.
#![allow(unsafe_code, reason = "each block says why it is sound")]

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::signal::{self, SigHandler, Signal};
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

/// Gives the calling thread the real-time policy SCHED_FIFO; threads and processes that it starts do not inherit it.
///
/// # Errors
/// What the operating system says; without CAP_SYS_NICE and above RLIMIT_RTPRIO it is [`nix::Error::EPERM`].
pub fn schedule_fifo(priority: i32) -> nix::Result<()> {
    let parameter = libc::sched_param { sched_priority: priority };
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    const CALLING_THREAD: libc::pid_t = 0;
    // SAFETY: the kernel reads one sched_param, which lives until the call returns. Not by sched_setscheduler(): of
    // musl's, nothing is left but ENOSYS.
    let result =
        unsafe { libc::syscall(libc::SYS_sched_setscheduler, CALLING_THREAD, policy, &raw const parameter) };
    nix::errno::Errno::result(result).map(drop)
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

/// Ignores a signal from now on.
///
/// # Errors
/// What the operating system says.
pub fn ignore(signal: Signal) -> nix::Result<()> {
    // SAFETY: no handler is installed, so none can do what a handler must not.
    unsafe { signal::signal(signal, SigHandler::SigIgn) }.map(drop)
}

/// Another descriptor of the same file, the lowest free one from `least` on; not for programs that this one starts.
///
/// # Errors
/// What the operating system says; in particular that `least` is beyond the limit of open files.
pub fn duplicate_from(file: impl AsFd, least: i32) -> nix::Result<OwnedFd> {
    let descriptor = fcntl(file, FcntlArg::F_DUPFD_CLOEXEC(least))?;
    // SAFETY: the kernel has just opened it, so it is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
