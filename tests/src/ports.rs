//! Loopback ports that nobody else takes.
//!
//! A reserved port is held by a socket that is bound and does not listen. The kernel then gives the port to
//! nobody who asks for any port, yet lets a server that sets SO_REUSEADDR (all of ours do) bind and listen on it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use socket2::{Domain, Socket, Type};

/// A TCP port of 127.0.0.1, ours until this is dropped.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    _held: Socket,
}

impl Port {
    /// 127.0.0.1 with the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number alone.
    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// Zero asks for any.
    fn hold(number: u16) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // Bound without SO_REUSEADDR, so that two reservations never share a port; a server may join later.
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, number)).into())?;
        socket.set_reuse_address(true)?;
        let address = socket.local_addr()?.as_socket().context("an IPv4 socket has an IPv4 address")?;
        Ok(Self { address, _held: socket })
    }
}

/// One free port.
///
/// # Errors
/// The host has no free port or file descriptor.
pub fn reserve() -> Result<Port> {
    Port::hold(0)
}

/// `count` free ports with consecutive numbers.
///
/// # Errors
/// No such run of ports was found in a hundred tries.
pub fn reserve_range(count: u16) -> Result<Vec<Port>> {
    for _ in 0..100 {
        let first = reserve()?;
        let wanted = (1..count).map(|i| first.number().checked_add(i));
        let rest = wanted.map(|number| Port::hold(number.context("beyond the last port")?));
        if let Ok(rest) = rest.collect::<Result<Vec<_>>>() {
            let mut ports = vec![first];
            ports.extend(rest);
            return Ok(ports);
        }
    }
    bail!("no {count} free ports in a row")
}

/// Whether a TCP socket of the calling thread's network namespace listens on this port, on any address. Unlike a
/// connection, looking leaves no trace in the server's counters.
pub fn listening(number: u16) -> bool {
    const LISTEN: &str = "0A";
    ["/proc/thread-self/net/tcp", "/proc/thread-self/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .any(|table| {
            table.lines().skip(1).any(|line| {
                let mut columns = line.split_whitespace().skip(1);
                let local = columns.next().and_then(|address| address.rsplit(':').next());
                let state = columns.nth(1);
                state == Some(LISTEN)
                    && local.and_then(|port| u16::from_str_radix(port, 16).ok()) == Some(number)
            })
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_server_can_listen_on_a_reserved_port() {
        let port = reserve().unwrap();
        assert!(!listening(port.number()));
        let server = TcpListener::bind(port.address()).unwrap();
        assert!(listening(port.number()));
        TcpStream::connect(port.address()).unwrap();
        drop(server);
        assert!(!listening(port.number()));
    }

    #[test]
    fn a_second_worker_can_share_it() {
        let port = reserve().unwrap();
        let listen = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_reuse_address(true).unwrap();
            socket.set_reuse_port(true).unwrap();
            socket.bind(&port.address().into()).unwrap();
            socket.listen(1).unwrap();
            socket
        };
        let _workers = [listen(), listen()];
    }

    #[test]
    fn nobody_gets_it_twice() {
        let ports: Vec<Port> = (0..500).map(|_| reserve().unwrap()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
    }

    #[test]
    fn ranges_are_consecutive() {
        let ports = reserve_range(5).unwrap();
        assert!(ports.windows(2).all(|pair| pair[0].number() + 1 == pair[1].number()));
    }
}
