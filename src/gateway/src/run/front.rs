//! The thread of the uplink and the metrics.

use std::future::pending;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{oneshot, watch};

use super::endpoint::Endpoint;
use super::housekeeping::Housekeeping;

/// How long requests under way may take when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// What it serves.
pub(super) struct Served {
    pub(super) uplink: UnixListener,
    pub(super) router: Router,
    pub(super) metrics: Option<TcpListener>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) housekeeping: Housekeeping,
}

/// The thread of the uplink and the metrics: JSON must not hold up the carriers.
pub(super) struct Front {
    stop: watch::Sender<bool>,
    /// None once it was heard.
    ended: Option<oneshot::Receiver<anyhow::Result<()>>>,
    thread: thread::JoinHandle<()>,
}

impl Front {
    /// It stops when `stop` says so.
    pub(super) fn start(served: Served, stop: watch::Sender<bool>) -> anyhow::Result<Self> {
        let Served { uplink, router, metrics, endpoint, housekeeping } = served;
        // sockets belong to the runtime that waits for them
        let uplink = uplink.into_std()?;
        let metrics = metrics.map(TcpListener::into_std).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, ended) = oneshot::channel();
        let stopping = stop.subscribe();
        let thread = thread::Builder::new().name("uplink".to_owned()).spawn(move || {
            let outcome = runtime.block_on(async {
                tokio::select! {
                    served = serve(uplink, router, stopping) => served,
                    served = watch_over(metrics, endpoint) => served,
                    error = housekeeping.run() => Err(error),
                }
            });
            drop(runtime);
            // nobody asks a gateway that was not waited for
            let _ = sender.send(outcome);
        })?;
        Ok(Self { stop, ended: Some(ended), thread })
    }

    /// Waits until it ends by itself, which it must not; the reason.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        let Some(ended) = &mut self.ended else { return pending().await };
        let reason = match ended.await {
            Ok(Ok(())) => anyhow!("the uplink has ended"),
            Ok(Err(error)) => error,
            Err(_) => anyhow!("the uplink has ended by a panic"),
        };
        self.ended = None;
        reason
    }

    /// Takes nothing new, answers what is under way, and ends.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(ended) = self.ended
            && let Ok(Err(error)) = ended.await
        {
            tracing::error!(error = format!("{error:#}"), "the uplink did not end in order");
        }
        if self.thread.join().is_err() {
            tracing::error!("the uplink ended by a panic");
        }
    }
}

async fn serve(
    listener: std::os::unix::net::UnixListener,
    router: Router,
    stopping: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let serving = axum::serve(listener, router).with_graceful_shutdown(told(stopping.clone()));
    tokio::select! {
        served = serving.into_future() => served.context("the uplink cannot be served"),
        () = out_of_patience(stopping) => {
            tracing::warn!("requests under way were not answered in time; what they handed in may be taken");
            Ok(())
        }
    }
}

async fn watch_over(listener: Option<std::net::TcpListener>, endpoint: Arc<Endpoint>) -> anyhow::Result<()> {
    let Some(listener) = listener else { return pending().await };
    let router = runtime::endpoint::router(endpoint);
    axum::serve(TcpListener::from_std(listener)?, router).await.context("the metrics cannot be served")
}

async fn told(mut stopping: watch::Receiver<bool>) {
    // whoever could say so being gone says it too
    let _ = stopping.wait_for(|&stopping| stopping).await;
}

async fn out_of_patience(stopping: watch::Receiver<bool>) {
    told(stopping).await;
    tokio::time::sleep(PATIENCE).await;
}
