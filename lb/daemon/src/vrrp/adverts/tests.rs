use std::net::IpAddr;
use std::time::Duration;

use lb_core::vrrp::packet::{Datagram, TTL};
use lb_core::vrrp::{Endpoints, Family};
use nix::net::if_::if_nametoindex;

use super::*;
use crate::vrrp::namespace::{VETH, beyond, in_namespace, ip, readable};

const PATIENCE: Duration = Duration::from_secs(10);

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Waits for the next packet.
pub(in crate::vrrp) fn next<'a>(receiver: &Receiver, buffer: &'a mut [u8]) -> Datagram<'a> {
    assert!(readable(receiver, PATIENCE), "no packet has come");
    match receiver.receive(buffer).unwrap() {
        Some(Incoming::Datagram(datagram)) => datagram,
        other => panic!("{other:?}"),
    }
}

/// At the other end of the cable whose near end is `left`.
pub(in crate::vrrp) fn opposite(family: Family, multicast: bool) -> Receiver {
    let setup = "
        link set right up
        address add 198.51.100.20/24 dev right
        address add fe80::20/64 dev right nodad";
    beyond("right", setup, || {
        Receiver::open(if_nametoindex("right").unwrap(), "right", family, multicast).unwrap()
    })
}

/// 198.51.100.10 and fe80::10 on `left`.
pub(in crate::vrrp) fn near_end() -> u32 {
    ip("address add 198.51.100.10/24 dev left");
    ip("address add fe80::10/64 dev left nodad");
    if_nametoindex("left").unwrap()
}

#[test]
fn what_is_sent_comes_in_at_the_other_end() {
    for (family, source, group, peer) in [
        (Family::V4, "198.51.100.10", "224.0.0.18", "198.51.100.20"),
        (Family::V6, "fe80::10", "ff02::12", "fe80::20"),
    ] {
        for destination in [group, peer] {
            in_namespace(VETH, move || {
                let receiver = opposite(family, true);
                let sender = Sender::open(near_end(), "left", address(source)).unwrap();
                // The kernel writes nothing into it.
                sender.send(address(destination), &[7; 24]).unwrap();
                let mut buffer = vec![0; BUFFER_BYTES];
                let datagram = next(&receiver, &mut buffer);
                let endpoints = Endpoints::new(address(source), address(destination)).unwrap();
                assert_eq!((datagram.endpoints, datagram.ttl), (endpoints, TTL));
                assert_eq!(datagram.payload, [7; 24]);
                assert!(receiver.receive(&mut buffer).unwrap().is_none());
            });
        }
    }
}

#[test]
fn who_did_not_join_hears_unicast_only() {
    in_namespace(VETH, || {
        let receivers = [(Family::V4, "198.51.100.10"), (Family::V6, "fe80::10")];
        let setup = "
            link set right up
            address add 198.51.100.20/24 dev right
            address add fe80::20/64 dev right nodad";
        let opposite = beyond("right", setup, || {
            let link = if_nametoindex("right").unwrap();
            // One that has joined, on the same host and link.
            [Family::V4, Family::V6].map(|family| {
                [true, false].map(|multicast| Receiver::open(link, "right", family, multicast).unwrap())
            })
        });
        let link = near_end();
        let mut buffer = vec![0; BUFFER_BYTES];
        for ((family, source), [joined, apart]) in receivers.into_iter().zip(opposite) {
            let (group, peer) = match family {
                Family::V4 => (IpAddr::from(GROUP_V4), address("198.51.100.20")),
                Family::V6 => (IpAddr::from(GROUP_V6), address("fe80::20")),
            };
            let sender = Sender::open(link, "left", address(source)).unwrap();
            sender.send(group, b"to all").unwrap();
            sender.send(peer, b"to one").unwrap();
            for expected in [&b"to all"[..], b"to one"] {
                assert_eq!(next(&joined, &mut buffer).payload, expected);
            }
            assert_eq!(next(&apart, &mut buffer).payload, b"to one");
            assert!(apart.receive(&mut buffer).unwrap().is_none());
        }
    });
}

#[test]
fn a_packet_longer_than_the_buffer_is_malformed() {
    for (family, source, group) in
        [(Family::V4, "198.51.100.10", "224.0.0.18"), (Family::V6, "fe80::10", "ff02::12")]
    {
        in_namespace(VETH, move || {
            let receiver = opposite(family, true);
            let sender = Sender::open(near_end(), "left", address(source)).unwrap();
            // In fragments.
            sender.send(address(group), &[7; 4116]).unwrap();
            sender.send(address(group), &[7; 4116]).unwrap();
            let mut buffer = vec![0; BUFFER_BYTES];
            assert_eq!(next(&receiver, &mut buffer).payload, [7; 4116]);
            assert!(readable(&receiver, PATIENCE));
            let received = receiver.receive(&mut buffer[..1000]).unwrap();
            assert!(matches!(received, Some(Incoming::Malformed)), "{received:?}");
            assert!(receiver.receive(&mut buffer).unwrap().is_none());
        });
    }
}

#[test]
fn an_address_that_this_host_does_not_have_is_no_source() {
    in_namespace(VETH, || {
        let link = near_end();
        for source in ["198.51.100.99", "fe80::99"] {
            let error = Sender::open(link, "left", address(source)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable, "{source}");
        }
        let error = Receiver::open(4711, "absent", Family::V4, true).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV));
    });
}
