//! Commands and files that virtual routers track, watched.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lb_core::config::{TrackedCommand, VirtualRouter};
use lb_core::vrrp::Facts;
use tokio::task::AbortHandle;

use crate::control::Control;
use crate::probe::{self, ProbeError};

/// How often a file is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// What is known of what is tracked, and the tasks that find it out.
#[derive(Debug, Default)]
pub struct Tracker {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    commands: BTreeMap<String, bool>,
    files: BTreeMap<PathBuf, i32>,
    /// What was told last.
    told: Option<Facts>,
    watched_commands: BTreeMap<String, (TrackedCommand, Watching)>,
    watched_files: BTreeMap<PathBuf, Watching>,
}

/// A task that ends when this is dropped.
#[derive(Debug)]
struct Watching(AbortHandle);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Tracker {
    /// Watches what these virtual routers track and nothing else. What is watched already goes on.
    pub(in crate::control) fn replace(&self, control: &Weak<Control>, routers: &[VirtualRouter]) {
        let commands = routers.iter().flat_map(|router| &router.track.commands);
        let commands: BTreeMap<String, TrackedCommand> =
            commands.map(|tracked| (tracked.what.name.clone(), tracked.what.clone())).collect();
        let files = routers.iter().flat_map(|router| &router.track.files);
        let files: BTreeSet<PathBuf> = files.map(|tracked| tracked.what.clone()).collect();
        let mut inner = self.inner();
        inner.told = None;
        inner.watched_commands.retain(|name, (settings, _)| commands.get(name) == Some(settings));
        inner.watched_files.retain(|file, _| files.contains(file));
        inner.commands.retain(|name, _| commands.contains_key(name));
        inner.files.retain(|file, _| files.contains(file));
        for (name, settings) in commands {
            if !inner.watched_commands.contains_key(&name) {
                let known = inner.commands.get(&name).copied();
                let task = tokio::spawn(watch_command(control.clone(), settings.clone(), known));
                inner.watched_commands.insert(name, (settings, Watching(task.abort_handle())));
            }
        }
        for file in files {
            if !inner.watched_files.contains_key(&file) {
                // known before anything is decided
                inner.files.insert(file.clone(), number(std::fs::read_to_string(&file)));
                let task = tokio::spawn(watch_file(control.clone(), file.clone()));
                inner.watched_files.insert(file, Watching(task.abort_handle()));
            }
        }
    }

    /// All that is known, if it is not what was told last.
    pub(in crate::control) fn news(
        &self,
        pools: BTreeMap<String, usize>,
        unproven: BTreeSet<String>,
    ) -> Option<Facts> {
        let mut inner = self.inner();
        let (commands, files) = (inner.commands.clone(), inner.files.clone());
        let facts = Facts { pools, unproven, commands, files, ..Facts::default() };
        (inner.told.as_ref() != Some(&facts)).then(|| inner.told.insert(facts).clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it is aborted: `fall` failures in a row are not well, `rise` successes are well again.
/// The first answer counts at once.
async fn watch_command(control: Weak<Control>, settings: TrackedCommand, mut known: Option<bool>) {
    let mut timer = tokio::time::interval(settings.interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut against = 0;
    loop {
        timer.tick().await;
        let outcome = run(&settings).await;
        if let Err(error) = &outcome {
            tracing::debug!(command = settings.name, %error, "a tracked command fails");
        }
        let well = match known {
            None => outcome.is_ok(),
            Some(well) => {
                against = if outcome.is_ok() == well { 0 } else { against + 1 };
                let enough = against >= if well { settings.fall } else { settings.rise };
                well != enough
            }
        };
        if known == Some(well) {
            continue;
        }
        (known, against) = (Some(well), 0);
        tracing::info!(command = settings.name, well, "a tracked command");
        let Some(control) = control.upgrade() else { return };
        control.tracker.inner().commands.insert(settings.name.clone(), well);
        control.tell_facts(&control.state());
    }
}

async fn run(settings: &TrackedCommand) -> Result<(), ProbeError> {
    let Some((program, arguments)) = settings.command.split_first() else { return Ok(()) };
    let run = probe::run_command(Path::new(program), arguments, &[]);
    tokio::time::timeout(settings.timeout, run).await.unwrap_or(Err(ProbeError::Timeout))
}

/// A file that is not there, or says nothing, is a file that says 0.
fn number(content: io::Result<String>) -> i32 {
    content.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Runs until it is aborted.
async fn watch_file(control: Weak<Control>, file: PathBuf) {
    let mut timer = tokio::time::interval(LOOK);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let number = number(tokio::fs::read_to_string(&file).await);
        let Some(control) = control.upgrade() else { return };
        let before = control.tracker.inner().files.insert(file.clone(), number);
        if before != Some(number) {
            control.tell_facts(&control.state());
        }
    }
}
