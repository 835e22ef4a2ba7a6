use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::*;
use crate::keepalived::{Instance, Keepalived};
use crate::netns;
use crate::pair::{Pair, Side, VIP, VIP6};

const PRIORITY_0: &str = "vrrp.prio == 0";

/// keepalived on both hosts, in all of its ways; the address goes from one to the other and back.
#[test]
fn keepalived_sends_nothing_that_is_wrong() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let config = |priority: u8| {
        let advert_interval = Duration::from_millis(50);
        let v4 = Instance { priority, advert_interval, ..Instance::default() };
        let v6 = Instance { name: "bank6", vrid: 52, addresses: &["2001:db8::100/64"], ..v4.clone() };
        let old = Instance {
            name: "old",
            vrid: 53,
            version: 2,
            advert_interval: Duration::from_secs(1),
            addresses: &["192.0.2.101/24"],
            more: "authentication {\nauth_type PASS\nauth_pass 1234\n}",
            ..v4.clone()
        };
        [v4, v6, old].iter().map(Instance::to_string).collect::<String>()
    };
    let old = "192.0.2.101".parse().unwrap();
    let wait_all = |side| [VIP, VIP6, old].map(|address| pair.wait_holder(address, side).unwrap());
    let _standby = Keepalived::start(&pair.b.place(), &config(100)).unwrap();
    let mut active = Keepalived::start(&pair.a.place(), &config(150)).unwrap();
    wait_all(Side::A);
    active.stop().unwrap();
    wait_all(Side::B);
    let frames = capture.stop().unwrap();

    assert_eq!(frames.faults().unwrap(), [""; 0]);
    for filter in ["vrrp.version == 2 && ip", "vrrp.version == 3 && ip", "vrrp.version == 3 && ipv6"] {
        assert!(frames.count(&format!("{filter} && vrrp.prio == 150")).unwrap() >= 1, "{filter}");
        assert!(frames.count(&format!("{filter} && {PRIORITY_0}")).unwrap() >= 1, "{filter}");
        let unchecked = format!("{filter} && vrrp.checksum.status != \"Good\"");
        assert_eq!(frames.count(&unchecked).unwrap(), 0, "{filter}");
    }
    let announced = "arp.isgratuitous && arp.src.proto_ipv4 == 192.0.2.100";
    let announced: BTreeSet<_> = frames.fields(announced, &["eth.src"]).unwrap().into_iter().collect();
    assert_eq!(announced.len(), 2, "both hosts: {announced:?}");
    assert!(frames.count("icmpv6.type == 136 && icmpv6.checksum.status == \"Good\"").unwrap() >= 2);
}

/// Sends bytes as IP protocol 112 to VRRP's group.
fn send(host: &Host, message: &[u8]) {
    host.run(|| {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(112)))?;
        socket.bind(&SocketAddr::from((Ipv4Addr::new(192, 0, 2, 11), 0)).into())?;
        socket.set_multicast_if_v4(&Ipv4Addr::new(192, 0, 2, 11))?;
        socket.set_multicast_ttl_v4(255)?;
        socket.send_to(message, &SocketAddr::from((Ipv4Addr::new(224, 0, 0, 18), 0)).into())?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn what_is_wrong_is_found() {
    if netns::skip() {
        return;
    }
    let mut net = Net::new().unwrap();
    let host = net.host("a", &["192.0.2.11/24"]).unwrap();
    let capture = Capture::at_host(&host).unwrap();
    // Version 2, VRID 51, priority 200, one address, 1 s; without authentication data but for its eight bytes.
    let mut right = b"\x21\x33\xc8\x01\x00\x01\x54\x65\xc0\x00\x02\x64".to_vec();
    right.extend([0; 8]);
    send(&host, &right);
    let mut wrong_sum = right.clone();
    wrong_sum[2] = 201;
    send(&host, &wrong_sum);
    // It counts three addresses and ends after the first.
    let cut = b"\x31\x34\xc8\x03\x00\x64\x00\x00\xc0\x00\x02\x64";
    send(&host, cut);
    let frames = capture.stop().unwrap();

    let numbers = frames.fields("vrrp", &["vrrp.virt_rtr_id", "vrrp.prio"]).unwrap();
    assert_eq!(numbers, [["51", "200"], ["51", "201"], ["52", "200"]]);
    let faults = frames.faults().unwrap();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(faults[0].contains("192.0.2.11 | VRRP") && faults[0].contains("Bad checksum"), "{faults:#?}");
    assert!(faults[1].contains("Malformed"), "{faults:#?}");
    assert!(frames.count("nonsense.field == 1").is_err());
}
