//! A process of the line with its files: started, killed, started again as often as a test likes.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::Keys;
use super::keys::quoted;
use crate::http::{self, Response};
use crate::metrics::{self, Metrics};
use crate::place::Place;
use crate::ports::{self, Port};
use crate::process::Process;
use crate::wait;

/// Until it serves, is ready, or has ended.
pub const START: Duration = Duration::from_secs(20);

/// `smsline ROLE` with its files in a directory of its own; killed when dropped. Started again, it finds its files as it
/// left them.
#[derive(Debug)]
pub struct Node {
    role: &'static str,
    process: Process,
    runs: u32,
    place: Place,
    before: Vec<OsString>,
    metrics: Port,
    dir: TempDir,
}

/// What a node is made of before it runs.
#[derive(Debug)]
pub struct Prepared {
    role: &'static str,
    place: Place,
    before: Vec<OsString>,
    metrics: Port,
    dir: TempDir,
}

impl Node {
    /// A directory and a port for one; nothing runs yet.
    ///
    /// # Errors
    /// The host has no room for them.
    pub fn prepare(role: &'static str) -> Result<Prepared> {
        let dir = tempfile::Builder::new().prefix(&format!("{role}-")).tempdir()?;
        Ok(Prepared { role, place: Place::Here, before: Vec::new(), metrics: ports::reserve()?, dir })
    }

    /// Starts it once more with the same files, after it has ended; does not wait.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_again(&mut self) -> Result<()> {
        self.runs += 1;
        self.process = run(self.role, &self.place, &self.before, self.dir.path(), self.runs)?;
        Ok(())
    }

    /// Its configuration file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn config(&self) -> Result<String> {
        fs::read_to_string(config_path(self.dir.path())).context("cannot read the configuration")
    }

    /// Puts another configuration file in place, for when it is started again.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn configure(&self, config: &str) -> Result<()> {
        fs::write(config_path(self.dir.path()), config).context("cannot write the configuration")
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
        ensure!(status.success(), "{} ends with {status}; its log:\n{}", self.role, self.log());
        Ok(())
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// It ends first or takes too long; with its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        self.wait_status("readiness", "/readyz")
    }

    /// Waits until `/healthz` says yes.
    ///
    /// # Errors
    /// As [`Node::wait_ready`].
    pub fn wait_healthy(&mut self) -> Result<()> {
        self.wait_status("health", "/healthz")
    }

    fn wait_status(&mut self, what: &str, path: &str) -> Result<()> {
        let (place, address) = (self.place.clone(), self.metrics.address());
        self.process.wait_until(what, START, || {
            let response = place.run(|| http::get(address, path)).ok()?;
            (response.status == 200).then_some(())
        })
    }

    /// Looks at `/metrics`.
    ///
    /// # Errors
    /// There is no answer, or not Prometheus' text format.
    pub fn metrics(&self) -> Result<Metrics> {
        Metrics::parse(&self.get("/metrics")?.body)
    }

    /// Waits until the sum of the samples of `name` with these labels satisfies `wanted`, and returns it.
    ///
    /// # Errors
    /// The deadline has passed; with the last value and the log.
    pub fn wait_metric(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        deadline: Duration,
        wanted: impl Fn(f64) -> bool,
    ) -> Result<f64> {
        metrics::wait(name, labels, deadline, || self.metrics(), wanted)
            .with_context(|| format!("log of {}:\n{}", self.role, self.log()))
    }

    /// Gets a path of the HTTP endpoint.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, path: &str) -> Result<Response> {
        let address = self.metrics.address();
        self.place.run(|| http::get(address, path))
    }

    /// All that it wrote so far, in all its runs.
    #[must_use]
    pub fn log(&self) -> String {
        let logs = (1..=self.runs).filter_map(|run| fs::read(log_path(self.dir.path(), run)).ok());
        logs.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// Waits until its log holds `text`.
    ///
    /// # Errors
    /// The deadline has passed; with the log.
    pub fn wait_log(&self, text: &str, deadline: Duration) -> Result<()> {
        let result = wait::until(&format!("the log line {text:?}"), deadline, || {
            self.log().contains(text).then_some(())
        });
        result.with_context(|| format!("log of {}:\n{}", self.role, self.log()))
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The program as a process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

impl Prepared {
    /// Where it will run.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// A command that the program's own is an argument of.
    #[must_use]
    pub fn under(self, before: impl IntoIterator<Item = OsString>) -> Self {
        Self { before: before.into_iter().collect(), ..self }
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The address of its HTTP endpoint.
    #[must_use]
    pub fn metrics(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Starts it and does not wait. `config` has the whole file but `metrics`, which is the kit's.
    ///
    /// # Errors
    /// There is no binary.
    pub fn start(self, config: Keys) -> Result<Node> {
        let Self { role, place, before, metrics, dir } = self;
        let config = config.set("metrics", Keys::new().set("listen", quoted(metrics.address())));
        fs::write(config_path(dir.path()), config.file())?;
        let process = run(role, &place, &before, dir.path(), 1)?;
        Ok(Node { role, process, runs: 1, place, before, metrics, dir })
    }
}

fn run(role: &str, place: &Place, before: &[OsString], dir: &Path, number: u32) -> Result<Process> {
    let binary = super::binary()?;
    let mut command = match before.split_first() {
        Some((program, arguments)) => {
            let mut command = place.command(program);
            command.args(arguments).arg(binary);
            command
        }
        None => place.command(binary),
    };
    command.args([role, "--config"]).arg(config_path(dir));
    Process::start(role, command, &log_path(dir, number), "is it executable?")
}

fn config_path(dir: &Path) -> PathBuf {
    dir.join("config.yaml")
}

fn log_path(dir: &Path, run: u32) -> PathBuf {
    dir.join(format!("log-{run}"))
}
