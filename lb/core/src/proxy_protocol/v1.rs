//! Version 1: one line of text.
//!
//! ```text
//! PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n
//! PROXY UNKNOWN\r\n
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str;

use super::{Family, Header, HeaderError, Parsed, canonical};

pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// The longest line: UNKNOWN with two IPv6 addresses, CRLF included.
const MAX_LINE: usize = 107;

pub(super) fn parse(buf: &[u8]) -> Result<Parsed, HeaderError> {
    let window = &buf[..buf.len().min(MAX_LINE)];
    let Some(end) = window.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return incomplete(window);
    };
    match (window[end], window.get(end + 1)) {
        (b'\r', Some(b'\n')) => {
            let line = str::from_utf8(&window[..end]).map_err(|_| HeaderError::Line)?;
            Ok(Parsed::Complete { header: parse_line(line).ok_or(HeaderError::Line)?, len: end + 2 })
        }
        (b'\r', None) => incomplete(window),
        _ => Err(HeaderError::LineEnd),
    }
}

pub(super) fn encode(header: &Header) -> Vec<u8> {
    let Header::Proxied { source, destination } = *header else {
        return b"PROXY UNKNOWN\r\n".to_vec();
    };
    let line = match Family::of(source, destination) {
        Family::Inet { source: s, destination: d } => {
            format!("PROXY TCP4 {} {} {} {}\r\n", s.ip(), d.ip(), s.port(), d.port())
        }
        Family::Inet6 { source: s, destination: d } => {
            format!("PROXY TCP6 {} {} {} {}\r\n", s.0, d.0, s.1, d.1)
        }
    };
    line.into_bytes()
}

fn incomplete(window: &[u8]) -> Result<Parsed, HeaderError> {
    if window.len() < MAX_LINE { Ok(Parsed::Incomplete) } else { Err(HeaderError::LineTooLong) }
}

fn parse_line(line: &str) -> Option<Header> {
    let mut fields = line.split(' ').skip(1);
    match fields.next()? {
        // What follows UNKNOWN is to be ignored.
        "UNKNOWN" => Some(Header::Local),
        "TCP4" => parse_endpoints::<Ipv4Addr>(fields),
        "TCP6" => parse_endpoints::<Ipv6Addr>(fields),
        _ => None,
    }
}

fn parse_endpoints<'a, A>(mut fields: impl Iterator<Item = &'a str>) -> Option<Header>
where
    A: str::FromStr + Into<IpAddr>,
{
    let source: A = fields.next()?.parse().ok()?;
    let destination: A = fields.next()?.parse().ok()?;
    let source_port = parse_port(fields.next()?)?;
    let destination_port = parse_port(fields.next()?)?;
    fields.next().is_none().then(|| Header::Proxied {
        source: canonical(SocketAddr::new(source.into(), source_port)),
        destination: canonical(SocketAddr::new(destination.into(), destination_port)),
    })
}

/// Digits only, and no leading zero: it could be read as octal.
fn parse_port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
