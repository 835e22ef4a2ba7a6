//! Version 2: binary.
//!
//! ```text
//!  0                                    12       13       14            16
//! +------------------------------------+--------+--------+-------------+----------------------+------+
//! | signature                          |ver|cmd |fam|prot| length (BE) | addresses, ports     | TLVs |
//! +------------------------------------+--------+--------+-------------+----------------------+------+
//! ```
//! `length` counts what follows it. Addresses and ports: source address, destination address, source port,
//! destination port, in network order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Family, Header, HeaderError, MAX_LEN, Parsed, canonical};

pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

const FIXED_LEN: usize = 16;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

const UNSPEC: u8 = 0x00;
const TCP_INET: u8 = 0x11;
const TCP_INET6: u8 = 0x21;

const INET_LEN: usize = 12;
const INET6_LEN: usize = 36;
const UNIX_LEN: usize = 216;

const TLV_CRC32C: u8 = 0x03;

pub(super) fn parse(buf: &[u8]) -> Result<Parsed, HeaderError> {
    let Some(fixed) = buf.first_chunk::<FIXED_LEN>() else {
        return Ok(Parsed::Incomplete);
    };
    let [command, family] = [fixed[12], fixed[13]];
    let len = FIXED_LEN + usize::from(u16::from_be_bytes([fixed[14], fixed[15]]));
    if len > MAX_LEN {
        return Err(HeaderError::TooLong(len));
    }
    let addresses = match command {
        // A receiver must ignore the family and all that follows.
        LOCAL => Addresses::Ignored,
        PROXY => Addresses::of(family)?,
        _ => return Err(HeaderError::Command(command)),
    };
    let Some(header) = buf.get(..len) else {
        return Ok(Parsed::Incomplete);
    };
    Ok(Parsed::Complete { header: addresses.read(header)?, len })
}

pub(super) fn encode(header: &Header) -> Vec<u8> {
    let mut out = Vec::with_capacity(FIXED_LEN + INET6_LEN);
    out.extend_from_slice(&SIGNATURE);
    let Header::Proxied { source, destination } = *header else {
        out.extend_from_slice(&[LOCAL, UNSPEC, 0, 0]);
        return out;
    };
    match Family::of(source, destination) {
        Family::Inet { source: s, destination: d } => {
            out.extend_from_slice(&[PROXY, TCP_INET, 0, INET_LEN as u8]);
            out.extend_from_slice(&s.ip().octets());
            out.extend_from_slice(&d.ip().octets());
        }
        Family::Inet6 { source: s, destination: d } => {
            out.extend_from_slice(&[PROXY, TCP_INET6, 0, INET6_LEN as u8]);
            out.extend_from_slice(&s.0.octets());
            out.extend_from_slice(&d.0.octets());
        }
    }
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
    out
}

/// What stands in the address block of a header.
#[derive(Clone, Copy)]
enum Addresses {
    Inet,
    Inet6,
    /// A known block of this length, of no use to a TCP proxy; TLVs may follow.
    Skipped(usize),
    /// Of no known length, to the header's end.
    Ignored,
}

impl Addresses {
    fn of(family: u8) -> Result<Self, HeaderError> {
        match (family >> 4, family & 0x0f) {
            (0x1, 0x1) => Ok(Self::Inet),
            (0x2, 0x1) => Ok(Self::Inet6),
            (0x1, 0x2) => Ok(Self::Skipped(INET_LEN)),
            (0x2, 0x2) => Ok(Self::Skipped(INET6_LEN)),
            (0x3, 0x1 | 0x2) => Ok(Self::Skipped(UNIX_LEN)),
            (0x0, 0x0..=0x2) | (0x1..=0x3, 0x0) => Ok(Self::Ignored),
            _ => Err(HeaderError::Family(family)),
        }
    }

    fn read(self, header: &[u8]) -> Result<Header, HeaderError> {
        let block = &header[FIXED_LEN..];
        let (endpoints, block_len) = match self {
            Self::Ignored => return Ok(Header::Local),
            Self::Skipped(len) => (Header::Local, len),
            Self::Inet => (inet(block).ok_or(HeaderError::TooShort)?, INET_LEN),
            Self::Inet6 => (inet6(block).ok_or(HeaderError::TooShort)?, INET6_LEN),
        };
        if block.len() < block_len {
            return Err(HeaderError::TooShort);
        }
        check_tlvs(header, FIXED_LEN + block_len)?;
        Ok(endpoints)
    }
}

fn inet(block: &[u8]) -> Option<Header> {
    let &[a, b, c, d, e, f, g, h, ref ports @ ..] = block.first_chunk::<INET_LEN>()?;
    Some(proxied(Ipv4Addr::new(a, b, c, d).into(), Ipv4Addr::new(e, f, g, h).into(), *ports))
}

fn inet6(block: &[u8]) -> Option<Header> {
    let (source, rest) = block.split_first_chunk::<16>()?;
    let (destination, rest) = rest.split_first_chunk::<16>()?;
    let ports = rest.first_chunk::<4>()?;
    Some(proxied(Ipv6Addr::from(*source).into(), Ipv6Addr::from(*destination).into(), *ports))
}

fn proxied(source: IpAddr, destination: IpAddr, [a, b, c, d]: [u8; 4]) -> Header {
    Header::Proxied {
        source: canonical(SocketAddr::new(source, u16::from_be_bytes([a, b]))),
        destination: canonical(SocketAddr::new(destination, u16::from_be_bytes([c, d]))),
    }
}

/// TLVs are skipped, except that a checksum, where there is one, must be right.
fn check_tlvs(header: &[u8], mut at: usize) -> Result<(), HeaderError> {
    while at < header.len() {
        let [kind, high, low] = *header[at..].first_chunk::<3>().ok_or(HeaderError::Tlv)?;
        let value_at = at + 3;
        at = value_at + usize::from(u16::from_be_bytes([high, low]));
        let value = header.get(value_at..at).ok_or(HeaderError::Tlv)?;
        if kind == TLV_CRC32C {
            let sent = u32::from_be_bytes(value.try_into().map_err(|_| HeaderError::Tlv)?);
            if sent != checksum(header, value_at) {
                return Err(HeaderError::Checksum);
            }
        }
    }
    Ok(())
}

/// Of the whole header, its own four bytes at `at` taken as zero.
fn checksum(header: &[u8], at: usize) -> u32 {
    let own = at..at + 4;
    crc32c(header.iter().enumerate().map(|(i, &byte)| if own.contains(&i) { 0 } else { byte }))
}

/// Castagnoli's CRC (RFC 4960, appendix B). Bit by bit: a header is short and comes once a connection.
fn crc32c(bytes: impl Iterator<Item = u8>) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    !bytes.fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ REVERSED_POLYNOMIAL } else { crc >> 1 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_gives_the_published_check_value() {
        assert_eq!(crc32c(b"123456789".iter().copied()), 0xe306_9283);
        // RFC 3720, B.4: 32 bytes of zeroes.
        assert_eq!(crc32c([0; 32].into_iter()), 0x8a91_36aa);
    }
}
