//! Loopback ports that nobody else takes.
//!
//! A reserved port is held by a socket that is bound and does not listen. Nobody can bind the port without
//! SO_REUSEADDR then, and a server that sets it (all of ours do) can listen there. The numbers lie below those that
//! the kernel gives to outgoing connections, which can be used up by closed ones (TIME_WAIT) after a benchmark.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail, ensure};
use socket2::{Domain, Socket, Type};

const FIRST: u16 = 10_240;
/// With the longest range from the last one, all stay below the kernel's own (32 768).
const COUNT: u16 = 22_000;

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
    let mut last = None;
    for _ in 0..COUNT {
        match Port::hold(next(1)) {
            Ok(port) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    bail!("no free port: {last:?}")
}

/// `count` free ports with consecutive numbers, at most 100.
///
/// # Errors
/// There is no such run of free ports.
pub fn reserve_range(count: u16) -> Result<Vec<Port>> {
    ensure!((1..=100).contains(&count), "{count} is not between 1 and 100");
    for _ in 0..COUNT / count {
        let first = next(count);
        if let Ok(ports) = (first..first + count).map(Port::hold).collect() {
            return Ok(ports);
        }
    }
    bail!("no {count} free ports in a row")
}

/// The first of the next `count` numbers. Each process begins elsewhere and comes back to a number only after all
/// others.
fn next(count: u16) -> u16 {
    static USED: AtomicU32 = AtomicU32::new(0);
    let used = USED.fetch_add(u32::from(count), Ordering::Relaxed);
    let start = process::id().wrapping_mul(997);
    let offset = start.wrapping_add(used) % u32::from(COUNT);
    FIRST + u16::try_from(offset).unwrap_or(0)
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
    use std::time::Duration;

    use super::*;
    use crate::wait;

    #[test]
    fn a_server_can_listen_on_a_reserved_port() {
        let port = reserve().unwrap();
        assert!(!listening(port.number()));
        let server = TcpListener::bind(port.address()).unwrap();
        assert!(listening(port.number()));
        TcpStream::connect(port.address()).unwrap();
        drop(server);
        // A process that another test starts just now has it until it becomes its program.
        let gone = || (!listening(port.number())).then_some(());
        wait::until("the end of the server", Duration::from_secs(10), gone).unwrap();
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
