use std::net::Ipv4Addr;

use nix::net::if_::if_nametoindex;

use super::*;
use crate::vrrp::frames::{Claim, claim, gratuitous_arp};
use crate::vrrp::namespace::{VETH, in_namespace, ip, ip_output, link_is_up, soon};
use crate::vrrp::netlink::Monitor;
use crate::vrrp::packet_socket::{FRAME_BYTES, PacketSocket, Protocol};

const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

fn vrid() -> Vrid {
    Vrid::try_from(51).unwrap()
}

fn on_left(writer: &Writer, family: Family) -> VirtualMac {
    VirtualMac::new(writer, if_nametoindex("left").unwrap(), "left", family, vrid()).unwrap()
}

#[test]
fn names_fit_and_mac_addresses_are_the_protocol_s() {
    assert_eq!(name(Family::V4, vrid(), 2), "vrrp.51.2");
    assert_eq!(name(Family::V6, Vrid::try_from(255).unwrap(), 12345).len(), 15);
    assert_eq!(address(Family::V4, vrid()), MacAddr(0, 0, 0x5e, 0, 1, 0x33));
    assert_eq!(address(Family::V6, vrid()), MacAddr(0, 0, 0x5e, 0, 2, 0x33));
}

#[test]
fn the_host_s_own_traffic_stays_on_the_interface() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        for (family, own, vip, peer) in [
            (Family::V4, "192.0.2.11/24", "192.0.2.100/24", "192.0.2.50"),
            (Family::V6, "2001:db8::11/64", "2001:db8::100/64", "2001:db8::50"),
        ] {
            let virtual_mac = on_left(&writer, family);
            virtual_mac.install(&writer, &[vip.parse().unwrap()]).unwrap();
            // later than the macvlan's, as after a restart of the network's configuration
            let nodad = if family == Family::V6 { "nodad" } else { "" };
            ip(&format!("address add {own} dev left {nodad}"));
            let source = own.split('/').next().unwrap();
            soon("the interface is the way", || {
                let route = ip_output(&format!("route get {peer}")).unwrap();
                route.contains(" dev left ") && route.contains(&format!(" src {source} "))
            });
        }
    });
}

#[test]
fn what_the_kernel_is_told_counts_and_what_is_as_good_stays() {
    in_namespace(VETH, || {
        let read =
            |path: &str| fs::read_to_string(format!("/proc/sys/net/{path}")).unwrap().trim().to_owned();
        fs::write("/proc/sys/net/ipv4/conf/left/arp_ignore", "2").unwrap();
        let writer = Writer::open().unwrap();
        let (four, six) = (on_left(&writer, Family::V4), on_left(&writer, Family::V6));
        let [four, six] = [four, six].map(|made| nix::net::if_::if_indextoname(made.link).unwrap());
        let [four, six] = [&four, &six].map(|name| name.to_str().unwrap());
        assert_eq!(read("ipv4/conf/left/arp_ignore"), "2");
        assert_eq!(read("ipv4/conf/left/arp_announce"), "2");
        assert_eq!(read(&format!("ipv4/conf/{four}/arp_ignore")), "1");
        assert_eq!(read(&format!("ipv4/conf/{six}/arp_ignore")), "1");
        assert_eq!(read(&format!("ipv4/conf/{four}/rp_filter")), "2");
        assert_eq!(read(&format!("ipv4/conf/{four}/promote_secondaries")), "1");
        assert_eq!(read(&format!("ipv6/conf/{four}/disable_ipv6")), "1");
        assert_eq!(read(&format!("ipv6/conf/{six}/accept_ra")), "0");
    });
}

#[test]
fn a_deleted_macvlan_is_noticed_and_a_switched_off_one_too() {
    in_namespace(VETH, || {
        let mut monitor = Monitor::open().unwrap();
        let writer = Writer::open().unwrap();
        let mut virtual_mac = on_left(&writer, Family::V4);
        assert!(!virtual_mac.is_gone(monitor.table()), "the kernel's news are not read yet");
        virtual_mac.install(&writer, &["192.0.2.100/24".parse().unwrap()]).unwrap();
        monitor.drain().unwrap();
        assert!(virtual_mac.is_on(monitor.table()) && !virtual_mac.is_gone(monitor.table()));
        writer.switch_off(virtual_mac.link).unwrap();
        monitor.drain().unwrap();
        assert!(!virtual_mac.is_on(monitor.table()));
        writer.delete_link(virtual_mac.link).unwrap();
        monitor.drain().unwrap();
        assert!(virtual_mac.is_gone(monitor.table()));
    });
}

#[test]
fn only_our_macvlans_are_left_over() {
    in_namespace(VETH, || {
        on_left(&Writer::open().unwrap(), Family::V6);
        ip("link add vrrp.51 link left address 00:00:5e:00:01:33 type macvlan mode private");
        ip("link add vrrp0 group 177 type veth peer name vrrp1");
        let monitor = Monitor::open().unwrap();
        let ours = monitor.table().links().filter(|link| is_ours(link));
        let names: Vec<_> = ours.map(|link| link.name.split('.').next().unwrap()).collect();
        assert_eq!(names, ["vrrp6"]);
    });
}

/// A router that sends advertisements with the virtual MAC address may be Active at the same time; it must be heard.
#[test]
fn frames_of_another_with_the_same_mac_address_reach_the_interface() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        let virtual_mac = on_left(&writer, Family::V4);
        virtual_mac.install(&writer, &["192.0.2.100/24".parse().unwrap()]).unwrap();
        link_is_up("left");
        let [left, right] = ["left", "right"]
            .map(|link| PacketSocket::open(if_nametoindex(link).unwrap(), Protocol::Arp).unwrap());
        right.send(&gratuitous_arp(VIP, virtual_mac.mac)).unwrap();
        let expected = Claim { address: VIP.into(), mac: virtual_mac.mac };
        soon("it is heard", || {
            let mut buffer = [0; FRAME_BYTES];
            left.receive(&mut buffer).is_ok_and(|length| claim(&buffer[..length]) == Some(expected))
        });
    });
}
