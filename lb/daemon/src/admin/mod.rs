//! The administration socket: HTTP with JSON over a Unix socket that only its owner may open.

pub mod api;
pub mod client;
mod routes;

use std::io;
use std::sync::Arc;

use tokio::net::UnixListener;

use crate::control::Control;

/// Serves until the runtime ends.
///
/// # Errors
/// When accepting fails for good.
pub async fn serve(listener: UnixListener, control: Arc<Control>) -> io::Result<()> {
    axum::serve(listener, routes::router(control)).await
}
