//! From a store to a pool, without a gap and without a loss.

mod books;
mod task;

use std::future::Future;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Submission, UaopId};
use tokio::sync::Notify;

use crate::pool::Item;
use crate::{Pool, Verdict};

/// Where messages wait.
#[async_trait]
pub trait Shelf: Send + Sync + 'static {
    /// The oldest after this place, each with its place, which grows.
    ///
    /// # Errors
    /// For the log. It is tried again.
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, String>;

    /// Taken by a peer: forget them.
    ///
    /// # Errors
    /// For the log. It is tried again; after a crash they are offered again.
    async fn taken(&self, ids: Vec<UaopId>) -> Result<(), String>;

    /// Refused for good, or not sent in its time: tell whoever wants to know, then forget them.
    ///
    /// # Errors
    /// As for [`Shelf::taken`].
    async fn refused(&self, refused: Vec<(Submission, String)>) -> Result<(), String>;
}

/// Offers what waits to the pool, `window` messages at a time, until `shutdown`; then waits for the verdicts that are under
/// way, not longer than the pool's patience. `more` is rung when something new waits. What was there at the start is offered
/// as `again`.
///
/// A message that nobody takes at present makes room for others, up to four windows of them, and is offered again by and
/// by. A place is read once, and not again before the shelf has forgotten its message. Places may become visible late:
/// everything is read from the start again when nothing is under way and every two seconds, the latest places every tenth of
/// a second.
pub async fn feed(
    shelf: impl Shelf,
    pool: Pool,
    more: &Notify,
    window: usize,
    shutdown: impl Future<Output = ()>,
) {
    task::run(&shelf, &pool, more, window, shutdown).await;
}

/// Whoever offers.
trait Outlet: Sync {
    /// See [`Pool::round`].
    fn round(&self, items: Vec<Item<i64>>) -> impl Future<Output = Vec<(Item<i64>, Verdict)>> + Send;

    /// So many are offered once more.
    fn count_retries(&self, messages: usize);

    fn jittered(&self, pause: Duration) -> Duration;

    /// How long the verdicts under way are waited for at the end.
    fn patience(&self) -> Duration;
}

impl Outlet for Pool {
    fn round(&self, items: Vec<Item<i64>>) -> impl Future<Output = Vec<(Item<i64>, Verdict)>> + Send {
        Self::round(self, items)
    }

    fn count_retries(&self, messages: usize) {
        Self::count_retries(self, messages);
    }

    fn jittered(&self, pause: Duration) -> Duration {
        Self::jittered(self, pause)
    }

    fn patience(&self) -> Duration {
        Self::patience(self)
    }
}

#[cfg(test)]
mod tests;
