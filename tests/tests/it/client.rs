//! Clients that look at how their connections begin and end.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

use crate::daemon::SOON;

/// Thousands of connections need more files than a shell usually allows.
pub fn raise_open_files() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

/// A connection whose reads and writes fail rather than wait for ever.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, SOON).unwrap();
    patient(&stream);
    stream
}

/// A connection from 127.0.0.`last`.
pub fn connect_from(last: u8, address: SocketAddr) -> TcpStream {
    try_connect_from(last, address).unwrap()
}

/// As [`connect_from`], for one that may be refused before it has seen that it is connected.
pub fn try_connect_from(last: u8, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket_of(last);
    socket.connect_timeout(&address.into(), SOON)?;
    let stream = TcpStream::from(socket);
    patient(&stream);
    Ok(stream)
}

/// As [`refused_from`], from 127.0.0.1.
pub fn refused(address: SocketAddr) -> SocketAddr {
    refused_from(1, address)
}

/// A client on 127.0.0.`last` that gets RST for all answer; returns its address. RST may come before it has even
/// seen that it is connected.
pub fn refused_from(last: u8, address: SocketAddr) -> SocketAddr {
    let socket = socket_of(last);
    let me = socket.local_addr().unwrap().as_socket().unwrap();
    match socket.connect_timeout(&address.into(), SOON) {
        Ok(()) => {
            let stream = TcpStream::from(socket);
            patient(&stream);
            assert_eq!(ending(&stream), Ending::Rst, "to {me}");
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    me
}

fn socket_of(last: u8) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
    socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
    socket
}

fn patient(stream: &TcpStream) {
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.set_write_timeout(Some(SOON)).unwrap();
}

/// Asks an echoing server something.
pub fn echoes(mut stream: &TcpStream) -> std::io::Result<bool> {
    stream.write_all(b"ping")?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    Ok(&answer == b"ping")
}

/// The name that [`Behaviour::Name`](testkit::backend::Behaviour::Name) says first.
pub fn name_of_server(mut stream: &TcpStream) -> String {
    let mut name = Vec::new();
    loop {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        if byte == *b"\n" {
            return String::from_utf8(name).unwrap();
        }
        name.extend(byte);
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// FIN: all was said.
    Fin,
    /// RST: something is lost.
    Rst,
}

/// Reads until the end.
pub fn ending(mut stream: &TcpStream) -> Ending {
    match std::io::copy(&mut stream, &mut std::io::sink()) {
        Ok(_) => Ending::Fin,
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ending::Rst,
        Err(error) => panic!("no end came: {error}"),
    }
}
