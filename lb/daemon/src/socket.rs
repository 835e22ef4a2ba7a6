//! Sockets with the options that listeners and pools ask for.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use lb_core::config::{Egress, Keepalive, Listener};
use socket2::{Domain, Protocol, SockFilter, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpSocket, TcpStream};

/// Opens one listening socket per worker on `address`, all sharing it by SO_REUSEPORT. With `ours`, this process
/// listens on an address that overlaps with it, until that is closed.
///
/// # Errors
/// What the operating system says; in particular [`io::ErrorKind::AddrInUse`] when any other socket listens there,
/// even one that would share the port.
pub fn listen(
    address: SocketAddr,
    settings: &Listener,
    workers: usize,
    ours: bool,
) -> io::Result<Vec<StdListener>> {
    if !ours {
        probe_exclusive(address, settings)?;
    }
    (0..workers)
        .map(|_| {
            let socket = bindable(address, settings)?;
            socket.set_reuse_port(true)?;
            socket.bind(&address.into())?;
            apply_listen_options(&socket, settings)?;
            socket.set_nonblocking(true)?;
            Ok(socket.into())
        })
        .collect()
}

/// SO_REUSEPORT lets a second daemon of the same user take half of the connections unseen; a bind without it fails.
fn probe_exclusive(address: SocketAddr, settings: &Listener) -> io::Result<()> {
    let socket = bindable(address, settings)?;
    socket.bind(&address.into())?;
    socket.listen(1)
}

fn bindable(address: SocketAddr, settings: &Listener) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    match address {
        SocketAddr::V4(_) => socket.set_freebind_v4(settings.freebind)?,
        SocketAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_freebind_v6(settings.freebind)?;
        }
    }
    Ok(socket)
}

/// Sets what can change while the socket listens. Accepted connections inherit all of it from the kernel, which
/// saves six system calls for each.
///
/// # Errors
/// What the operating system says.
pub fn apply_listen_options(socket: &Socket, settings: &Listener) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    apply_liveness(SockRef::from(socket), settings.keepalive, settings.user_timeout)?;
    // a second listen() changes the length of the queue
    socket.listen(i32::try_from(settings.backlog).unwrap_or(i32::MAX))
}

/// Lets a listening socket drop each SYN from now on. Handshakes that have begun come to their end; a client that
/// comes now sends its SYN again a second later, when somebody else listens or nobody does.
///
/// # Errors
/// What the operating system says.
pub fn admit_no_handshake(listener: &Socket) -> io::Result<()> {
    use nix::libc::{BPF_ABS, BPF_B, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET};
    const FLAGS: u32 = 13; // offset of the TCP header's flags
    const SYN: u32 = 0x02;
    let step = |code: u32, on_true, value| SockFilter::new(code as u16, on_true, 0, value);
    listener.attach_filter(&[
        step(BPF_LD | BPF_B | BPF_ABS, 0, FLAGS),
        step(BPF_JMP | BPF_JSET | BPF_K, 1, SYN),
        step(BPF_RET | BPF_K, 0, u32::MAX),
        step(BPF_RET | BPF_K, 0, 0),
    ])
}

fn apply_liveness(
    socket: SockRef<'_>,
    keepalive: Option<Keepalive>,
    user_timeout: Option<Duration>,
) -> io::Result<()> {
    match keepalive {
        Some(Keepalive { idle, interval, count }) => socket.set_tcp_keepalive(
            &TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(count),
        )?,
        None => socket.set_keepalive(false)?,
    }
    socket.set_tcp_user_timeout(user_timeout)
}

/// From where a connection to a server leaves: `Transparent` resolved to the client's address.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    Auto,
    Address(IpAddr),
    Transparent(IpAddr),
}

impl Source {
    pub fn new(egress: Egress, client: IpAddr) -> Self {
        match egress {
            Egress::Auto => Self::Auto,
            Egress::Address(address) => Self::Address(address),
            Egress::Transparent => Self::Transparent(client),
        }
    }
}

/// Connects to a server; dropping the future gives up.
///
/// # Errors
/// What the operating system says; see [`Blame`].
pub async fn connect(server: SocketAddr, source: Source) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    bind_source(&socket, source, server)?;
    socket.connect(server).await
}

/// Lets the kernel watch whether the server is still there. Left to connections that live for a while: it takes five
/// system calls, a tenth of what a short connection costs altogether.
pub fn watch_liveness(server: &TcpStream, settings: &Listener) {
    if let Err(error) = apply_liveness(SockRef::from(server), settings.keepalive, settings.user_timeout) {
        tracing::warn!(listener = settings.name, %error, "keepalive towards a server is off");
    }
}

fn bind_source(socket: &TcpSocket, source: Source, server: SocketAddr) -> io::Result<()> {
    let (address, transparent) = match source {
        Source::Auto => return Ok(()),
        Source::Address(address) => (address, false),
        Source::Transparent(address) => (address, true),
    };
    if address.is_ipv4() != server.is_ipv4() {
        // an address of the other family cannot be left from; the kernel chooses
        return Ok(());
    }
    let options = SockRef::from(socket);
    if transparent {
        match server {
            SocketAddr::V4(_) => options.set_ip_transparent_v4(true)?,
            SocketAddr::V6(_) => options.set_ip_transparent_v6(true)?,
        }
    }
    // the port is chosen at connect, so that one address serves 28,000 connections to each server and not in all
    nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)?;
    socket.bind(SocketAddr::new(address, 0))
}

/// Whom a failed connect tells something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    Server,
    /// This host, as far as this server goes: no free port or no such address to leave from, a firewall's no.
    Way,
    /// This host altogether: no descriptors, no memory.
    Host,
}

impl Blame {
    pub fn of(error: &io::Error) -> Self {
        use nix::libc::{
            EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM,
        };
        match error.raw_os_error() {
            Some(EMFILE | ENFILE | ENOBUFS | ENOMEM) => Self::Host,
            Some(EADDRINUSE | EADDRNOTAVAIL | EACCES | EPERM | EINVAL | EAFNOSUPPORT) => Self::Way,
            Some(_) | None => Self::Server,
        }
    }
}

/// Closes with RST instead of FIN: the peer learns at once that nothing more will be answered.
pub fn reset(stream: TcpStream) {
    // if it fails, the peer gets a FIN, which also ends the connection
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
}
