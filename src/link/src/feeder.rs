//! From a store to a pool, without a gap and without a loss.

use std::future::Future;

use async_trait::async_trait;
use domain::{Submission, UaopId};
use tokio::sync::Notify;

use crate::Pool;

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
pub async fn feed(
    _shelf: impl Shelf,
    _pool: Pool,
    _more: &Notify,
    _window: usize,
    _shutdown: impl Future<Output = ()>,
) {
    unimplemented!()
}
