//! On what the numbers were taken.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::contestant::Contestant;

/// The machine, the programs and the moment.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub date: String,
    /// Processes that ran or wanted to, over the minute before the run: near zero on a quiet machine.
    pub load_before: f64,
    pub versions: Vec<String>,
    pub command: String,
}

impl Machine {
    /// `pairs`: whether the contestants' pairs take part too.
    pub fn look(contestants: &[Contestant], pairs: bool) -> Result<Self> {
        let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
        let memory = field("/proc/meminfo", "MemTotal").context("no MemTotal")?;
        let kib: u64 = memory.trim_end_matches(" kB").parse()?;
        let arguments: Vec<String> =
            std::env::args().skip(1).map(|argument| format!(" {argument}")).collect();
        let separator = if arguments.is_empty() { "" } else { " --" };
        Ok(Self {
            cpu,
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib >> 20,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            date: first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?,
            load_before: load_average()?,
            versions: versions(contestants, pairs)?,
            command: format!("cargo run --release -p bench{separator}{}", arguments.concat()),
        })
    }
}

fn versions(contestants: &[Contestant], pairs: bool) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    for contestant in contestants {
        match contestant {
            Contestant::Direct | Contestant::HaproxySplice => {}
            Contestant::Lb => {
                let binary = testkit::lb::binary()?;
                versions.push(first_line(&binary.to_string_lossy(), &["--version"])?);
            }
            Contestant::Nginx => {
                versions.push(first_line("nginx", &["-v"])?);
                if pairs {
                    versions.push(first_line("keepalived", &["--version"])?);
                }
            }
            Contestant::Haproxy => {
                let line = first_line("haproxy", &["-v"])?;
                versions.push(line.split(" - ").next().unwrap_or_default().to_owned());
            }
        }
    }
    Ok(versions)
}

fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().context("/proc/loadavg is empty")?.parse()?)
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Of standard output or else of standard error (nginx).
pub fn first_line(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let written = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&written);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
