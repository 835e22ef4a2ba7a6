//! The guard's own process.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Instant, SystemTime};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, recv, send};
use nix::sys::time::TimeSpec;

use super::watch::Watch;
use super::{Holding, MOST, Message, Reply};
use crate::vrrp::adverts::Sender;
use crate::vrrp::netlink::Writer;
use crate::vrrp::outgoing::Outgoing;
use crate::vrrp::realtime;

/// A holding with all that is needed open.
struct Held {
    holding: Holding,
    sender: Sender,
    outgoing: Outgoing,
}

/// Watches over the daemon at the other end of `socket` until it is gone.
///
/// # Errors
/// What the kernel says when the guard starts; later it goes on with what it has.
pub fn run(socket: BorrowedFd<'_>) -> io::Result<()> {
    // whoever stops the daemon stops its process group: the daemon lets go in order, and then the socket ends
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT] {
        crate::sys::ignore(signal)?;
    }
    realtime::enter();
    let writer = Writer::open()?;
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    let mut watch = Watch::new(Instant::now());
    let mut buffer = vec![0; MOST];
    loop {
        // with nothing to hold there is nothing to be late for
        let limit = (!held.is_empty()).then(|| TimeSpec::from_duration(watch.left(Instant::now())));
        let mut polled = [PollFd::new(socket, PollFlags::POLLIN)];
        match ppoll(&mut polled, limit, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let before = held.len();
        let mut heard = false;
        loop {
            match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                // the daemon is gone
                Ok(0) | Err(_) => {
                    let_go(&writer, &mut held);
                    return Ok(());
                }
                Ok(length) => {
                    heard = true;
                    obey(buffer.get(..length).unwrap_or_default(), &mut held);
                }
            }
        }
        let now = Instant::now();
        if heard || before == 0 {
            watch.heard(now);
        } else if watch.waited(now) {
            watch.heard(now);
            // first, so that it does not put back what it finds gone; one that is gone does not need it
            let reply = serde_json::to_vec(&Reply::Fired).unwrap_or_default();
            let _ = send(socket.as_raw_fd(), &reply, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
            let_go(&writer, &mut held);
        }
    }
}

fn obey(message: &[u8], held: &mut BTreeMap<String, Held>) {
    match serde_json::from_slice(message) {
        Ok(Message::Hold(holding)) => match hold(*holding) {
            Ok(new) => drop(held.insert(new.holding.name.clone(), new)),
            Err(error) => say(&format!("cannot be held: {error}")),
        },
        Ok(Message::Drop(name)) => drop(held.remove(&name)),
        Ok(Message::Beat) => {}
        Err(error) => say(&format!("not understood: {error}")),
    }
}

fn hold(holding: Holding) -> io::Result<Held> {
    let sender = Sender::open(holding.link, &holding.link_name, holding.advert.source)?;
    let outgoing = Outgoing::new(&holding.advert)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is no virtual router"))?;
    Ok(Held { holding, sender, outgoing })
}

/// Says so first: the other host need not wait until the addresses are gone. And once more, for it is the last word.
fn let_go(writer: &Writer, held: &mut BTreeMap<String, Held>) {
    let mut all = std::mem::take(held);
    all.values_mut().for_each(release);
    for Held { holding, .. } in all.values() {
        for address in &holding.addresses {
            if let Err(error) = writer.remove(holding.address_link, *address) {
                say(&format!("{address} cannot be withdrawn: {error}"));
            }
        }
    }
    all.values_mut().for_each(release);
    for name in all.keys() {
        say(&format!("the daemon gives no sign of life; {name} is let go"));
    }
}

fn release(held: &mut Held) {
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let packets: Vec<(IpAddr, Vec<u8>)> = held.outgoing.advert(None, wall);
    for (destination, packet) in packets {
        if let Err(error) = held.sender.send(destination, &packet) {
            say(&format!("priority 0 cannot be sent to {destination}: {error}"));
        }
    }
}

#[expect(clippy::print_stderr, reason = "the daemon's log may be gone with the daemon")]
fn say(text: &str) {
    eprintln!("lb guard: {text}");
}
