//! The link: UAOPs on other hosts hand messages in and hear about them. The second face of the gateway, beside the uplink,
//! on the same engine, the same events and the same consumers.

mod intake;
mod standing;
mod teller;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use link::{Identity, Standing};
use prometheus::IntCounter;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::account::level::Board;
use crate::engine::Engine;
use crate::events::Events;

/// How long UAOPs have at the end to acknowledge the last events.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long connections then have to close.
const CLOSE: Duration = Duration::from_secs(4);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(20);

/// What the link serves.
pub struct Peers {
    engine: Arc<Engine>,
    events: Arc<Events>,
    boards: Vec<Board>,
    /// `true` from when the gateway stops.
    stopping: watch::Receiver<bool>,
    standing: watch::Sender<Standing>,
    verdicts: Verdicts,
}

/// How often which verdict was given.
struct Verdicts {
    taken: IntCounter,
    duplicate: IntCounter,
    later: IntCounter,
    refused: IntCounter,
}

impl Peers {
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        events: Arc<Events>,
        boards: Vec<Board>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let count = |verdict| engine.families.link_verdicts.with_label_values(&[verdict]);
        let verdicts = Verdicts {
            taken: count("taken"),
            duplicate: count("duplicate"),
            later: count("later"),
            refused: count("refused"),
        };
        let standing = watch::Sender::new(standing::of(&boards, &engine.spool, *stopping.borrow()));
        Self { engine, events, boards, stopping, standing, verdicts }
    }

    /// Serves until `end`; then UAOPs that are there have a moment for what they were not told yet. From when the gateway
    /// stops, messages are put off.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        me: Identity,
        end: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let (close, closing) = tokio::sync::oneshot::channel::<()>();
        let (intake, teller) = (Arc::clone(&self), Arc::clone(&self));
        let closed = async {
            // whoever could say so being gone says it too
            let _ = closing.await;
        };
        let serving = link::serve(listener, me, intake, Some(teller), closed);
        let ending = async {
            end.await;
            // those that do not hear in time are told after the next start
            let _ = tokio::time::timeout(PATIENCE, self.until_told()).await;
            drop(close);
            tokio::time::sleep(CLOSE).await;
        };
        tokio::select! {
            served = serving => served.context("the link cannot be served"),
            () = ending => {
                tracing::warn!("UAOPs did not go in time; what they handed in may be taken");
                Ok(())
            }
            () = self.watch() => Ok(()),
        }
    }

    async fn until_told(&self) {
        while !self.events.all_told() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
