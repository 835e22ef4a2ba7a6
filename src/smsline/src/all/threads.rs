//! A thread for each role. They begin at the carrier's end, so that each finds its peers, and end at the bank's, so that
//! what is under way arrives.

use std::thread;

use anyhow::{Context, anyhow};
use tokio::sync::{mpsc, oneshot};

use super::Config;
use crate::role::{Carrier, Center, Empi, Gateway, Role, Shutdown, Uaop};

/// Runs every role until `shutdown`, or until one of them has ended.
///
/// # Errors
/// The first role that fails; the others have been stopped in order.
pub async fn run(config: Config, shutdown: Shutdown) -> anyhow::Result<()> {
    let (ended, mut ends) = mpsc::unbounded_channel();
    let Config { carrier, gateway, uaop, center, empi, format: _, level: _ } = config;
    let mut running = Vec::new();
    running.extend(start::<Carrier>(carrier, &ended)?);
    running.extend(start::<Gateway>(gateway, &ended)?);
    running.extend(start::<Center>(center, &ended)?);
    running.extend(start::<Uaop>(uaop, &ended)?);
    running.extend(start::<Empi>(empi, &ended)?);
    drop(ended);
    let mut failed = None;
    let mut gone = Vec::new();
    tokio::select! {
        () = shutdown => {}
        end = ends.recv() => note(end, &mut gone, &mut failed),
    }
    while let Some(role) = running.pop() {
        drop(role.stop);
        while !gone.contains(&role.name) {
            note(ends.recv().await, &mut gone, &mut failed);
        }
    }
    failed.map_or(Ok(()), Err)
}

struct Running {
    name: &'static str,
    /// Dropped to stop it.
    stop: oneshot::Sender<()>,
}

/// How the thread of a role has ended.
struct End {
    name: &'static str,
    outcome: anyhow::Result<()>,
}

fn start<R: Role>(
    config: Option<R::Config>,
    ended: &mpsc::UnboundedSender<End>,
) -> anyhow::Result<Option<Running>>
where
    R::Config: Send + 'static,
{
    let Some(config) = config else { return Ok(None) };
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = Notice { name: R::NAME, ended: ended.clone(), outcome: None };
    let shutdown: Shutdown = Box::pin(async move {
        // that the sender is gone says it
        let _ = stopped.await;
    });
    let serve = move || {
        let mut ended = ended;
        ended.outcome = Some(live::<R>(config, shutdown));
    };
    thread::Builder::new()
        .name(R::NAME.to_owned())
        .spawn(serve)
        .with_context(|| format!("a thread for {}", R::NAME))?;
    Ok(Some(Running { name: R::NAME, stop }))
}

fn live<R: Role>(config: R::Config, shutdown: Shutdown) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(R::run(config, shutdown));
    runtime.shutdown_background();
    outcome
}

fn note(end: Option<End>, gone: &mut Vec<&'static str>, failed: &mut Option<anyhow::Error>) {
    let Some(End { name, outcome }) = end else { return };
    gone.push(name);
    if let Err(error) = outcome {
        failed.get_or_insert(error.context(name));
    }
}

/// Tells the end of a thread, that by a panic too.
struct Notice {
    name: &'static str,
    ended: mpsc::UnboundedSender<End>,
    outcome: Option<anyhow::Result<()>>,
}

impl Drop for Notice {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| Err(anyhow!("it ended by a panic")));
        // nobody waits any more when the process was told to stop twice
        let _ = self.ended.send(End { name: self.name, outcome });
    }
}
