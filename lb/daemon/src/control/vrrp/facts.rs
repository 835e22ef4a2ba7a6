//! Commands and files that virtual routers track, watched.

use std::collections::BTreeMap;
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
    tasks: Vec<AbortHandle>,
}

impl Tracker {
    /// Watches what these virtual routers track and nothing else.
    pub(in crate::control) fn replace(&self, control: &Weak<Control>, routers: &[VirtualRouter]) {
        let commands: BTreeMap<&str, &TrackedCommand> = routers
            .iter()
            .flat_map(|router| &router.track.commands)
            .map(|tracked| (tracked.what.name.as_str(), &tracked.what))
            .collect();
        let files: Vec<&PathBuf> =
            routers.iter().flat_map(|router| &router.track.files).map(|tracked| &tracked.what).collect();
        let mut inner = self.inner();
        inner.tasks.drain(..).for_each(|task| task.abort());
        inner.commands.retain(|name, _| commands.contains_key(name.as_str()));
        inner.files.retain(|file, _| files.contains(&file));
        inner.told = None;
        for command in commands.into_values() {
            let task = tokio::spawn(watch_command(control.clone(), command.clone()));
            inner.tasks.push(task.abort_handle());
        }
        for file in files {
            let task = tokio::spawn(watch_file(control.clone(), file.clone()));
            inner.tasks.push(task.abort_handle());
        }
    }

    /// All that is known, if it is not what was told last.
    pub(in crate::control) fn news(&self, pools: BTreeMap<String, usize>) -> Option<Facts> {
        let mut inner = self.inner();
        let facts =
            Facts { pools, commands: inner.commands.clone(), files: inner.files.clone(), ..Facts::default() };
        (inner.told.as_ref() != Some(&facts)).then(|| inner.told.insert(facts).clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs until it is aborted: `fall` failures in a row are not well, `rise` successes are well again.
async fn watch_command(control: Weak<Control>, settings: TrackedCommand) {
    let mut timer = tokio::time::interval(settings.interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut well, mut against) = (true, 0);
    loop {
        timer.tick().await;
        let outcome = run(&settings).await;
        if let Err(error) = &outcome {
            tracing::debug!(command = settings.name, %error, "a tracked command fails");
        }
        against = if outcome.is_ok() == well { 0 } else { against + 1 };
        if against >= if well { settings.fall } else { settings.rise } {
            (well, against) = (!well, 0);
            tracing::warn!(command = settings.name, well, "a tracked command changed");
        }
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

/// Runs until it is aborted. A file that is not there, or says nothing, is a file that says 0.
async fn watch_file(control: Weak<Control>, file: PathBuf) {
    let mut timer = tokio::time::interval(LOOK);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        timer.tick().await;
        let text = tokio::fs::read_to_string(&file).await.unwrap_or_default();
        let number = text.trim().parse().unwrap_or(0);
        let Some(control) = control.upgrade() else { return };
        let before = control.tracker.inner().files.insert(file.clone(), number);
        if before != Some(number) {
            control.tell_facts(&control.state());
        }
    }
}
