//! The guard's own process.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::prctl::set_dumpable;
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, recv, send};
use nix::sys::time::TimeSpec;

use super::log::Unwaited;
use super::watch::Watch;
use super::{Holding, MESSAGE_BYTES, Message, Reply};
use crate::sys;
use crate::vrrp::adverts::Sender;
use crate::vrrp::netlink::Writer;
use crate::vrrp::outgoing::Outgoing;
use crate::vrrp::realtime;
use runtime::clock;

/// What stops a daemon stops all that is around it; the guard goes when the daemon has gone.
const NOT_FOR_US: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];

/// Guards the daemon at the other end of standard input, until it ends.
///
/// # Errors
/// No daemon is there, or what the operating system says.
pub fn run() -> anyhow::Result<()> {
    NOT_FOR_US.into_iter().try_for_each(sys::ignore)?;
    // It has the keys; nobody needs to look into it, nor its core.
    set_dumpable(false)?;
    runtime::logging::init_unbuffered(|| Unwaited)?;
    let granted = realtime::enter();
    tracing::debug!(realtime = granted.scheduled, memory_locked = granted.locked, "guarding");
    guard(io::stdin().as_fd()).context("guard: only `lb run` starts it")
}

/// Guards the daemon at the other end of `socket`, until it ends.
///
/// # Errors
/// What the operating system says; what was held is let go of.
pub(super) fn guard(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut process = Process { socket, writer: Writer::open()?, watch: Watch::new(), number: 0 };
    // Not all of it is memory: a page is one when it is first written to.
    let mut buffer = vec![0; MESSAGE_BYTES];
    loop {
        let began = Instant::now();
        let mut polled = [PollFd::new(socket, PollFlags::POLLIN)];
        match ppoll(&mut polled, process.watch.wait().map(TimeSpec::from_duration), None) {
            Ok(0) => process.waited(began.elapsed()),
            Ok(_) => {
                if let Some(end) = process.obey_all(&mut buffer) {
                    process.let_go("the daemon is gone");
                    return end;
                }
            }
            Err(Errno::EINTR) => {}
            Err(errno) => {
                process.let_go("the daemon cannot be watched");
                return Err(errno.into());
            }
        }
    }
}

struct Process<'a> {
    socket: BorrowedFd<'a>,
    writer: Writer,
    watch: Watch<Held>,
    /// Of the daemon's last holding.
    number: u64,
}

impl Process<'_> {
    fn waited(&mut self, took: Duration) {
        if !self.watch.waited(took) {
            return;
        }
        let fired = serde_json::to_vec(&Reply::Fired { number: self.number }).unwrap_or_default();
        // First, for a daemon that wakes up just now must not put back what it finds gone. One that is gone does not
        // need it.
        let _ = send(self.socket.as_raw_fd(), &fired, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        self.let_go("the daemon gives no sign of life");
    }

    /// Every message that has come. `Some` at the end of the daemon, which follows all that it said.
    fn obey_all(&mut self, buffer: &mut [u8]) -> Option<io::Result<()>> {
        loop {
            match recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(0) => return Some(Ok(())),
                Ok(len) => {
                    self.watch.heard();
                    self.obey(buffer.get(..len).unwrap_or_default());
                }
                Err(Errno::EAGAIN) => return None,
                // The latter: it is gone and has not read all that we said. What it said is there still.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Err(errno) => return Some(Err(errno.into())),
            }
        }
    }

    fn obey(&mut self, message: &[u8]) {
        match serde_json::from_slice(message) {
            Ok(Message::Hold { number, holding }) => {
                self.number = number;
                self.watch.hold(holding.name.clone(), Held::new(*holding));
            }
            Ok(Message::Drop(name)) => self.watch.forget(&name),
            Ok(Message::Beat) => {}
            // What stands there may be a key.
            Err(_) => tracing::error!("the guard does not understand its daemon"),
        }
    }

    /// A peer hears first that it may take over: it needs longer for that than we for the rest. And once more at the
    /// end, for a packet may get lost.
    fn let_go(&mut self, why: &str) {
        let began = Instant::now();
        let mut held = self.watch.take();
        let said: Vec<_> = held.iter_mut().map(|(_, held)| held.say_farewell()).collect();
        let withdrawn: Vec<_> = held.iter().map(|(_, held)| held.withdraw(&self.writer)).collect();
        let said_again: Vec<_> = held.iter_mut().map(|(_, held)| held.say_farewell()).collect();
        let took_microseconds = began.elapsed().as_micros();
        let outcomes = said.into_iter().zip(said_again).zip(withdrawn);
        for ((router, _), ((said, said_again), withdrawn)) in held.iter().zip(outcomes) {
            tracing::error!(%router, took_microseconds, "{why}: the guard let go of its addresses");
            if let Err(error) = said.or(said_again) {
                tracing::error!(%router, %error, "the guard could not send priority 0");
            }
            if let Err(error) = withdrawn {
                tracing::error!(%router, %error, "the guard could not withdraw an address");
            }
        }
    }
}

/// A holding, and what it takes to let go of it.
struct Held {
    holding: Holding,
    sender: io::Result<Sender>,
    outgoing: Option<Outgoing>,
}

impl Held {
    fn new(holding: Holding) -> Self {
        let router = &holding.name;
        let sender = Self::sender(&holding);
        if let Err(error) = &sender {
            tracing::warn!(%router, %error, "the guard cannot send yet");
        }
        let outgoing = Outgoing::new(&holding.advert);
        if outgoing.is_none() {
            tracing::error!(%router, "the guard does not know what to send");
        }
        Self { holding, sender, outgoing }
    }

    fn sender(holding: &Holding) -> io::Result<Sender> {
        Sender::open(holding.link, &holding.link_name, holding.advert.source)
    }

    /// # Errors
    /// A packet of it could not be sent; the others were.
    fn say_farewell(&mut self) -> io::Result<()> {
        if self.sender.is_err() {
            self.sender = Self::sender(&self.holding);
        }
        let sender = match &self.sender {
            Ok(sender) => sender,
            Err(error) => return Err(io::Error::new(error.kind(), error.to_string())),
        };
        let wall = clock::since_epoch();
        let packets = self.outgoing.as_mut().map(|outgoing| outgoing.advert(None, wall));
        let send = |(destination, packet): (_, Vec<u8>)| sender.send(destination, &packet);
        packets.into_iter().flatten().map(send).fold(Ok(()), io::Result::and)
    }

    /// # Errors
    /// An address could not be withdrawn; the others were.
    fn withdraw(&self, writer: &Writer) -> io::Result<()> {
        let Holding { link, address_link, ref addresses, .. } = self.holding;
        // One of its own is switched off: nothing more comes from its MAC address, not even that it leaves a group.
        let off = if address_link == link { Ok(()) } else { writer.switch_off(address_link) };
        let withdraw = |&address| writer.remove(address_link, address).map(drop);
        addresses.iter().map(withdraw).fold(off, io::Result::and)
    }
}
