//! The thread of the uplink and the metrics: JSON must not hold up the carriers.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::endpoint::Endpoint;
use super::housekeeping::Housekeeping;
use super::thread::{Thread, told};

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

/// Serves. When `stop` says so it takes nothing new, answers what is under way, and ends.
pub(super) fn start(served: Served, stop: watch::Sender<bool>) -> anyhow::Result<Thread> {
    let Served { uplink, router, metrics, endpoint, housekeeping } = served;
    // sockets belong to the runtime that waits for them
    let uplink = uplink.into_std()?;
    let metrics = metrics.map(TcpListener::into_std).transpose()?;
    Thread::start("uplink", stop, async move |stopping| {
        tokio::select! {
            served = serve(uplink, router, stopping) => served,
            served = watch_over(metrics, endpoint) => served,
            error = housekeeping.run() => Err(error),
        }
    })
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

async fn out_of_patience(stopping: watch::Receiver<bool>) {
    told(stopping).await;
    tokio::time::sleep(PATIENCE).await;
}
