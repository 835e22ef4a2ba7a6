//! A socket that peers connect to.

use std::future::Future;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::{Identity, Intake, Teller};

/// Serves until `shutdown`; then takes nothing new, waits for verdicts under way, and closes.
///
/// # Errors
/// The listener fails.
pub async fn serve(
    _listener: TcpListener,
    _me: Identity,
    _intake: Arc<dyn Intake>,
    _teller: Option<Arc<dyn Teller>>,
    _shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    unimplemented!()
}
