//! What a process and its descendants use, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// `USER_HZ`: part of the kernel's ABI, 100 on all that we run on.
const TICKS_PER_SECOND: u64 = 100;

/// Sums over a process tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time, exact to 10 ms per process.
    pub cpu: Duration,
    /// Proportional set size in bytes: a page shared by n processes counts 1/n in each, and so grows when another
    /// process that runs the same program ends.
    pub memory: u64,
    /// Anonymous memory in bytes: heap and stacks, whatever other processes do.
    pub anonymous: u64,
    /// Open file descriptors.
    pub files: u64,
    pub processes: u64,
}

/// Of `pid` and all its descendants.
///
/// # Errors
/// `pid` is gone, or belongs to another user. A descendant that ends while we look counts nothing.
pub fn of_tree(pid: u32) -> Result<Usage> {
    let mut sum = of(pid).with_context(|| format!("cannot read the usage of process {pid}"))?;
    for one in descendants(pid).into_iter().filter_map(|pid| of(pid).ok()) {
        sum.cpu += one.cpu;
        sum.memory += one.memory;
        sum.anonymous += one.anonymous;
        sum.files += one.files;
        sum.processes += one.processes;
    }
    Ok(sum)
}

/// Only the CPU time of [`of_tree`]: cheap enough to take while measuring.
///
/// # Errors
/// As [`of_tree`].
pub fn cpu_of_tree(pid: u32) -> Result<Duration> {
    let own = cpu(pid).with_context(|| format!("cannot read the CPU time of process {pid}"))?;
    Ok(own + descendants(pid).into_iter().filter_map(|pid| cpu(pid).ok()).sum::<Duration>())
}

/// Children, their children and so on; parents come first.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = children(pid);
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(children(pid));
        next += 1;
    }
    found
}

/// Whether a process still does something: a zombie, which only waits for its parent's look, does not.
pub fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z")))
}

fn of(pid: u32) -> Result<Usage> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let (memory, anonymous) = (bytes(&rollup, "Pss:")?, bytes(&rollup, "Anonymous:")?);
    let files = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok(Usage { cpu: cpu(pid)?, memory, anonymous, files: files.try_into()?, processes: 1 })
}

/// A field of `smaps_rollup`.
fn bytes(rollup: &str, field: &str) -> Result<u64> {
    let value = rollup.lines().find_map(|line| line.strip_prefix(field));
    let value = value.with_context(|| format!("no {field} in smaps_rollup"))?;
    Ok(value.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold spaces and parentheses itself.
    let after_name = stat.rsplit_once(')').context("no name in stat")?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next().context("stat is short")?.parse::<u64>().context("stat has no number");
    let ticks = ticks()? + ticks()?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

fn children(pid: u32) -> Vec<u32> {
    // Each thread has a list of the children that it forked.
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::wait;

    #[test]
    fn a_tree_is_counted_whole() {
        let mut shell = Command::new("sh").args(["-c", "sleep 60 & sleep 60 & wait"]).spawn().unwrap();
        let processes = || of_tree(shell.id()).ok().filter(|usage| usage.processes == 3);
        let usage = wait::until("two children", Duration::from_secs(5), processes).unwrap();
        assert!(usage.memory > 0);
        assert!(usage.files >= 9, "{usage:?}");
        for pid in descendants(shell.id()) {
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(pid.cast_signed()),
                nix::sys::signal::Signal::SIGKILL,
            )
            .unwrap();
        }
        shell.wait().unwrap();
    }

    #[test]
    fn busy_time_is_seen() {
        let own = std::process::id();
        let before = cpu_of_tree(own).unwrap();
        wait::until("our own CPU time to grow", Duration::from_secs(20), || {
            let spin = (0..20_000_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b));
            std::hint::black_box(spin);
            (cpu_of_tree(own).unwrap() >= before + Duration::from_millis(50)).then_some(())
        })
        .unwrap();
    }

    #[test]
    fn a_process_that_is_gone_is_an_error() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert!(of_tree(child.id()).is_err());
    }
}
