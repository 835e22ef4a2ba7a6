//! A program decides, by its exit code.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::{ProbeError, Target};

/// So much of what a command writes is kept for its error, in bytes.
const OUTPUT_KEPT: usize = 4 * 1024;

/// A command that writes more than this is killed: it would cost more to read on than it can tell.
const OUTPUT_LIMIT: usize = 1024 * 1024;

/// As [`run`], with the server's address, port and name after the program's own arguments.
pub(super) async fn probe(target: &Target, program: &Path, args: &[String]) -> Result<(), ProbeError> {
    let Target { address, server_name, .. } = target;
    let more = [address.ip().to_string(), address.port().to_string(), server_name.clone()];
    let args: Vec<String> = args.iter().cloned().chain(more).collect();
    run(program, &args, &[]).await
}

/// Runs the program, in a process group of its own. Whatever ends this (the exit of the program, a caller that
/// drops this future because its time limit is over) kills what is left of the group. A process that leaves the
/// group is out of reach.
///
/// # Errors
/// It cannot be run, or does not end with exit code 0.
pub async fn run(program: &Path, args: &[String], environment: &[(&str, &str)]) -> Result<(), ProbeError> {
    let fault = |error: io::Error| ProbeError::Local(format!("{}: {error}", program.display()));
    let (mut child, mut output) = spawn(program, args, environment).map_err(fault)?;
    let _group = Group::led_by(&child);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(fault)?,
            result = output.read(), if !output.ended => result?,
        }
    };
    if status.success() {
        return Ok(());
    }
    output.read_rest();
    Err(failure(status, &output.kept))
}

fn spawn(program: &Path, args: &[String], environment: &[(&str, &str)]) -> io::Result<(Child, Output)> {
    let (reader, writer) = io::pipe()?;
    let child = Command::new(program)
        .args(args)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .process_group(0)
        .spawn()?;
    let pipe = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok((child, Output { pipe, kept: Vec::new(), total: 0, ended: false }))
}

fn failure(status: ExitStatus, output: &[u8]) -> ProbeError {
    match status.code() {
        Some(code) => ProbeError::Exit { code, output: String::from_utf8_lossy(output).into_owned() },
        None => ProbeError::Signal(status.signal().unwrap_or_default()),
    }
}

/// What the command writes to its standard output and error.
struct Output {
    pipe: pipe::Receiver,
    /// The beginning.
    kept: Vec<u8>,
    total: usize,
    ended: bool,
}

impl Output {
    /// Waits for something to read, and reads once.
    async fn read(&mut self) -> Result<(), ProbeError> {
        self.pipe.readable().await?;
        self.try_read().map(drop)
    }

    /// Reads what is there. A child of the program may hold the pipe open, so there may be no end to wait for.
    fn read_rest(&mut self) {
        while !self.ended && self.try_read().unwrap_or(false) {}
    }

    /// Whether there was something.
    fn try_read(&mut self) -> Result<bool, ProbeError> {
        let mut buf = [0; OUTPUT_KEPT];
        let len = match self.pipe.try_read(&mut buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            result => result?,
        };
        self.ended = len == 0;
        self.total += len;
        if self.total > OUTPUT_LIMIT {
            return Err(ProbeError::Flood(OUTPUT_LIMIT));
        }
        let room = OUTPUT_KEPT - self.kept.len();
        self.kept.extend_from_slice(&buf[..len.min(room)]);
        Ok(true)
    }
}

/// The process group of a command. Dropped, it is killed.
///
/// It must be dropped before its [`Child`], which then is reaped by the runtime in the background: nothing waits
/// for a process that the kernel cannot end. After a normal end the leader has been reaped already, but its number
/// stays taken while the group has members.
struct Group(Option<Pid>);

impl Group {
    fn led_by(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // ESRCH is the good case: nobody is left.
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }
}

#[cfg(test)]
mod tests;
