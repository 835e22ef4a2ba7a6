//! Advertisements that are not what they should be, sent by a third host.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::net::if_::if_nametoindex;
use socket2::{Domain, Protocol, Socket, Type};
use testkit::netns;
use testkit::pair::{Pair, Side};

use super::{Scene, wait_state};
use crate::scene::{SOON, soon};

const GROUP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)), 0);
const GROUP_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)), 0);
const VRRP: i32 = 112;
const REJECTED: &str = "lb_vrrp_adverts_rejected_total";

/// Sends packets of VRRP from the client's host.
struct Sender {
    socket: Socket,
    to: SocketAddr,
}

impl Sender {
    fn new(pair: &Pair, to: SocketAddr) -> Self {
        let open = || {
            let socket = Socket::new(Domain::for_address(to), Type::RAW, Some(Protocol::from(VRRP)))?;
            match to {
                SocketAddr::V4(_) => socket.set_multicast_if_v4(&Ipv4Addr::new(192, 0, 2, 50))?,
                SocketAddr::V6(_) => socket.set_multicast_if_v6(if_nametoindex("eth0")?)?,
            }
            Ok(socket)
        };
        Self { socket: pair.client.run(open).unwrap(), to }
    }

    fn send(&self, ttl: u32, packet: &[u8]) {
        match self.to {
            SocketAddr::V4(_) => self.socket.set_multicast_ttl_v4(ttl).unwrap(),
            SocketAddr::V6(_) => self.socket.set_multicast_hops_v6(ttl).unwrap(),
        }
        self.socket.send_to(packet, &self.to.into()).unwrap();
    }
}

/// Version 3, the checksum without a pseudo header.
fn advert(priority: u8, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut packet = vec![0x31, 51, priority, 1, 0, 5, 0, 0, 192, 0, 2, 100];
    change(&mut packet);
    let words = packet.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum = words.sum::<u32>();
    let sum = (sum & 0xffff) + (sum >> 16);
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    if let Some(place) = packet.get_mut(6..8) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
    packet
}

/// A change of one byte, after which the checksum is right.
fn with(at: usize, value: u8) -> Vec<u8> {
    // who believed it would let go
    advert(255, |packet| packet[at] = value)
}

/// Marsaglia's xorshift.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn malformed_advertisements_are_counted_and_change_nothing() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let [sender, six] = [GROUP, GROUP_V6].map(|group| Sender::new(&scene.pair, group));
    let transitions = scene.transitions();
    let good = |priority| advert(priority, |_| ());
    let mut wrong_sum = good(255);
    wrong_sum[6] ^= 1;
    let mut silence = good(0);
    silence[7] ^= 1;
    let cases: [(&str, u32, Vec<u8>); 13] = [
        ("ttl", 254, good(255)),
        ("ttl", 1, good(0)),
        ("version", 255, with(0, 0x21)),
        ("version", 255, with(0, 0x41)),
        ("type", 255, with(0, 0x32)),
        ("count", 255, with(3, 0)),
        ("length", 255, with(3, 2)),
        ("length", 255, good(255)[..4].to_vec()),
        ("length", 255, advert(255, |packet| packet.extend([0; 4]))),
        (
            "count",
            255,
            advert(255, |packet| {
                packet[3] = 0;
                packet.truncate(8);
            }),
        ),
        ("checksum", 255, wrong_sum),
        ("checksum", 255, silence),
        ("interval", 255, with(5, 0)),
    ];
    for (reason, ttl, packet) in &cases {
        let counted = |lb: &testkit::lb::Lb| lb.metrics().unwrap().sum(REJECTED, &[("reason", reason)]);
        let before = Side::ALL.map(|side| counted(scene.lb(side)));
        sender.send(*ttl, packet);
        for (side, before) in Side::ALL.into_iter().zip(before) {
            let lb = scene.lb(side);
            let labels = [("router", "vip"), ("reason", reason)];
            lb.wait_metric(REJECTED, &labels, SOON, |count| count == before + 1.0).unwrap();
        }
    }
    // of nobody
    sender.send(255, &with(1, 50));
    sender.send(255, &[]);
    sender.send(255, &[0x31]);

    let mut state = 0x5eed_0003;
    for number in 0..1000 {
        let length = random(&mut state) as usize % 64 + 3;
        let mut packet: Vec<u8> = (0..length).map(|_| random(&mut state) as u8).collect();
        packet[1] = 51;
        if number % 2 == 0 {
            packet[0] = 0x31;
        }
        sender.send(255, &packet);
        six.send(if number % 5 == 0 { 64 } else { 255 }, &packet);
    }
    let all = |side| scene.lb(side).metrics().unwrap().sum(REJECTED, &[]);
    soon("two thousand refusals", || Side::ALL.iter().all(|side| all(*side) >= 2000.0).then_some(()));
    scene.wait_adverts(Side::A, || {});
    assert_eq!(scene.transitions(), transitions);
    scene.wait_on(Side::A);

    // it was not for another reason that they did not believe it
    sender.send(255, &good(251));
    wait_state(&scene.a, "backup");
    scene.a.wait_metric("lb_vrrp_adverts_received_total", &[], SOON, |count| count > 0.0).unwrap();
    scene.wait_on(Side::A);
}
