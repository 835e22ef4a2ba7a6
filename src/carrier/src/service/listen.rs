//! Customers' connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Shared;
use crate::connection::Connection;
use crate::protocol::Carrier;

/// After a failure to accept (out of files, for one) the next attempt comes after this.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves whoever connects, until it is dropped, and all its connections with it.
pub(super) async fn listen<P: Carrier>(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // an answer is not worth more delay than the configured one
                    let _ = stream.set_nodelay(true);
                    connections.spawn(Connection::<P>::accepted(Arc::clone(&shared), peer).run(stream));
                }
                Err(error) => {
                    tracing::warn!(protocol = P::NAME, %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(protocol = P::NAME, %error, "a connection broke down");
                }
            }
        }
    }
}
