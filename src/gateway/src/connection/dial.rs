//! Connecting to a carrier.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use settings::Address;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;

/// Tries each address of the server in turn, for `patience` each.
///
/// # Errors
/// What was wrong with the last one, or with the name.
pub(super) async fn dial(
    server: &Address,
    source: Option<IpAddr>,
    patience: Duration,
) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address that fits to `source`");
    for address in addresses(server, patience).await? {
        if source.is_some_and(|source| source.is_ipv4() != address.is_ipv4()) {
            continue;
        }
        match timeout(patience, connect(address, source)).await.unwrap_or_else(|_| Err(too_long())) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = io::Error::new(error.kind(), format!("{address}: {error}")),
        }
    }
    Err(last)
}

/// Small PDUs leave at once, and the kernel finds out about a peer that is gone.
///
/// # Errors
/// What the operating system says.
pub(super) fn tune(stream: &TcpStream) -> io::Result<()> {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

async fn addresses(server: &Address, patience: Duration) -> io::Result<Vec<SocketAddr>> {
    match server {
        Address::Socket(address) => Ok(vec![*address]),
        Address::Name { host, port } => {
            let found = timeout(patience, lookup_host((host.as_str(), *port))).await;
            found.unwrap_or_else(|_| Err(too_long())).map(Iterator::collect)
        }
    }
}

async fn connect(address: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(address).await?;
    tune(&stream)?;
    Ok(stream)
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it takes too long")
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    #[tokio::test]
    async fn it_leaves_from_the_source_and_is_tuned() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Address::Socket(listener.local_addr().unwrap());
        let source: IpAddr = "127.0.0.2".parse().unwrap();
        let stream = dial(&server, Some(source), SOON).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), source);
        assert!(stream.nodelay().unwrap() && SockRef::from(&stream).keepalive().unwrap());
        assert_eq!(listener.accept().await.unwrap().1.ip(), source);
    }

    #[tokio::test]
    async fn a_name_is_looked_up_and_each_address_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Address::Name { host: "localhost".to_owned(), port };
        let stream = dial(&server, None, SOON).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    }

    #[tokio::test]
    async fn what_fails_says_where_and_why() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let server = Address::Socket(SocketAddr::from(([127, 0, 0, 1], port)));
        let error = dial(&server, None, SOON).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert!(error.to_string().starts_with(&format!("127.0.0.1:{port}: ")), "{error}");
        let error = dial(&server, Some("::1".parse().unwrap()), SOON).await.unwrap_err();
        assert!(error.to_string().contains("source"), "{error}");
    }
}
