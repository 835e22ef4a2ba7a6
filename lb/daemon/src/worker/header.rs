//! Reads the PROXY header of a trusted peer.

use std::net::SocketAddr;
use std::time::Duration;

use lb_core::proxy_protocol::{self, Header, Parsed};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::end::EndReason;

/// What came before the relay begins.
#[derive(Debug, Default)]
pub struct Opening {
    /// Source and destination that the header names.
    pub proxied: Option<(SocketAddr, SocketAddr)>,
    /// What the client has sent behind the header.
    pub early: Vec<u8>,
}

/// Reads until the header is complete.
pub async fn read(client: &mut TcpStream, limit: Duration) -> Result<Opening, EndReason> {
    let header = tokio::time::timeout(limit, read_header(client)).await;
    header.unwrap_or(Err(EndReason::ProxyHeaderTimeout))
}

async fn read_header(client: &mut TcpStream) -> Result<Opening, EndReason> {
    let mut buffer = Vec::with_capacity(256);
    loop {
        match client.read_buf(&mut buffer).await {
            Ok(0) => return Err(EndReason::ProxyHeader),
            Ok(_) => {}
            Err(_) => return Err(EndReason::ClientReset),
        }
        match proxy_protocol::parse(&buffer) {
            Ok(Parsed::Incomplete) => {}
            Ok(Parsed::Complete { header, len }) => {
                let early = buffer.split_off(len);
                let proxied = match header {
                    Header::Proxied { source, destination } => Some((source, destination)),
                    Header::Local => None,
                };
                return Ok(Opening { proxied, early });
            }
            Err(error) => {
                tracing::debug!(%error, "PROXY header");
                return Err(EndReason::ProxyHeader);
            }
        }
    }
}
