//! The internet checksum (RFC 1071), and the two ways in which VRRPv3 over IPv4 has used it.
//!
//! ```text
//! pseudo header  IPv4: source(4)  destination(4)  0 112 length(2)
//!                IPv6: source(16) destination(16) length(4) 0 0 0 112
//! ```

use super::PROTOCOL;
use crate::vrrp::Endpoints;

/// Where the checksum stands in both versions.
pub(super) const OFFSET: usize = 6;

/// What the checksum of a VRRPv3 advertisement over IPv4 covers. Both are in use, so both are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChecksumForm {
    /// The message only: RFC 9568 5.2.8, Cisco, Juniper.
    MessageOnly,
    /// A pseudo header before it: RFC 5798 as keepalived and FRR read it, and they refuse the other form.
    #[default]
    PseudoHeader,
}

/// Of `parts` one after the other; each but the last has an even length. 0 when they include a right checksum.
pub(super) fn checksum(parts: &[&[u8]]) -> u16 {
    let sum = parts.iter().flat_map(|part| part.chunks(2)).fold(0_u32, |sum, pair| {
        let word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        sum + u32::from(word)
    });
    // A packet is below 64 KiB, so the sum of its words has not wrapped.
    let once = (sum & 0xffff) + (sum >> 16);
    !((once & 0xffff) + (once >> 16)) as u16
}

/// Writes the checksum into `message`, as computed with `before` in front of it.
pub(super) fn write(before: &[u8], message: &mut [u8]) {
    message[OFFSET..OFFSET + 2].fill(0);
    let checksum = checksum(&[before, message]);
    message[OFFSET..OFFSET + 2].copy_from_slice(&checksum.to_be_bytes());
}

/// Before a message of `len` bytes.
pub(super) fn pseudo_header(endpoints: Endpoints, len: usize) -> Vec<u8> {
    let len = (len as u32).to_be_bytes();
    match endpoints {
        Endpoints::V4 { source, destination } => {
            [&source.octets()[..], &destination.octets(), &[0, PROTOCOL], &len[2..]].concat()
        }
        Endpoints::V6 { source, destination } => {
            [&source.octets()[..], &destination.octets(), &len, &[0, 0, 0, PROTOCOL]].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&[&bytes]), !0xddf2);
        assert_eq!(checksum(&[&bytes[..2], &bytes[2..]]), !0xddf2);
    }

    #[test]
    fn an_odd_last_byte_counts_as_if_a_zero_followed() {
        assert_eq!(checksum(&[&[0x12, 0x34, 0x56]]), checksum(&[&[0x12, 0x34, 0x56, 0x00]]));
    }

    #[test]
    fn every_carry_is_folded() {
        assert_eq!(checksum(&[&[0xff; 65_534]]), 0);
    }
}
