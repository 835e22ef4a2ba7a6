use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use nix::net::if_::if_nametoindex;
use pnet_base::MacAddr;

use super::{FRAME_BYTES, PacketSocket, Protocol};
use crate::vrrp::frames::{Claim, arp_probe, claim, gratuitous_arp, unsolicited_advert};
use crate::vrrp::namespace::{VETH, in_namespace, ip, ip_output, link_is_up, readable, soon};

const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);
const MAC: MacAddr = MacAddr(0, 0, 0x5e, 0, 1, 51);

fn open(link: &str, protocol: Protocol) -> PacketSocket {
    link_is_up(link);
    PacketSocket::open(if_nametoindex(link).unwrap(), protocol).unwrap()
}

fn wait(socket: &PacketSocket) {
    assert!(readable(socket, Duration::from_secs(5)), "nothing came");
}

/// Of the next frame.
fn heard(socket: &PacketSocket) -> Option<Claim> {
    let mut buffer = [0; FRAME_BYTES];
    wait(socket);
    let length = socket.receive(&mut buffer).unwrap();
    claim(&buffer[..length])
}

/// The frames that have come by now, of which none is waited for.
fn all_heard(socket: &PacketSocket) -> Vec<Option<Claim>> {
    let mut buffer = [0; FRAME_BYTES];
    std::iter::from_fn(|| match socket.receive(&mut buffer) {
        Ok(length) => Some(claim(&buffer[..length])),
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
            None
        }
    })
    .collect()
}

fn made_by(address: impl Into<IpAddr>) -> Option<Claim> {
    Some(Claim { address: address.into(), mac: MAC })
}

#[test]
fn an_announcement_on_one_end_is_a_claim_at_the_other_and_not_at_one_s_own() {
    in_namespace(VETH, || {
        for (protocol, frame, address) in [
            (Protocol::Arp, gratuitous_arp(V4, MAC), V4.into()),
            (Protocol::NeighborDiscovery, unsolicited_advert(V6, MAC), IpAddr::from(V6)),
        ] {
            let (left, right) = (open("left", protocol), open("right", protocol));
            left.send(&frame).unwrap();
            assert_eq!(heard(&right), made_by(address));
            // What the kernel says of its own in between, if anything, is no claim to that.
            assert!(!all_heard(&left).contains(&made_by(address)), "{protocol:?}");
            assert!(!all_heard(&right).contains(&made_by(address)), "{protocol:?}");
        }
    });
}

#[test]
fn a_probe_is_answered_by_who_has_the_address() {
    in_namespace(VETH, || {
        ip("address add 192.0.2.100/32 dev right");
        let left = open("left", Protocol::Arp);
        left.send(&arp_probe(V4, MAC)).unwrap();
        assert_eq!(heard(&left).map(|claim| claim.address), Some(V4.into()));
    });
}

#[test]
fn the_kernel_heeds_an_unsolicited_advert() {
    in_namespace(VETH, || {
        ip("neigh replace 2001:db8::100 dev right lladdr 02:00:00:00:00:99 nud stale");
        let (left, right) =
            (open("left", Protocol::NeighborDiscovery), open("right", Protocol::NeighborDiscovery));
        left.send(&unsolicited_advert(V6, MAC)).unwrap();
        assert_eq!(heard(&right), made_by(V6));
        soon("the neighbour has the new address", || {
            ip_output("neigh show dev right 2001:db8::100").unwrap().contains(&MAC.to_string())
        });
    });
}

#[test]
fn the_kernel_heeds_a_gratuitous_arp() {
    in_namespace(VETH, || {
        ip("address add 192.0.2.21/24 dev right");
        ip("neigh replace 192.0.2.100 dev right lladdr 02:00:00:00:00:99 nud stale");
        let (left, right) = (open("left", Protocol::Arp), open("right", Protocol::Arp));
        left.send(&gratuitous_arp(V4, MAC)).unwrap();
        assert_eq!(heard(&right), made_by(V4));
        soon("the neighbour has the new address", || {
            ip_output("neigh show dev right 192.0.2.100").unwrap().contains(&MAC.to_string())
        });
    });
}

#[test]
fn nothing_else_comes_in() {
    in_namespace(VETH, || {
        let (left, right) =
            (open("left", Protocol::NeighborDiscovery), open("right", Protocol::NeighborDiscovery));
        let mut solicitation = unsolicited_advert(V6, MAC);
        solicitation[14 + 40] = 135;
        let mut udp = unsolicited_advert(V6, MAC);
        udp[14 + 6] = 17;
        for frame in [solicitation, udp, unsolicited_advert(V6, MAC)] {
            left.send(&frame).unwrap();
        }
        // in order, so the others would have come before
        assert_eq!(heard(&right), made_by(V6));
    });
}

#[test]
fn frames_for_a_link_on_top_are_that_link_s() {
    in_namespace(VETH, || {
        ip("link add link right name top address 02:00:00:00:00:77 type macvlan mode private");
        ip("link set top up");
        let (left, right, top) =
            (open("left", Protocol::Arp), open("right", Protocol::Arp), open("top", Protocol::Arp));
        let mut for_top = gratuitous_arp(Ipv4Addr::new(192, 0, 2, 101), MAC);
        for_top[..6].copy_from_slice(&[2, 0, 0, 0, 0, 0x77]);
        left.send(&for_top).unwrap();
        left.send(&gratuitous_arp(V4, MAC)).unwrap();
        assert_eq!(heard(&right), made_by(V4));
        assert_eq!(heard(&top), made_by([192, 0, 2, 101]));
    });
}

#[test]
fn it_survives_the_link_going_down_but_not_the_link() {
    in_namespace(VETH, || {
        let (left, right) = (open("left", Protocol::Arp), open("right", Protocol::Arp));
        ip("link set right down");
        let error = right.receive(&mut [0; FRAME_BYTES]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NetworkDown);
        let error = right.receive(&mut [0; FRAME_BYTES]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "said once");
        assert_eq!(right.send(&gratuitous_arp(V4, MAC)).unwrap_err().kind(), io::ErrorKind::NetworkDown);
        ip("link set right up");
        link_is_up("left");
        link_is_up("right");
        left.send(&gratuitous_arp(V4, MAC)).unwrap();
        assert_eq!(heard(&right), made_by(V4));

        ip("link del left");
        ip("link add left type veth peer name right");
        assert_eq!(right.receive(&mut [0; FRAME_BYTES]).unwrap_err().kind(), io::ErrorKind::NetworkDown);
        assert!(right.send(&gratuitous_arp(V4, MAC)).is_err());
    });
}

#[test]
fn where_there_is_no_link_there_is_no_socket() {
    in_namespace("", || {
        let error = PacketSocket::open(4711, Protocol::Arp).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV));
    });
}
