//! One round of one row with one contestant.

use std::fmt;
use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use serde::Serialize;
use testkit::usage;

use crate::contestant::{Contestant, Running};
use crate::load::{BEGIN, END, Measured};
use crate::results::Metric;
use crate::row::{IDLE, Row};
use crate::server::Servers;

/// Before the measured time.
const WARM_UP: Duration = Duration::from_millis(500);
/// Between the opening of the last idle connection and the look at the memory.
const SETTLE: Duration = Duration::from_millis(500);

/// The same for all rows.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Settings {
    pub rounds: u32,
    pub measure: Duration,
    /// Worker threads or processes of each proxy, threads of the servers and of the load.
    pub workers: usize,
    /// Of each scenario of the failovers with each pair.
    pub trials: u32,
}

/// What a round found.
#[derive(Debug, Default)]
pub struct Outcome {
    pub values: Vec<(Metric, f64)>,
    /// Nanoseconds; only rows of requests or connections have one.
    pub latency: Option<Histogram<u64>>,
    pub failures: u64,
    pub first_failure: Option<String>,
}

/// Starts the contestant afresh, puts the load on it and ends it.
///
/// # Errors
/// A process does not start, or ends before it should.
pub fn run(row: Row, contestant: Contestant, settings: &Settings, servers: &Servers) -> Result<Outcome> {
    let running = contestant.start(&servers.addresses(), settings.workers)?;
    match row {
        Row::Memory => memory(&running, settings),
        Row::Requests | Row::FixedRate | Row::Connections | Row::Download | Row::Upload => {
            traffic(row, &running, settings)
        }
    }
}

fn traffic(row: Row, running: &Running, settings: &Settings) -> Result<Outcome> {
    let cpu = || running.pid.map(usage::cpu_of_tree).transpose();
    let mut load = LoadProcess::start(row, &running.addresses, settings)?;
    load.expect(BEGIN)?;
    let before = cpu()?;
    load.expect(END)?;
    let after = cpu()?;
    let measured: Measured = serde_json::from_str(&load.line()?)?;

    let units = measured.units as f64 / row.units_per_unit();
    let mut values = Vec::new();
    if row != Row::FixedRate {
        values.push((Metric::Rate, units / measured.seconds));
    }
    let latency = Some(measured.histogram()).filter(|histogram| !histogram.is_empty());
    if let Some(latency) = &latency {
        for metric in [Metric::P50, Metric::P90, Metric::P99, Metric::P999] {
            let nanoseconds = latency.value_at_quantile(metric.quantile().unwrap_or_default());
            values.push((metric, nanoseconds as f64 / 1e3));
        }
    }
    if let (Some(before), Some(after)) = (before, after)
        && units > 0.0
    {
        let seconds = (after - before).as_secs_f64();
        values.push((Metric::Cpu, seconds * row.cpu_scale() / units));
    }
    Ok(Outcome { values, latency, failures: measured.failures, first_failure: measured.first_failure })
}

fn memory(running: &Running, settings: &Settings) -> Result<Outcome> {
    let pid = running.pid.context("no proxy, no memory")?;
    let before = usage::of_tree(pid)?;
    let mut load = LoadProcess::start(Row::Memory, &running.addresses, settings)?;
    load.expect(BEGIN)?;
    thread::sleep(SETTLE);
    let after = usage::of_tree(pid)?;
    let files = after.files.saturating_sub(before.files);
    // the proxy's own files come and go: a check that had just ended, a log
    ensure!(
        files + 16 >= u64::from(2 * IDLE),
        "only {files} files for {IDLE} connections: they are not there"
    );
    let grown = after.memory.saturating_sub(before.memory) as f64;
    let values = vec![
        (Metric::Memory, grown / 1024.0 / f64::from(IDLE)),
        (Metric::BaseMemory, before.memory as f64 / f64::from(1 << 20)),
    ];
    Ok(Outcome { values, ..Outcome::default() })
}

/// The running load; killed when dropped.
struct LoadProcess {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Idle connections end when this closes.
    _stdin: ChildStdin,
}

impl LoadProcess {
    fn start(row: Row, to: &[SocketAddr], settings: &Settings) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["load", &row.to_string(), "--threads", &settings.workers.to_string()]);
        command.args(["--warm-up", &WARM_UP.as_millis().to_string()]);
        command.args(["--measure", &settings.measure.as_millis().to_string()]);
        command.args(to.iter().map(SocketAddr::to_string)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start the load")?;
        let stdout = process.stdout.take().context("no pipe")?;
        let stdin = process.stdin.take().context("no pipe")?;
        Ok(Self { process, lines: BufReader::new(stdout).lines(), _stdin: stdin })
    }

    fn expect(&mut self, wanted: &str) -> Result<()> {
        let line = self.line()?;
        ensure!(line == wanted, "the load says {line:?} in place of {wanted:?}");
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.lines.next().context("the load ended early")??)
    }
}

impl Drop for LoadProcess {
    fn drop(&mut self) {
        // Failures mean that it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (metric, value) in &self.values {
            write!(f, "{metric} {value:.1}  ")?;
        }
        if self.failures > 0 {
            let first = self.first_failure.as_deref().unwrap_or("unknown");
            write!(f, "FAILURES {} (first: {first})", self.failures)?;
        }
        Ok(())
    }
}
