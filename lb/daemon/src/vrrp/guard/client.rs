//! The daemon's end of the guard.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};

use super::{Holding, MESSAGE_BYTES, Message, Reply};
use crate::sys;

/// How often it is looked whether the guard reads what it is told.
const LOOK: Duration = Duration::from_millis(10);
/// After so many looks in a row that found something unread it hangs. They are counted, because a machine that stands
/// still lets time pass but nobody look.
const UNREAD_LOOKS: u32 = 50;

/// The kernel's table of descriptors is as long as the highest of them; this is half a megabyte.
const DESCRIPTORS: u64 = 65_536;

/// A running guard. Nothing here waits for it. Dropped, it lets go of what it holds, and ends.
///
/// A guard that does not read what it is told is killed: it must not wake up later and let go of what another one
/// holds by then.
#[derive(Debug)]
pub struct Guard {
    socket: OwnedFd,
    child: Option<Child>,
    /// What it was told to hold, each with the number of the message.
    held: BTreeMap<String, u64>,
    number: u64,
    /// How many looks in a row found something unread.
    unread: u32,
    /// The last one.
    looked: Instant,
    gone: bool,
}

/// What the guard says, or what is seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It missed our beats, and let go of what it held then: these, if they were not dropped since. It goes on.
    Fired(Vec<String>),
    /// It is dead, and whatever it held is unguarded. Said as often as it is asked.
    Gone,
}

impl Guard {
    /// Starts this same program as a guard; takes as long as that.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn start() -> io::Result<Self> {
        // What runs, even if another version is installed by now.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("lb").arg("guard");
        Self::spawn(command)
    }

    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        let (ours, theirs) = Self::connect()?;
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null());
        // Signals to the daemon's group are not for the guard.
        let child = command.process_group(0).spawn()?;
        Ok(Self::new(ours, Some(child)))
    }

    /// The daemon's end and the guard's.
    pub(super) fn connect() -> io::Result<(OwnedFd, OwnedFd)> {
        let (ours, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        // A message must fit, and some beats. Beyond the system's limit only with CAP_NET_ADMIN.
        let bytes = 2 * MESSAGE_BYTES;
        if setsockopt(&ours, sockopt::SndBufForce, &bytes).is_err() {
            setsockopt(&ours, sockopt::SndBuf, &bytes)?;
        }
        Ok((closed_first(ours), theirs))
    }

    pub(super) fn new(socket: OwnedFd, child: Option<Child>) -> Self {
        Self {
            socket,
            child,
            held: BTreeMap::new(),
            number: 0,
            unread: 0,
            looked: Instant::now(),
            gone: false,
        }
    }

    /// Of its process.
    #[cfg(test)]
    pub(super) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Has this let go of when the need comes, in place of what was held under the same name. To be said before the
    /// addresses are installed.
    pub fn hold(&mut self, holding: &Holding) {
        self.number += 1;
        self.held.insert(holding.name.clone(), self.number);
        self.tell(&Message::Hold { number: self.number, holding: Box::new(holding.clone()) });
    }

    /// To be said after the addresses are removed.
    pub fn drop_holding(&mut self, name: &str) {
        self.held.remove(name);
        self.tell(&Message::Drop(name.to_owned()));
    }

    /// A sign of life, to be given every 20 ms while anything is held.
    pub fn beat(&mut self) {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            let unread = sys::unacknowledged_bytes(&self.socket).is_ok_and(|bytes| bytes > 0);
            self.unread = if unread { self.unread + 1 } else { 0 };
        }
        if self.unread >= UNREAD_LOOKS {
            self.give_up();
        } else {
            self.tell(&Message::Beat);
        }
    }

    /// What there is to know. To be asked when the descriptor can be read, and again until it is `None` or gone.
    pub fn read(&mut self) -> Option<News> {
        let mut buffer = [0; 64];
        loop {
            if self.gone {
                return Some(News::Gone);
            }
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(len) if len > 0 => match serde_json::from_slice(buffer.get(..len).unwrap_or_default()) {
                    Ok(Reply::Fired { number }) => {
                        let fired = self.held.extract_if(.., |_, held| *held <= number);
                        return Some(News::Fired(fired.map(|(name, _)| name).collect()));
                    }
                    Err(_) => self.give_up(),
                },
                Err(Errno::EAGAIN) => return None,
                // The latter: it is gone and has not read all. What it said is there still.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Ok(_) | Err(_) => self.give_up(),
            }
        }
    }

    fn tell(&mut self, message: &Message) {
        let Ok(bytes) = serde_json::to_vec(message) else { return };
        if self.gone {
            return;
        }
        if bytes.len() > MESSAGE_BYTES {
            // Another guard would not take it either.
            tracing::error!("addresses are not guarded: they and the peers are too many");
            return;
        }
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        match send(self.socket.as_raw_fd(), &bytes, flags) {
            Ok(_) => {}
            // What it said last is still to be read, and then that it is gone.
            Err(Errno::EPIPE | Errno::ECONNRESET) => {}
            Err(_) => self.give_up(),
        }
    }

    fn give_up(&mut self) {
        self.gone = true;
        if let Some(child) = &mut self.child {
            // It fails for one that has ended.
            let _ = child.kill();
        }
    }
}

/// A process that dies closes its descriptors from the highest down, and packet sockets take the kernel 20 ms: the guard
/// need not wait for them, nor for a thousand connections.
fn closed_first(socket: OwnedFd) -> OwnedFd {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(limit, _)| limit.min(DESCRIPTORS));
    let highest = i32::try_from(limit).unwrap_or(i32::MAX) - 1;
    // Some room for what others want to have there; below, it is only slower.
    sys::duplicate_from(&socket, highest - 16).unwrap_or(socket)
}

impl AsFd for Guard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Its end takes a moment, for which nobody has to wait. Without a thread it stays a zombie as long as we live.
            let _ = thread::Builder::new().name("guard's end".to_owned()).spawn(move || child.wait());
        }
    }
}
