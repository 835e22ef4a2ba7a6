use std::net::IpAddr;
use std::num::NonZeroU8;
use std::os::fd::AsFd;
use std::time::Duration;

use lb_core::config::{Authentication, KeyFile, Secret};
use lb_core::vrrp::packet::auth::{AntiReplay, AuthRejected, Authenticator, Mode, Verdict, Window};
use lb_core::vrrp::packet::{ChecksumForm, Datagram, EncodeError, Expected, Password, TTL, decode};
use lb_core::vrrp::{Addresses, Advert, AdvertInterval, AuthV2, Endpoints, Family, Priority, Version, Vrid};
use nix::net::if_::if_nametoindex;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::*;
use crate::vrrp::namespace::{VETH, beyond, in_namespace, ip};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// VRID 51, every second.
pub(in crate::vrrp) fn settings(
    version: Version,
    source: &str,
    destinations: &[&str],
    vip: &str,
) -> Settings {
    Settings {
        vrid: Vrid::try_from(51).unwrap(),
        version,
        interval: AdvertInterval::SECOND,
        addresses: Addresses::new(vec![address(vip)]).unwrap(),
        source: address(source),
        destinations: destinations.iter().copied().map(address).collect(),
        checksum: ChecksumForm::PseudoHeader,
        password: AuthV2::None,
        authentication: None,
    }
}

pub(in crate::vrrp) fn authentication(mode: Mode) -> Authentication {
    let key =
        KeyFile { id: NonZeroU8::MIN, file: "/etc/lb/vrrp.key".into(), secret: Secret((0..32).collect()) };
    Authentication { keys: vec![key], mode, anti_replay: AntiReplay::Time(Window::from_secs(5).unwrap()) }
}

/// At a peer that has the same settings.
pub(in crate::vrrp) fn decoded(settings: &Settings, datagram: &Datagram<'_>) -> Advert {
    decode(datagram, &expected(settings)).unwrap().advert
}

fn expected(settings: &Settings) -> Expected {
    Expected {
        version: settings.version,
        vrid: settings.vrid,
        interval: settings.interval,
        least_ttl: TTL,
        link_local_first: false,
        auth: settings.password,
    }
}

/// Waits for the next packet.
pub(in crate::vrrp) fn next<'a>(receiver: &Receiver, buffer: &'a mut [u8]) -> Datagram<'a> {
    let mut polled = [PollFd::new(receiver.as_fd(), PollFlags::POLLIN)];
    assert_eq!(poll(&mut polled, PollTimeout::try_from(10_000).unwrap()), Ok(1), "no packet has come");
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

