//! Stops: no new connections, time for those that are there, then the end.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Control;
use super::apply::addresses;
use crate::end::EndReason;
use crate::vrrp::Kind;
use crate::worker::{Command, LAST_CALL};

/// How often it is looked whether the last connection has ended.
const LOOK: Duration = Duration::from_millis(20);
/// What connections get that are ended: time to be closed and recorded.
const GRACE: Duration = Duration::from_secs(1);
/// What notifications get that are under way.
const LAST_WORDS: Duration = Duration::from_secs(5);

impl Control {
    /// Takes no more connections; returns when all have ended, or when the deadline is over and the rest were closed.
    pub async fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        // who comes from now on finds the other host
        self.release_all().await;
        let limit = self.stop_accepting();
        let live = self.live();
        self.note(
            Kind::Daemon,
            format!(
                "stopping; live connections: {live}; time for them: {}",
                settings::format_duration(limit)
            ),
        );
        tracing::info!(connections = live, seconds = limit.as_secs_f64(), "stopping");
        // until the workers have taken the last ones
        tokio::time::sleep(LAST_CALL + LOOK).await;
        self.wait_until_empty(limit.saturating_sub(LAST_CALL + LOOK)).await;
        let left = self.live();
        if left > 0 {
            self.note(Kind::Daemon, format!("the deadline is over; connections closed: {left}"));
            tracing::warn!(connections = left, "still open at the deadline; they are closed");
            self.tell_all(|| Command::EndAll { reason: EndReason::Shutdown });
            self.wait_until_empty(GRACE).await;
        }
        if tokio::time::timeout(LAST_WORDS, self.notifier.idle()).await.is_err() {
            tracing::warn!("not every notification was delivered");
        }
        tracing::info!("stopped");
    }

    fn stop_accepting(&self) -> Duration {
        let state = self.state();
        let addresses: Vec<SocketAddr> = addresses(&state.config).into_iter().collect();
        self.tell_all(|| Command::Close { addresses: addresses.clone() });
        state.config.stop.drain
    }

    async fn wait_until_empty(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        while self.live() > 0 && Instant::now() < deadline {
            tokio::time::sleep(LOOK.min(deadline.saturating_duration_since(Instant::now()))).await;
        }
    }

    fn live(&self) -> u32 {
        self.state().listeners.values().map(|listener| listener.live()).sum()
    }
}
