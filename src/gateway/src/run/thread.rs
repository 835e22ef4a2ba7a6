//! A thread beside that of the carriers.

use std::future::{Future, pending};
use std::thread;

use anyhow::anyhow;
use tokio::sync::{oneshot, watch};

/// A thread with a runtime of its own; it ends when it is told to.
pub(super) struct Thread {
    name: &'static str,
    stop: watch::Sender<bool>,
    /// None once it was heard.
    ended: Option<oneshot::Receiver<anyhow::Result<()>>>,
    thread: thread::JoinHandle<()>,
}

impl Thread {
    /// `work` ends when `stop` says so, which it is given.
    pub(super) fn start<F: Future<Output = anyhow::Result<()>>>(
        name: &'static str,
        stop: watch::Sender<bool>,
        work: impl FnOnce(watch::Receiver<bool>) -> F + Send + 'static,
    ) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, ended) = oneshot::channel();
        let stopping = stop.subscribe();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let outcome = runtime.block_on(work(stopping));
            drop(runtime);
            // nobody asks a gateway that was not waited for
            let _ = sender.send(outcome);
        })?;
        Ok(Self { name, stop, ended: Some(ended), thread })
    }

    /// Waits until it ends by itself, which it must not; the reason.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        let Some(ended) = &mut self.ended else { return pending().await };
        let reason = match ended.await {
            Ok(Ok(())) => anyhow!("the {} has ended", self.name),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("the {} has ended by a panic", self.name),
        };
        self.ended = None;
        reason
    }

    /// Tells it to end, and waits until it has.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(ended) = self.ended
            && let Ok(Err(error)) = ended.await
        {
            tracing::error!(error = format!("{error:#}"), "the {} did not end in order", self.name);
        }
        if self.thread.join().is_err() {
            tracing::error!("the {} ended by a panic", self.name);
        }
    }
}

/// Waits until `true` is said.
pub(super) async fn told(mut stopping: watch::Receiver<bool>) {
    // whoever could say so being gone says it too
    let _ = stopping.wait_for(|&stopping| stopping).await;
}
