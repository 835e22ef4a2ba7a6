//! `smsline gateway`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::keys::quoted;
use super::{Keys, Uplink};
use crate::http::{self, Response};
use crate::metrics::{self, Metrics};
use crate::ports::{self, Port};
use crate::process::Process;
use crate::wait;

/// Until it serves, is ready, or has ended.
const START: Duration = Duration::from_secs(20);

/// A gateway with its files in a directory of its own; killed when dropped. It can be killed and started again as often
/// as a test likes, and finds its files as it left them.
#[derive(Debug)]
pub struct Gateway {
    process: Process,
    runs: u32,
    launcher: Launcher,
    metrics: Port,
    dir: TempDir,
}

/// What starts the program.
#[derive(Clone, Debug)]
enum Launcher {
    Plain,
    /// In a mount namespace of its own, with a disk of so many bytes for the spool.
    SmallDisk {
        bytes: u64,
    },
}

impl Gateway {
    /// Starts it and waits until it is ready. `config` has the whole file but `gateway`, `spool`, `uplink` and `metrics`,
    /// which are the kit's.
    ///
    /// # Errors
    /// There is no binary, or it ends or is not ready in time; with its log.
    pub fn start(config: &Keys) -> Result<Self> {
        let mut gateway = Self::spawn(config)?;
        gateway.wait_ready()?;
        Ok(gateway)
    }

    /// As [`Gateway::start`], for one whose carrier is not there: it waits only until it serves.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn spawn(config: &Keys) -> Result<Self> {
        Self::launch(config, Launcher::Plain)
    }

    /// As [`Gateway::start`], with a disk of so many bytes for the spool. Needs root.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn start_on_small_disk(config: &Keys, bytes: u64) -> Result<Self> {
        let mut gateway = Self::launch(config, Launcher::SmallDisk { bytes })?;
        gateway.wait_ready()?;
        Ok(gateway)
    }

    /// Starts it once more with the same files, after it has ended, and waits until it serves.
    ///
    /// # Errors
    /// As [`Gateway::start`].
    pub fn start_again(&mut self) -> Result<()> {
        self.runs += 1;
        self.process = run(self.dir.path(), self.runs, &self.launcher)?;
        self.wait_serving()
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
        ensure!(status.success(), "the gateway ends with {status}; its log:\n{}", self.log());
        Ok(())
    }

    /// Waits until it takes messages.
    ///
    /// # Errors
    /// It ends first or takes too long; with its log.
    pub fn wait_serving(&mut self) -> Result<()> {
        let uplink = self.uplink();
        self.process.wait_until("its uplink", START, || uplink.status().ok()).map(drop)
    }

    /// Waits until `/readyz` says yes: its accounts are connected, too.
    ///
    /// # Errors
    /// It ends first or takes too long; with its log.
    pub fn wait_ready(&mut self) -> Result<()> {
        let address = self.metrics.address();
        self.process.wait_until("readiness", START, || {
            let response = http::get(address, "/readyz").ok()?;
            (response.status == 200).then_some(())
        })
    }

    /// Where UAOPs hand messages in.
    #[must_use]
    pub fn uplink(&self) -> Uplink {
        Uplink::new(self.dir.path().join("uplink.sock"))
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
            .with_context(|| format!("log of the gateway:\n{}", self.log()))
    }

    /// Gets a path of the HTTP endpoint.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, path: &str) -> Result<Response> {
        http::get(self.metrics.address(), path)
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
        result.with_context(|| format!("log of the gateway:\n{}", self.log()))
    }

    /// The directory that the gateway sees as its spool; of one on a small disk, as seen from here.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        let spool = spool(self.dir.path());
        match self.launcher {
            Launcher::Plain => spool,
            Launcher::SmallDisk { .. } => {
                let inside = spool.strip_prefix("/").unwrap_or(&spool);
                PathBuf::from(format!("/proc/{}/root", self.process.pid())).join(inside)
            }
        }
    }

    /// The daemon as a process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    fn launch(config: &Keys, launcher: Launcher) -> Result<Self> {
        let dir = tempfile::Builder::new().prefix("gateway-").tempdir()?;
        let metrics = ports::reserve()?;
        let listen = Keys::new().set("listen", quoted(metrics.address()));
        let config = config
            .clone()
            .set("gateway", "gw")
            .set("spool", quoted(spool(dir.path()).display()))
            .set("uplink", quoted(dir.path().join("uplink.sock").display()))
            .set("metrics", listen);
        fs::create_dir(spool(dir.path()))?;
        fs::write(config_path(dir.path()), config.file())?;
        let process = run(dir.path(), 1, &launcher)?;
        let mut gateway = Self { process, runs: 1, launcher, metrics, dir };
        gateway.wait_serving()?;
        Ok(gateway)
    }
}

fn run(dir: &Path, number: u32, launcher: &Launcher) -> Result<Process> {
    let mut command = match launcher {
        Launcher::Plain => Command::new(super::binary()?),
        Launcher::SmallDisk { bytes } => {
            let mut command = Command::new("unshare");
            let script = r#"mount -t tmpfs -o "size=$0" none "$1" && shift && exec "$@""#;
            command.args(["--mount", "sh", "-c", script, &bytes.to_string()]).arg(spool(dir));
            command.arg(super::binary()?);
            command
        }
    };
    command.args(["gateway", "--config"]).arg(config_path(dir));
    Process::start("gateway", command, &log_path(dir, number), "is it executable?")
}

fn config_path(dir: &Path) -> PathBuf {
    dir.join("gateway.yaml")
}

fn spool(dir: &Path) -> PathBuf {
    dir.join("spool")
}

fn log_path(dir: &Path, run: u32) -> PathBuf {
    dir.join(format!("log-{run}"))
}
