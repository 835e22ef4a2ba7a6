//! The daemon's end of the guard.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};

use super::{Holding, MOST, Message, Reply};

/// A running guard. It is killed when this is dropped; what it holds is then nobody's matter.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    socket: OwnedFd,
    /// It did not take a message: it is gone, or hangs.
    gone: bool,
}

/// What the guard says, or what is seen of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It took this process for dead and let go of everything; it holds nothing now.
    Fired,
    Gone,
}

impl Guard {
    /// Starts a guard, a process of this same program.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn start() -> io::Result<Self> {
        let (socket, theirs) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        setsockopt(&socket, sockopt::SndBuf, &(4 * MOST))?;
        let child = Command::new("/proc/self/exe")
            .arg0("lb-guard")
            .arg("guard")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            // a signal to the daemon's group is not for the guard
            .process_group(0)
            .spawn()?;
        Ok(Self { child, socket, gone: false })
    }

    /// Holds this from now on, instead of what it held under the same name.
    pub fn hold(&mut self, holding: &Holding) {
        self.tell(&Message::Hold(Box::new(holding.clone())));
    }

    /// Holds it no longer.
    pub fn drop_holding(&mut self, name: &str) {
        self.tell(&Message::Drop(name.to_owned()));
    }

    /// This process lives.
    pub fn beat(&mut self) {
        self.tell(&Message::Beat);
    }

    /// What there is to know; never waits.
    pub fn read(&mut self) -> Option<News> {
        let mut buffer = [0; 64];
        match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(length) if length > 0 => {
                match serde_json::from_slice(buffer.get(..length).unwrap_or_default()) {
                    Ok(Reply::Fired) => Some(News::Fired),
                    Err(_) => Some(News::Gone),
                }
            }
            Err(Errno::EAGAIN | Errno::EINTR) => self.gone.then_some(News::Gone),
            Ok(_) | Err(_) => Some(News::Gone),
        }
    }

    fn tell(&mut self, message: &Message) {
        let Ok(bytes) = serde_json::to_vec(message) else { return };
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        self.gone |= send(self.socket.as_raw_fd(), &bytes, flags).is_err();
    }
}

impl AsFd for Guard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // one that hung must not wake up later and let go of what it remembers
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
