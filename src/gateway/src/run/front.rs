//! The thread of the uplink and the metrics.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use prometheus::Registry;
use runtime::endpoint::Watched;
use store::spool::Spool;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;

use crate::clock;
use crate::metrics::Families;
use crate::uplink::Uplink;

/// Finished messages forgotten at once.
const FORGET: usize = 2000;

/// What Prometheus and load balancers ask.
pub(super) struct Endpoint {
    pub(super) registry: Registry,
    pub(super) families: Arc<Families>,
    pub(super) uplink: Arc<Uplink>,
}

impl Watched for Endpoint {
    fn registry(&self) -> &Registry {
        let events = self.uplink.status().spool.events;
        self.families.spool_events.set(i64::try_from(events).unwrap_or(i64::MAX));
        &self.registry
    }

    fn ready(&self) -> Result<(), String> {
        let status = self.uplink.status();
        let not: Vec<String> = status
            .accounts
            .iter()
            .filter(|level| !level.ready)
            .map(|level| format!("account {} cannot submit", level.account))
            .collect();
        if not.is_empty() { Ok(()) } else { Err(not.join("\n")) }
    }
}

/// The thread of the uplink and the metrics: JSON must not hold up the carriers. Dropped, it ends.
pub(super) struct Front {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Front {
    pub(super) fn start(
        uplink: UnixListener,
        metrics: Option<TcpListener>,
        router: Router,
        watched: Arc<Endpoint>,
        spool: Spool,
        keep: Duration,
    ) -> anyhow::Result<Self> {
        // sockets belong to the runtime that waits for them
        let uplink = uplink.into_std()?;
        let metrics = metrics.map(TcpListener::into_std).transpose()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("uplink".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let serve = async {
                    if let Some(metrics) = metrics {
                        let router = runtime::endpoint::router(watched);
                        tokio::spawn(
                            async move { axum::serve(TcpListener::from_std(metrics)?, router).await },
                        );
                    }
                    tokio::spawn(forget(spool, keep));
                    axum::serve(UnixListener::from_std(uplink)?, router).await
                };
                tokio::select! {
                    ended = serve => {
                        if let Err(error) = ended {
                            tracing::error!(%error, "the uplink cannot be served");
                        }
                    }
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // a thread that has ended needs not be told
            let _ = stop.send(());
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the uplink ended by a panic");
        }
    }
}

/// Forgets finished messages when their time is over.
async fn forget(spool: Spool, keep: Duration) {
    let keep = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
    loop {
        let older = domain::Millis(clock::millis().0.saturating_sub(keep));
        let (sender, forgotten) = oneshot::channel();
        let handed = spool.forget(older, FORGET, move |result| {
            // the process may end meanwhile
            let _ = sender.send(result.unwrap_or(0));
        });
        if handed.is_err() {
            return;
        }
        if forgotten.await.unwrap_or(0) < FORGET {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
