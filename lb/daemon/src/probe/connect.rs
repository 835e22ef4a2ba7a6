//! The connection of a check.

use std::io;
use std::net::{IpAddr, SocketAddr};

use lb_core::config::ProxyVersion;
use lb_core::proxy_protocol::{self, Header};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::{ProbeError, Target};

/// Connects to the target and sends the PROXY header, if one is asked for.
pub(super) async fn connect(target: &Target, proxy: Option<ProxyVersion>) -> Result<TcpStream, ProbeError> {
    let mut stream = socket(target)?.connect(target.address).await?;
    stream.set_nodelay(true)?;
    if let Some(version) = proxy {
        let header = proxy_header(version, &stream)?;
        stream.write_all(&proxy_protocol::encode(version, &header)).await?;
    }
    Ok(stream)
}

fn socket(target: &Target) -> Result<TcpSocket, ProbeError> {
    let socket = match target.address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(egress) = target.egress.filter(|egress| egress.is_ipv4() == target.address.is_ipv4()) {
        bind(&socket, egress)?;
    }
    Ok(socket)
}

fn bind(socket: &TcpSocket, egress: IpAddr) -> io::Result<()> {
    match socket.bind(SocketAddr::new(egress, 0)) {
        // The address is with the other host of the pair, which does not stop this one from knowing its servers.
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Ok(()),
        result => result,
    }
}

/// A check is made on the proxy's own behalf. Version 2 has LOCAL for it; for version 1 the standard asks for the
/// connection's own endpoints, because some receivers reject UNKNOWN.
fn proxy_header(version: ProxyVersion, stream: &TcpStream) -> io::Result<Header> {
    Ok(match version {
        ProxyVersion::V1 => {
            Header::Proxied { source: stream.local_addr()?, destination: stream.peer_addr()? }
        }
        ProxyVersion::V2 => Header::Local,
    })
}

#[cfg(test)]
mod tests {
    use lb_core::proxy_protocol::Parsed;

    use super::*;
    use crate::probe::testing::{Peer, target};

    #[tokio::test]
    async fn the_header_tells_that_it_is_a_check() {
        let peer = Peer::serving(|mut stream| async move { Peer::read_all(&mut stream).await }).await;
        let at = target(peer.address);

        let own = connect(&at, Some(ProxyVersion::V1)).await.unwrap().local_addr().unwrap();
        let line = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\n", own.port(), peer.address.port());
        assert_eq!(String::from_utf8(peer.next().await).unwrap(), line);

        connect(&at, Some(ProxyVersion::V2)).await.unwrap();
        let sent = peer.next().await;
        let local = Parsed::Complete { header: Header::Local, len: 16 };
        assert_eq!(proxy_protocol::parse(&sent), Ok(local));

        connect(&at, None).await.unwrap();
        assert_eq!(peer.next().await, b"");
    }

    #[tokio::test]
    async fn the_egress_address_is_used_if_this_host_has_it() {
        let peer = Peer::serving(|stream| async move { stream.peer_addr().unwrap().ip() }).await;
        for (egress, seen) in [("127.0.0.9", "127.0.0.9"), ("192.0.2.77", "127.0.0.1"), ("::1", "127.0.0.1")]
        {
            let at = Target { egress: Some(egress.parse().unwrap()), ..target(peer.address) };
            connect(&at, None).await.unwrap();
            assert_eq!(peer.next().await, seen.parse::<IpAddr>().unwrap(), "{egress}");
        }
    }
}
