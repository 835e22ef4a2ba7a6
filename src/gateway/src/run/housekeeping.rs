//! What is done every second, whatever happens.

use std::time::Duration;

use anyhow::anyhow;
use domain::Millis;
use store::spool::Spool;
use tokio::sync::oneshot;

use super::orphans::Orphans;
use crate::clock::Clock;

/// Finished messages forgotten at once.
const FORGET: usize = 2000;
const PAUSE: Duration = Duration::from_secs(1);

/// Forgets finished messages when their time is over, ends messages without an account when theirs is, and notices that the spool cannot be written, or has ended, even when
/// nobody else writes.
pub(super) struct Housekeeping {
    pub(super) spool: Spool,
    pub(super) clock: Clock,
    /// How long a finished message is remembered.
    pub(super) keep: Duration,
    pub(super) orphans: Orphans,
}

impl Housekeeping {
    /// Ends when the spool has ended by itself; the reason.
    pub(super) async fn run(mut self) -> anyhow::Error {
        loop {
            // a clock that has jumped forward must not end them
            if self.clock.steady() {
                self.orphans.end_due(self.clock.now().millis).await;
            }
            let (sender, forgotten) = oneshot::channel();
            let handed = self.spool.forget(self.older_than(), FORGET, move |result| {
                // the process may end meanwhile
                let _ = sender.send(result.unwrap_or(0));
            });
            if handed.is_err() {
                return anyhow!("the spool takes no more: its writer has ended");
            }
            if forgotten.await.unwrap_or(0) < FORGET {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// A clock that has jumped forward must not make us forget: a message that came again would be taken for a new one.
    fn older_than(&self) -> Millis {
        let now = self.clock.now().millis;
        if self.clock.steady() { now.earlier(self.keep) } else { Millis(0) }
    }
}
