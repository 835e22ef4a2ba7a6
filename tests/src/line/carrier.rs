//! `smsline carrier`.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::keys::quoted;
use super::{CarrierControl, Keys, Protocol};
use crate::http;
use crate::ports::{self, Port};
use crate::process::Process;

/// Until it serves, or has ended.
const START: Duration = Duration::from_secs(20);

/// A carrier that serves all protocols, with its files in a directory of its own; killed when dropped.
#[derive(Debug)]
pub struct Carrier {
    process: Process,
    runs: u32,
    control: Port,
    listeners: [Port; 3],
    dir: TempDir,
}

impl Carrier {
    /// Starts it and waits until it serves. `config` has the whole file but `listen`, `control` and `record`, which are
    /// the kit's.
    ///
    /// # Errors
    /// There is no binary, or it ends or does not serve in time; with its log.
    pub fn start(config: &Keys) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("carrier-").tempdir()?;
        let control = ports::reserve()?;
        let listeners = [ports::reserve()?, ports::reserve()?, ports::reserve()?];
        let families = ["cmpp", "sgip", "smgp"];
        let listen = families
            .iter()
            .zip(&listeners)
            .fold(Keys::new(), |keys, (family, port)| keys.set(family, quoted(port.address())));
        let config = config
            .clone()
            .set("listen", listen)
            .set("control", quoted(control.address()))
            .set("record", quoted(dir.path().join("record.sqlite").display()));
        fs::write(dir.path().join("carrier.yaml"), config.file())?;
        let process = run(dir.path(), 1)?;
        let mut carrier = Self { process, runs: 1, control, listeners, dir };
        carrier.wait_serving()?;
        Ok(carrier)
    }

    /// Starts it once more with the same files, after it has ended.
    ///
    /// # Errors
    /// As [`Carrier::start`].
    pub fn start_again(&mut self) -> Result<()> {
        self.runs += 1;
        self.process = run(self.dir.path(), self.runs)?;
        self.wait_serving()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    /// It does not end in time, or fails; with its log.
    pub fn stop(&mut self) -> Result<()> {
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.wait_exit(START)?;
        ensure!(status.success(), "the carrier ends with {status}; its log:\n{}", self.log());
        Ok(())
    }

    /// Where customers connect to.
    #[must_use]
    pub fn address(&self, protocol: Protocol) -> SocketAddr {
        let [cmpp, sgip, smgp] = &self.listeners;
        match protocol {
            Protocol::Cmpp20 | Protocol::Cmpp30 => cmpp.address(),
            Protocol::Sgip12 => sgip.address(),
            Protocol::Smgp30 => smgp.address(),
        }
    }

    /// What it tells and is told.
    #[must_use]
    pub fn control(&self) -> CarrierControl {
        CarrierControl::new(self.control.address())
    }

    /// All that it wrote so far, in all its runs.
    #[must_use]
    pub fn log(&self) -> String {
        let logs =
            (1..=self.runs).filter_map(|run| fs::read_to_string(self.dir.path().join(log_name(run))).ok());
        logs.collect()
    }

    /// The daemon as a process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn wait_serving(&mut self) -> Result<()> {
        let address = self.control.address();
        self.process.wait_until("readiness", START, || {
            let response = http::get(address, "/readyz").ok()?;
            (response.status == 200).then_some(())
        })
    }
}

fn run(dir: &Path, number: u32) -> Result<Process> {
    let mut command = Command::new(super::binary()?);
    command.args(["carrier", "--config"]).arg(dir.join("carrier.yaml"));
    Process::start("carrier", command, &dir.join(log_name(number)), "is it executable?")
}

fn log_name(run: u32) -> String {
    format!("log-{run}")
}
