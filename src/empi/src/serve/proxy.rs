//! Where a connection comes from.

use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use lb_core::proxy_protocol::{self, Header, Parsed};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The client's address, and what it has sent behind a PROXY header.
///
/// # Errors
/// A peer that must begin with a PROXY header does not.
pub(super) async fn client(
    stream: &mut TcpStream,
    peer: IpAddr,
    proxies: &[IpNet],
) -> io::Result<(IpAddr, Vec<u8>)> {
    let peer = peer.to_canonical();
    if !proxies.iter().any(|network| network.contains(&peer)) {
        return Ok((peer, Vec::new()));
    }
    let mut buffer = Vec::with_capacity(256);
    loop {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match proxy_protocol::parse(&buffer) {
            Ok(Parsed::Incomplete) => {}
            Ok(Parsed::Complete { header, len }) => {
                let early = buffer.split_off(len);
                let client = match header {
                    Header::Proxied { source, destination: _ } => source.ip(),
                    Header::Local => peer,
                };
                return Ok((client, early));
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}