fn packets(settings: &Settings, priority: Option<u8>) -> Vec<Packet> {
    let priority = priority.map(|number| Priority::try_from(number).unwrap());
    Outgoing::new(settings.clone()).unwrap().advert(priority, Duration::from_secs(1)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_golden_vectors_each_destination_with_its_checksum() {
    let both = ["224.0.0.18", "192.0.2.10"];
    let pseudo_header = settings(Version::V3, "198.51.100.10", &both, "192.0.2.100");
    let message_only = Settings { checksum: ChecksumForm::MessageOnly, ..pseudo_header.clone() };
    let v2 = Settings { version: Version::V2, ..pseudo_header.clone() };
    let password = AuthV2::Password(Password::new(b"1234").unwrap());
    let v6 = settings(Version::V3, "fe80::10", &["ff02::12"], "fe80::100");
    let signed = Settings { authentication: Some(authentication(Mode::Enforce)), ..message_only.clone() };
    let receive_only =
        Settings { authentication: Some(authentication(Mode::ReceiveOnly)), ..message_only.clone() };
    for (settings, golden) in [
        (pseudo_header, &["3133c80100643935c0000264", "3133c8010064573dc0000264"][..]),
        (message_only, &["3133c80100644402c0000264"; 2]),
        (receive_only, &["3133c80100644402c0000264"; 2]),
        (v2.clone(), &["2133c80100015465c00002640000000000000000"; 2]),
        (Settings { password, ..v2 }, &["2133c8010101eefec00002643132333400000000"; 2]),
        (v6, &["3133c801006408b8fe800000000000000000000000000100"]),
    ] {
        let packets = packets(&settings, Some(200));
        let destinations: Vec<_> = packets.iter().map(|packet| packet.destination).collect();
        assert_eq!(destinations, settings.destinations);
        let payloads: Vec<_> = packets.iter().map(|packet| hex(&packet.payload)).collect();
        assert_eq!(payloads, golden, "{settings:?}");
    }
    let at = Duration::new(0x6800_0000, 500_000_000);
    let mut outgoing = Outgoing::new(signed).unwrap();
    let packets = outgoing.advert(Priority::from_wire(200), at).unwrap();
    let golden = "3133c80100644402c0000264010100006800000080000000";
    assert_eq!(hex(&packets[0].payload), format!("{golden}1b84bc4e8e43892dc6d98448f8ee2265"));
    assert!(hex(&packets[1].payload).contains("010100006800000080000001"), "the counter goes on");
}

#[test]
fn a_signed_packet_over_ipv6_is_sealed_for_its_destination() {
    let peers = ["fe80::20", "fe80::30"];
    let unsigned = settings(Version::V3, "fe80::10", &peers, "fe80::100");
    let settings = Settings { authentication: Some(authentication(Mode::Permissive)), ..unsigned };
    for packet in packets(&settings, Some(200)) {
        let endpoints = Endpoints::new(settings.source, packet.destination).unwrap();
        let datagram = Datagram { endpoints, ttl: TTL, payload: &packet.payload };
        assert!(decode(&datagram, &expected(&settings)).unwrap().trailer.is_some());
    }
}

#[test]
fn a_destination_of_another_family_is_an_error() {
    let settings = settings(Version::V3, "fe80::10", &["ff02::12", "192.0.2.10"], "fe80::100");
    let mut outgoing = Outgoing::new(settings).unwrap();
    assert_eq!(outgoing.advert(None, Duration::ZERO), Err(EncodeError::Family));
}

/// What a peer says to a packet that was sent now.
fn verdict(
    peer: &mut Authenticator,
    settings: &Settings,
    packet: &Packet,
    now: Duration,
) -> Result<Verdict, AuthRejected> {
    let endpoints = Endpoints::new(settings.source, packet.destination).unwrap();
    let datagram = Datagram { endpoints, ttl: TTL, payload: &packet.payload };
    let received = decode(&datagram, &expected(settings)).unwrap();
    peer.verify(&settings.context(), &received, now)
}

#[test]
fn the_farewell_is_believed_after_the_adverts_and_adverts_after_the_farewell() {
    for source in [("198.51.100.10", "224.0.0.18", "192.0.2.100"), ("fe80::10", "ff02::12", "fe80::100")] {
        let (source, group, vip) = source;
        let authentication = authentication(Mode::Enforce);
        let mut peer = Authenticator::new(auth_settings(&authentication).unwrap());
        let unsigned = settings(Version::V3, source, &[group], vip);
        let settings = Settings { authentication: Some(authentication), ..unsigned };
        let mut daemon = Outgoing::new(settings.clone()).unwrap();
        // As it goes to the guard.
        let farewell = serde_json::to_vec(&daemon.farewell().unwrap()).unwrap();
        let farewell: Farewell = serde_json::from_slice(&farewell).unwrap();
        let mut guard = farewell.signer().unwrap().unwrap();
        let mut last_word = |now| {
            let mut packet = farewell.packets[0].clone();
            guard.sign(&mut packet, now);
            packet
        };
        let at = |millis| Duration::from_secs(1_800_000_000) + Duration::from_millis(millis);
        let authentic = Ok(Verdict::Authentic { clock_ahead: 0 });
        let mut advert = |now| daemon.advert(Priority::from_wire(200), now).unwrap().remove(0);
        let first = advert(at(0));
        assert_eq!(verdict(&mut peer, &settings, &first, at(0)), authentic);
        for _ in 0..2 {
            let word = last_word(at(1));
            assert_eq!(word.payload[2], 0, "priority");
            assert_eq!(verdict(&mut peer, &settings, &word, at(1)), authentic);
            assert_eq!(verdict(&mut peer, &settings, &word, at(1)), Err(AuthRejected::Replay));
        }
        let resumed = advert(at(2));
        assert_eq!(verdict(&mut peer, &settings, &resumed, at(2)), authentic);
    }
}

#[test]
fn new_settings_let_the_sequence_go_on() {
    let unsigned = settings(Version::V3, "198.51.100.10", &["224.0.0.18"], "192.0.2.100");
    let settings = Settings { authentication: Some(authentication(Mode::Enforce)), ..unsigned.clone() };
    let mut outgoing = Outgoing::new(settings.clone()).unwrap();
    let now = Duration::from_secs(1_800_000_000);
    let mut payloads = Vec::new();
    for settings in [settings.clone(), settings.clone(), unsigned, settings] {
        outgoing.reconfigure(settings).unwrap();
        payloads.push(outgoing.advert(None, now).unwrap().remove(0).payload);
    }
    assert_ne!(payloads[0][12..24], payloads[1][12..24], "a sequence number is used once");
    assert_eq!(payloads[2].len(), 12, "signs no more");
    assert_eq!(payloads[3].len(), 40, "signs again");
    let no_key = Authentication { keys: Vec::new(), ..authentication(Mode::Enforce) };
    let broken = Settings { authentication: Some(no_key), ..outgoing.settings().clone() };
    assert!(outgoing.reconfigure(broken).is_err());
    assert_eq!(outgoing.advert(None, now).unwrap().remove(0).payload.len(), 40, "as before");
}

#[test]
fn no_secret_is_printed() {
    let unsigned = settings(Version::V3, "198.51.100.10", &["224.0.0.18"], "192.0.2.100");
    let settings = Settings { authentication: Some(authentication(Mode::Enforce)), ..unsigned };
    let outgoing = Outgoing::new(settings).unwrap();
    let printed = format!("{outgoing:?} {:?}", outgoing.farewell().unwrap());
    assert!(printed.contains("Signing(key 1, ..)"), "{printed}");
    assert!(!printed.contains("30, 31"), "{printed}");
}

#[test]
fn what_is_sent_comes_in_at_the_other_end() {
    for (source, group, peer, vip) in [
        ("198.51.100.10", "224.0.0.18", "198.51.100.20", "192.0.2.100"),
        ("fe80::10", "ff02::12", "fe80::20", "fe80::100"),
    ] {
        for destination in [group, peer] {
            in_namespace(VETH, move || {
                let settings = settings(Version::V3, source, &[destination], vip);
                let receiver = opposite(settings.addresses.family(), true);
                let link = near_end();
                let sender = Sender::open(link, "left", settings.source).unwrap();
                for packet in packets(&settings, Some(200)) {
                    sender.send(packet.destination, &packet.payload).unwrap();
                }
                let mut buffer = vec![0; BUFFER_BYTES];
                let datagram = next(&receiver, &mut buffer);
                let endpoints = Endpoints::new(settings.source, address(destination)).unwrap();
                assert_eq!((datagram.endpoints, datagram.ttl), (endpoints, TTL));
                assert_eq!(decoded(&settings, &datagram).priority, Priority::from_wire(200));
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
            let mut polled = [PollFd::new(receiver.as_fd(), PollFlags::POLLIN)];
            assert_eq!(poll(&mut polled, PollTimeout::try_from(10_000).unwrap()), Ok(1));
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
