//! A child process with its log.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{usage, wait};

/// Until a process is gone after SIGKILL.
const DEATH: Duration = Duration::from_secs(5);

/// A running program; it and its descendants are killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it writes to standard output and error goes to the file `log`.
    ///
    /// # Errors
    /// The program cannot be started; `advice` says what to do about that.
    pub fn start(name: &str, mut command: Command, log: &Path, advice: &str) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {name}: {advice}"))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Of the process itself.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it wrote so far.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Sends a signal to the process itself.
    ///
    /// # Errors
    /// It is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.pid().cast_signed()), signal)
            .with_context(|| format!("cannot send {signal} to {}", self.name))
    }

    /// Sends a signal to the process and its descendants.
    ///
    /// # Errors
    /// The process itself is gone.
    pub fn signal_tree(&self, signal: Signal) -> Result<()> {
        let descendants = usage::descendants(self.pid());
        self.signal(signal)?;
        for pid in descendants {
            // A failure means: already gone.
            let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
        }
        Ok(())
    }

    /// Waits for `condition`, but not for a process that has ended.
    ///
    /// # Errors
    /// The deadline has passed or the process has ended; with its log.
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        mut condition: impl FnMut() -> Option<T>,
    ) -> Result<T> {
        let name = self.name.clone();
        let result = wait::until_ok(&format!("{name}: {what}"), deadline, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended ({status}) before this came: {what}");
            }
            Ok(condition())
        });
        result.with_context(|| format!("log of {name}:\n{}", self.log()))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// It still runs when `deadline` has passed; with its log.
    pub fn wait_exit(&mut self, deadline: Duration) -> Result<ExitStatus> {
        let what = format!("the end of {}", self.name);
        let result = wait::until_ok(&what, deadline, || Ok(self.child.try_wait()?));
        result.with_context(|| format!("log of {}:\n{}", self.name, self.log()))
    }

    /// Whether it has ended, and how.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// SIGKILL to the process and its descendants, as if the power of its host had gone.
    pub fn kill(&mut self) {
        // All stand still first, so that none does something about the death of another: a new worker in place of a lost
        // one, or an orderly end because the parent has gone. The parent comes last both times: one that watches over it
        // must not see it stand still, and the kernel wakes stopped ones whose parent ends. Failures mean: already gone.
        for pid in usage::descendants(self.pid()) {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGSTOP);
        }
        let _ = self.signal_tree(Signal::SIGSTOP);
        let descendants = usage::descendants(self.pid());
        for pid in &descendants {
            let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Their sockets are closed when they are gone, which takes a moment; nobody can do more than wait.
        let all_gone = || descendants.iter().all(|pid| !usage::runs(*pid)).then_some(());
        let _ = wait::until("the end of the descendants", DEATH, all_gone);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.exited().is_none() {
            self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    fn shell(script: &str, dir: &Path) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Process::start("sh", command, &dir.join("log"), "?").unwrap()
    }

    #[test]
    fn a_death_ends_the_wait_and_shows_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell("echo last words; exit 3", dir.path());
        let error = process.wait_until("a miracle", Duration::from_secs(60), || None::<()>).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("last words"), "{text}");
        assert!(text.contains("exit status: 3"), "{text}");
    }

    #[test]
    fn the_whole_tree_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let process = shell("sleep 60 & sleep 60 & wait", dir.path());
        let pid = process.pid();
        let children = || Some(usage::descendants(pid)).filter(|children| children.len() == 2);
        let children = wait::until("two children", SOON, children).unwrap();
        drop(process);
        assert!(children.iter().chain([&pid]).all(|pid| !usage::runs(*pid)));
    }

    #[test]
    fn a_whole_tree_can_stand_still() {
        let dir = tempfile::tempdir().unwrap();
        let process = shell("sleep 60 & wait", dir.path());
        let pid = process.pid();
        let child = || usage::descendants(pid).first().copied();
        let child = wait::until("the child", SOON, child).unwrap();
        let states = |wanted: &str| {
            let has = |pid: &u32| {
                let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
                stat.is_ok_and(|stat| stat.rsplit_once(')').unwrap().1.starts_with(wanted))
            };
            wait::until(wanted, SOON, || [pid, child].iter().all(has).then_some(())).unwrap();
        };
        process.signal_tree(Signal::SIGSTOP).unwrap();
        states(" T");
        process.signal_tree(Signal::SIGCONT).unwrap();
        states(" S");
    }

    #[test]
    fn signals_arrive() {
        let dir = tempfile::tempdir().unwrap();
        let mut process = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done", dir.path());
        wait::until("the trap", SOON, || process.log().contains("ready").then_some(())).unwrap();
        process.signal(Signal::SIGTERM).unwrap();
        assert_eq!(process.wait_exit(SOON).unwrap().code(), Some(7));
    }
}
