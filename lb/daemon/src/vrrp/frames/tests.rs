use std::net::{Ipv4Addr, Ipv6Addr};

use pnet_base::MacAddr;
use proptest::prelude::*;

use super::{Claim, arp_probe, claim, gratuitous_arp, unsolicited_advert};

const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);
const MAC_V4: MacAddr = MacAddr(0, 0, 0x5e, 0, 1, 51);
const MAC_V6: MacAddr = MacAddr(0, 0, 0x5e, 0, 2, 51);

/// Offsets in a frame.
const ARP: usize = 14;
const IP: usize = 14;
const ADVERT: usize = IP + 40;
const OPTION: usize = ADVERT + 24;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts the right checksum back after a change, by another way than the code's.
fn resum(frame: &mut [u8]) {
    frame[ADVERT + 2..ADVERT + 4].fill(0);
    let length = (frame.len() - ADVERT) as u32;
    let covered = [&frame[IP + 8..IP + 40], &length.to_be_bytes(), &[0, 0, 0, 58], &frame[ADVERT..]].concat();
    let words = covered.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    frame[ADVERT + 2..ADVERT + 4].copy_from_slice(&sum.to_be_bytes());
}

#[test]
fn a_gratuitous_arp_is_a_broadcast_request_of_the_address_for_itself() {
    assert_eq!(
        hex(&gratuitous_arp(V4, MAC_V4)),
        ["ffffffffffff00005e0001330806", "0001080006040001", "00005e000133c0000264", "ffffffffffffc0000264",]
            .concat()
    );
}

#[test]
fn an_arp_probe_names_no_sender_address() {
    assert_eq!(
        hex(&arp_probe(V4, MAC_V4)),
        ["ffffffffffff00005e0001330806", "0001080006040001", "00005e00013300000000", "000000000000c0000264",]
            .concat()
    );
}

#[test]
fn an_unsolicited_advert_goes_to_all_nodes_as_a_router_s_and_overrides() {
    assert_eq!(
        hex(&unsolicited_advert(V6, MAC_V6)),
        [
            "33330000000100005e00023386dd",
            "6000000000203aff",
            "20010db8000000000000000000000100",
            "ff020000000000000000000000000001",
            "880018faa0000000",
            "20010db8000000000000000000000100",
            "020100005e000233",
        ]
        .concat()
    );
}

#[test]
fn an_announcement_is_a_claim_and_a_probe_is_none() {
    assert_eq!(claim(&gratuitous_arp(V4, MAC_V4)), Some(Claim { address: V4.into(), mac: MAC_V4 }));
    assert_eq!(claim(&unsolicited_advert(V6, MAC_V6)), Some(Claim { address: V6.into(), mac: MAC_V6 }));
    assert_eq!(claim(&arp_probe(V4, MAC_V4)), None);
}

#[test]
fn an_arp_reply_claims_and_anything_else_of_arp_does_not() {
    let with = |offset: usize, value: u8| {
        let mut frame = gratuitous_arp(V4, MAC_V4);
        frame[ARP + offset] = value;
        claim(&frame).is_some()
    };
    assert!(with(7, 2), "a reply");
    assert!(!with(7, 3), "reverse ARP");
    assert!(!with(6, 1), "operation 257");
    assert!(!with(1, 6), "not of an Ethernet");
    assert!(!with(3, 1), "not about IPv4");
    assert!(!with(4, 8), "a longer hardware address");
    assert!(!with(5, 16), "a longer address");
}

#[test]
fn padding_of_short_frames_does_no_harm() {
    let mut frame = gratuitous_arp(V4, MAC_V4);
    frame.resize(60, 0);
    assert!(claim(&frame).is_some());
    let mut frame = unsolicited_advert(V6, MAC_V6);
    frame.extend([0xaa; 9]);
    assert!(claim(&frame).is_some());
}

#[test]
fn an_advert_that_a_host_would_not_heed_claims_nothing() {
    let with = |offset: usize, value: u8| {
        let mut frame = unsolicited_advert(V6, MAC_V6);
        frame[offset] = value;
        resum(&mut frame);
        claim(&frame).is_some()
    };
    assert!(with(ADVERT + 4, 0x60), "a solicited one");
    assert!(!with(IP + 7, 254), "from beyond a router");
    assert!(!with(IP + 6, 0), "behind another header");
    assert!(!with(ADVERT, 135), "a solicitation");
    assert!(!with(ADVERT + 1, 1), "a code");
    assert!(!with(ADVERT + 8, 0xff), "a multicast address");
    assert!(!with(OPTION + 1, 0), "an option without a length");
    assert!(!with(OPTION + 1, 2), "an option that is cut off");
    assert!(!with(OPTION + 1, 255), "an option that is cut off");
    let mut frame = unsolicited_advert(V6, MAC_V6);
    frame[ADVERT + 2] ^= 1;
    assert_eq!(claim(&frame), None, "a wrong checksum");
}

#[test]
fn without_the_option_the_claim_is_the_frame_s_source() {
    let mut frame = unsolicited_advert(V6, MAC_V6);
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 0x21]);
    let with_option = claim(&frame).unwrap();
    frame.truncate(OPTION);
    frame[IP + 5] = 24;
    resum(&mut frame);
    let without = claim(&frame).unwrap();
    assert_eq!(with_option, Claim { address: V6.into(), mac: MAC_V6 });
    assert_eq!(without, Claim { address: V6.into(), mac: MacAddr(2, 0, 0, 0, 0, 0x21) });
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(frame in prop::collection::vec(any::<u8>(), 0..200)) {
        claim(&frame);
    }

    /// Nearly right ones, which come deeper; with a right checksum, so that it does not shield what is behind.
    #[test]
    fn no_near_frame_makes_it_panic(
        v6: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        more in prop::collection::vec(any::<u8>(), 0..40),
        length in any::<prop::sample::Index>(),
        sum: bool,
    ) {
        let mut frame = if v6 { unsolicited_advert(V6, MAC_V6) } else { gratuitous_arp(V4, MAC_V4) };
        if v6 {
            frame[IP + 5] += more.len() as u8;
        }
        frame.extend(more);
        for (index, value) in changes {
            let position = index.index(frame.len());
            frame[position] = value;
        }
        frame.truncate(length.index(2 * frame.len()));
        if sum && frame.len() > ADVERT + 4 {
            resum(&mut frame);
        }
        claim(&frame);
    }
}
