//! A table that follows the kernel.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use nix::libc::{ENOBUFS, RTNLGRP_IPV4_IFADDR, RTNLGRP_LINK};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockRef;

use super::Table;
use super::change::Change;
use super::connection::{Connection, DATAGRAM_BYTES, messages, receive};

const RTNLGRP_IPV6_IFADDR: u32 = 9;
/// Changes of a thousand links at once; it is memory only while they wait.
const RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// Readable when links or addresses of the network namespace, in which it was opened, may have changed.
#[derive(Debug)]
pub struct Monitor {
    socket: Socket,
    questions: Connection,
    datagram: Vec<u8>,
    table: Table,
    /// Changes were lost.
    stale: bool,
}

impl Monitor {
    /// Subscribes to changes, then takes stock; so none is missed.
    ///
    /// # Errors
    /// What the operating system says; [`io::ErrorKind::TimedOut`] when the kernel does not answer for two seconds.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        // More than the system's limit, if we may.
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER)?;
        }
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        for group in [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR] {
            socket.add_membership(group)?;
        }
        let questions = Connection::open()?;
        let table = dump(&questions)?;
        Ok(Self { socket, questions, datagram: Vec::with_capacity(DATAGRAM_BYTES), table, stale: false })
    }

    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Applies all that waits, and says whether anything changed. Takes stock anew if the kernel had to drop changes.
    ///
    /// # Errors
    /// Those of [`open`](Self::open). The table may be out of date then; call again soon, readable or not.
    pub fn drain(&mut self) -> io::Result<bool> {
        let mut changed = false;
        loop {
            match receive(&self.socket, &mut self.datagram) {
                // What was queued before a loss is older than what will be asked for.
                Ok(()) if self.stale => {}
                Ok(()) => {
                    for change in messages(&self.datagram).filter_map(|message| Change::parse(&message)) {
                        changed |= self.table.apply(change);
                    }
                }
                Err(error) if lost(&error) => self.stale = true,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                // The kernel keeps changes again as soon as the queue is empty, so none falls between.
                Err(_) if self.stale => {
                    let table = dump(&self.questions)?;
                    changed |= table != self.table;
                    self.table = table;
                    self.stale = false;
                }
                Err(_) => return Ok(changed),
            }
        }
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn lost(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ENOBUFS) || error.kind() == io::ErrorKind::InvalidData
}

fn dump(questions: &Connection) -> io::Result<Table> {
    let mut table = Table::default();
    for question in [
        RouteNetlinkMessage::GetLink(LinkMessage::default()),
        RouteNetlinkMessage::GetAddress(AddressMessage::default()),
    ] {
        for change in questions.list(&question)? {
            table.apply(change);
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests;
