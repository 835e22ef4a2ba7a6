//! PROXY protocol headers, versions 1 and 2 (HAProxy's `proxy-protocol.txt`).
//!
//! A header tells the receiver between which two endpoints the connection was before a proxy came in between.

mod v1;
mod v2;

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4};

use thiserror::Error;

use crate::config::ProxyVersion;

/// No header that [`parse`] accepts is longer, in bytes. (nginx has the same limit; the standard would allow 64 KiB.)
pub const MAX_LEN: usize = 4096;

/// What a header says. Its addresses are canonical: an IPv4-mapped IPv6 address is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The connection is made for `source`, which had connected to `destination`.
    Proxied { source: SocketAddr, destination: SocketAddr },
    /// Nothing (v1 UNKNOWN, v2 LOCAL, a family without IP addresses): the connection's own endpoints hold.
    Local,
}

/// How far [`parse`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// What there is can be the beginning of a header.
    Incomplete,
    /// The header is the first `len` bytes.
    Complete { header: Header, len: usize },
}

/// Why bytes are no header. The connection that sent them must be aborted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderError {
    #[error("neither a v1 nor a v2 signature")]
    Signature,
    #[error("v1 line without CRLF in its first 107 bytes")]
    LineTooLong,
    #[error("v1 line ends with a lone CR or LF")]
    LineEnd,
    #[error("v1 line is not `PROXY TCP4|TCP6 source destination port port`")]
    Line,
    #[error("v2 version or command {0:#04x} is not defined")]
    Command(u8),
    #[error("v2 family or protocol {0:#04x} is not defined")]
    Family(u8),
    #[error("v2 header of {0} bytes is longer than this proxy accepts")]
    TooLong(usize),
    #[error("v2 header is too short for its addresses")]
    TooShort,
    #[error("v2 TLV goes beyond the header")]
    Tlv,
    #[error("v2 CRC32c does not match")]
    Checksum,
}

/// Reads the header, of either version, that `buf` begins with.
///
/// # Errors
/// As soon as it is certain that no further bytes can make `buf` a header.
pub fn parse(buf: &[u8]) -> Result<Parsed, HeaderError> {
    if begins_like(buf, &v2::SIGNATURE) {
        v2::parse(buf)
    } else if begins_like(buf, v1::SIGNATURE) {
        v1::parse(buf)
    } else {
        Err(HeaderError::Signature)
    }
}

/// The bytes to be sent before a connection's first byte.
///
/// Endpoints of different families become IPv6, the IPv4 one IPv4-mapped. [`Header::Local`] is v2 LOCAL or v1
/// UNKNOWN; the standard warns that some receivers reject the latter.
pub fn encode(version: ProxyVersion, header: &Header) -> Vec<u8> {
    match version {
        ProxyVersion::V1 => v1::encode(header),
        ProxyVersion::V2 => v2::encode(header),
    }
}

fn begins_like(buf: &[u8], signature: &[u8]) -> bool {
    let len = buf.len().min(signature.len());
    buf[..len] == signature[..len]
}

/// Both addresses in one family, as a header can carry them.
enum Family {
    Inet { source: SocketAddrV4, destination: SocketAddrV4 },
    Inet6 { source: (Ipv6Addr, u16), destination: (Ipv6Addr, u16) },
}

impl Family {
    fn of(source: SocketAddr, destination: SocketAddr) -> Self {
        match (canonical(source), canonical(destination)) {
            (SocketAddr::V4(source), SocketAddr::V4(destination)) => Self::Inet { source, destination },
            (source, destination) => Self::Inet6 { source: mapped(source), destination: mapped(destination) },
        }
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn mapped(address: SocketAddr) -> (Ipv6Addr, u16) {
    match address {
        SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), v4.port()),
        SocketAddr::V6(v6) => (*v6.ip(), v6.port()),
    }
}

#[cfg(test)]
mod tests;
