//! Where a process or a thread runs: on this host, or on a host or the switch of a [`Net`](crate::netns::Net).

use std::ffi::OsStr;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use anyhow::{Result, anyhow};

use crate::netns::{self, Host};

/// A network stack.
#[derive(Clone, Debug, Default)]
pub enum Place {
    /// This host's own.
    #[default]
    Here,
    /// That of the network namespace with this name.
    Namespace(Arc<str>),
}

impl Place {
    /// A command that will run there.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Here => Command::new(program),
            Self::Namespace(name) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name]).arg(program);
                command
            }
        }
    }

    /// Moves the calling thread there for the rest of its life: sockets that it makes belong to that stack.
    ///
    /// # Errors
    /// The namespace is gone, or this process is not root.
    pub fn enter(&self) -> Result<()> {
        match self {
            Self::Here => Ok(()),
            Self::Namespace(name) => netns::enter(name),
        }
    }

    /// Runs `work` on a thread there and waits for it.
    ///
    /// # Errors
    /// Those of [`Place::enter`] and of `work`; a panic of `work` is one too.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        match self {
            Self::Here => work(),
            Self::Namespace(_) => thread::scope(|scope| {
                let inside = scope.spawn(|| {
                    self.enter()?;
                    work()
                });
                inside.join().map_err(|_| anyhow!("the work inside {self:?} panicked"))?
            }),
        }
    }
}

impl From<&Host> for Place {
    fn from(host: &Host) -> Self {
        Self::Namespace(host.namespace().into())
    }
}
