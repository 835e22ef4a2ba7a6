//! Log lines without a thread and without a wait.

use std::io::{self, Write};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Standard error, as far as its reader takes it; the rest is lost. Nothing that the guard says is worth a wait.
pub(super) struct Unwaited;

impl Write for Unwaited {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr();
        let mut polled = [PollFd::new(std::os::fd::AsFd::as_fd(&stderr), PollFlags::POLLOUT)];
        match poll(&mut polled, PollTimeout::ZERO) {
            // A pipe has room for a page then, and a line is shorter.
            Ok(1) => stderr.write(line),
            Ok(_) | Err(_) => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
