//! The administration socket: HTTP with JSON over a Unix socket that only its owner may open.

pub mod api;
pub mod client;
mod routes;

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};

use crate::control::Control;

/// Opens the socket. A file that a dead daemon left there is replaced; one that answers is not.
///
/// # Errors
/// When another daemon answers there, or what the operating system says.
pub async fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(directory) = path.parent() {
        tokio::fs::create_dir_all(directory).await?;
    }
    if UnixStream::connect(path).await.is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another lb answers on this socket"));
    }
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    tokio::fs::set_permissions(path, Permissions::from_mode(0o600)).await?;
    Ok(listener)
}

/// Serves until the runtime ends.
///
/// # Errors
/// When accepting fails for good.
pub async fn serve(listener: UnixListener, control: Arc<Control>) -> io::Result<()> {
    axum::serve(listener, routes::router(control)).await
}
