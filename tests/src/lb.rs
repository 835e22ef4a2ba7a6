//! The real `lb` binary.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::binary;
use crate::http::{self, Response};
use crate::metrics::{self, Metrics};
use crate::place::Place;
use crate::ports::{self, Port};
use crate::process::Process;

/// Until `/readyz` says yes.
const START: Duration = Duration::from_secs(15);

/// A running daemon, with its files in a directory of its own; killed when dropped.
#[derive(Debug)]
pub struct Lb {
    process: Process,
    binary: PathBuf,
    place: Place,
    metrics: Port,
    dir: TempDir,
}

impl Lb {
    /// Starts `lb` on this host and waits until it is ready. `config` has everything but `metrics:` and `admin:`,
    /// which are the kit's.
    ///
    /// # Errors
    /// There is no binary, or it ends or is not ready in time; with its log.
    pub fn start(config: &str) -> Result<Self> {
        Self::start_in(&Place::Here, config)
    }

    /// As [`Lb::start`], elsewhere.
    ///
    /// # Errors
    /// As [`Lb::start`].
    pub fn start_in(place: &Place, config: &str) -> Result<Self> {
        let mut lb = Self::spawn(place, config, &[])?;
        lb.wait_ready()?;
        Ok(lb)
    }

    /// Starts `lb run` with more arguments and does not wait.
    ///
    /// # Errors
    /// There is no binary.
    pub fn spawn(place: &Place, config: &str, arguments: &[&str]) -> Result<Self> {
        let binary = binary()?;
        let dir = tempfile::Builder::new().prefix("lb-").tempdir()?;
        let metrics = ports::reserve()?;
        write_config(dir.path(), metrics.address(), config)?;
        let mut command = place.command(&binary);
        command.args(["run", "--config"]).arg(dir.path().join("lb.yaml")).args(arguments);
        let process = Process::start("lb", command, &dir.path().join("log"), "is it executable?")?;
        Ok(Self { process, binary, place: place.clone(), metrics, dir })
    }

    /// Waits until `/readyz` says yes.
    ///
    /// # Errors
    /// It ends first or takes too long; with its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        let (place, address) = (self.place.clone(), self.metrics.address());
        self.process.wait_until("readiness", START, || {
            let response = place.run(|| http::get(address, "/readyz")).ok()?;
            (response.status == 200).then_some(())
        })
    }

    /// Puts a new configuration in place and applies it with `lb reload`.
    ///
    /// # Errors
    /// What `lb reload` complains about; the old configuration is then still in force.
    pub fn reload(&self, config: &str) -> Result<()> {
        self.write(config)?;
        self.ctl(&["reload"]).map(drop)
    }

    /// Only puts the new configuration in place, for whoever sends SIGHUP.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, config: &str) -> Result<()> {
        write_config(self.dir.path(), self.metrics.address(), config)
    }

    /// Runs another `lb` against this one's administration socket: `lb --socket PATH ARGUMENTS`.
    ///
    /// # Errors
    /// It cannot be run, or fails; with what it wrote.
    pub fn ctl(&self, arguments: &[&str]) -> Result<String> {
        let output = self.ctl_output(arguments)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!("lb {} fails ({}):\n{stdout}{stderr}", arguments.join(" "), output.status);
        }
        Ok(stdout)
    }

    /// As [`Lb::ctl`], for those who look at the failure themselves.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn ctl_output(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.place.command(&self.binary);
        command.arg("--socket").arg(self.socket()).args(arguments);
        command.output().context("cannot run lb")
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
    /// The deadline has passed; with the last value.
    pub fn wait_metric(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        deadline: Duration,
        wanted: impl Fn(f64) -> bool,
    ) -> Result<f64> {
        metrics::wait(name, labels, deadline, || self.metrics(), wanted)
            .with_context(|| format!("log of lb:\n{}", self.log()))
    }

    /// Gets a path of the HTTP endpoint.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, path: &str) -> Result<Response> {
        self.place.run(|| http::get(self.metrics.address(), path))
    }

    /// Sends a signal to the daemon.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    /// All that the daemon wrote so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The daemon as a process: pid, waits, end.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Of the daemon.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Address of the HTTP endpoint.
    pub fn metrics_address(&self) -> SocketAddr {
        self.metrics.address()
    }

    /// Path of the administration socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("lb.sock")
    }

    /// The configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.dir.path().join("lb.yaml")
    }
}

/// The binary under test: the one that `LB_BIN` names, or else the one that was built with the running program.
///
/// # Errors
/// There is none; says how to build it.
pub fn binary() -> Result<PathBuf> {
    binary::find("lb", "LB_BIN")
}

fn write_config(dir: &Path, metrics: SocketAddr, config: &str) -> Result<()> {
    let socket = dir.join("lb.sock");
    let head =
        format!("metrics: {{ listen: \"{metrics}\" }}\nadmin: {{ socket: \"{}\" }}\n", socket.display());
    // In one step, so that a reload never reads half a file.
    let new = dir.join("lb.yaml.new");
    fs::write(&new, head + config).with_context(|| format!("cannot write {}", new.display()))?;
    fs::rename(&new, dir.join("lb.yaml")).context("cannot put lb.yaml in place")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kit_adds_its_sections() {
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), "127.0.0.1:9100".parse().unwrap(), "pools: []\n").unwrap();
        let text = fs::read_to_string(dir.path().join("lb.yaml")).unwrap();
        let socket = dir.path().join("lb.sock");
        let expected = format!(
            "metrics: {{ listen: \"127.0.0.1:9100\" }}\nadmin: {{ socket: \"{}\" }}\npools: []\n",
            socket.display()
        );
        assert_eq!(text, expected);
    }
}
