//! Questions to the kernel, and its answers.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use netlink_packet_core::{
    ErrorBuffer, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader,
    NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use nix::libc::{MSG_TRUNC, NLMSG_DONE, NLMSG_ERROR};
use socket2::SockRef;

use super::change::Change;

/// The kernel answers within the call that asks; this is for a kernel that does not.
const PATIENCE: Duration = Duration::from_secs(2);
/// The kernel fills no datagram of more than 32 KiB.
pub(super) const DATAGRAM_BYTES: usize = 64 * 1024;

/// How often a list is asked for that changes while it is written.
const LIST_ATTEMPTS: usize = 10;

/// One question at a time.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Socket,
    sequence: Cell<u32>,
}

impl Connection {
    /// # Errors
    /// What the operating system says.
    pub(super) fn open() -> io::Result<Self> {
        let socket = Socket::new(NETLINK_ROUTE)?;
        SockRef::from(&socket).set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, sequence: Cell::new(0) })
    }

    /// Has the kernel do something, and waits until it has.
    ///
    /// # Errors
    /// Why it did not; [`io::ErrorKind::TimedOut`] if it does not say.
    pub(super) fn tell(&self, message: &RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let sequence = self.send(message, flags | NLM_F_ACK)?;
        let mut datagram = Vec::with_capacity(DATAGRAM_BYTES);
        loop {
            self.receive(&mut datagram)?;
            // What is not ours is the late answer to a question that we gave up.
            let answer = messages(&datagram)
                .find(|message| message.sequence_number() == sequence && is_error(message));
            if let Some(answer) = answer {
                return verdict(&answer);
            }
        }
    }

    /// All that the kernel has of a kind.
    ///
    /// # Errors
    /// What the kernel says; [`io::ErrorKind::TimedOut`] if it does not answer, [`io::ErrorKind::ResourceBusy`] if what
    /// there is changes faster than it can be listed.
    pub(super) fn list(&self, question: &RouteNetlinkMessage) -> io::Result<Vec<Change>> {
        for _ in 0..LIST_ATTEMPTS {
            if let Some(changes) = self.list_once(question)? {
                return Ok(changes);
            }
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "links and addresses change while they are listed"))
    }

    /// `None` if something changed meanwhile, so that something else may be missing.
    fn list_once(&self, question: &RouteNetlinkMessage) -> io::Result<Option<Vec<Change>>> {
        let sequence = self.send(question, NLM_F_DUMP)?;
        let mut datagram = Vec::with_capacity(DATAGRAM_BYTES);
        let mut changes = Vec::new();
        let mut consistent = true;
        loop {
            self.receive(&mut datagram)?;
            for message in messages(&datagram).filter(|message| message.sequence_number() == sequence) {
                consistent &= message.flags() & NLM_F_DUMP_INTR == 0;
                match i32::from(message.message_type()) {
                    NLMSG_ERROR | NLMSG_DONE => {
                        verdict(&message)?;
                        return Ok(consistent.then_some(changes));
                    }
                    _ => changes.extend(Change::parse(&message)),
                }
            }
        }
    }

    fn send(&self, message: &RouteNetlinkMessage, flags: u16) -> io::Result<u32> {
        let sequence = self.sequence.get().wrapping_add(1);
        self.sequence.set(sequence);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | flags;
        header.sequence_number = sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message.clone()));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        Ok(sequence)
    }

    fn receive(&self, datagram: &mut Vec<u8>) -> io::Result<()> {
        receive(&self.socket, datagram).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::new(io::ErrorKind::TimedOut, "the kernel does not answer on netlink")
            }
            _ => error,
        })
    }
}

/// The next datagram of the kernel's.
///
/// # Errors
/// What the operating system says; [`io::ErrorKind::InvalidData`] for one that was cut off.
pub(super) fn receive(socket: &Socket, datagram: &mut Vec<u8>) -> io::Result<()> {
    loop {
        datagram.clear();
        match socket.recv_from(datagram, MSG_TRUNC) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok((_, sender)) if sender.port_number() != 0 => {}
            Ok((length, _)) if length > datagram.len() => return Err(io::ErrorKind::InvalidData.into()),
            Ok(_) => return Ok(()),
        }
    }
}

/// The messages in one datagram, as far as they are whole.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = NetlinkBuffer<&[u8]>> {
    std::iter::from_fn(move || {
        let message = NetlinkBuffer::new_checked(datagram).ok()?;
        let length = usize::try_from(message.length()).ok()?.next_multiple_of(4);
        datagram = datagram.get(length..).unwrap_or_default();
        Some(message)
    })
}

fn is_error(message: &NetlinkBuffer<&[u8]>) -> bool {
    i32::from(message.message_type()) == NLMSG_ERROR
}

/// Of an NLMSG_ERROR, or of an NLMSG_DONE, which begins in the same way or is empty.
fn verdict(message: &NetlinkBuffer<&[u8]>) -> io::Result<()> {
    if message.payload().is_empty() {
        return Ok(());
    }
    let error = ErrorBuffer::new_checked(message.payload()).map_err(io::Error::other)?;
    match error.code() {
        None => Ok(()),
        Some(code) => Err(io::Error::from_raw_os_error(code.get().saturating_abs())),
    }
}
