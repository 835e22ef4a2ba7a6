use std::io;

use ipnet::IpNet;
use nix::net::if_::if_nametoindex;

use super::Writer;
use crate::vrrp::namespace::{VETH, in_namespace, ip, ip_output};

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

#[test]
fn an_address_is_added_once_and_removed_once() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        let link = if_nametoindex("left").unwrap();
        for address in ["192.0.2.100/24", "192.0.2.101/32", "2001:db8::100/64", "2001:db8::101/128"].map(net)
        {
            let listed = || ip_output("address show dev left").unwrap().contains(&address.to_string());
            assert!(!writer.remove(link, address).unwrap(), "{address} was never there");
            writer.add(link, address).unwrap();
            writer.add(link, address).unwrap();
            assert!(listed(), "{address}");
            assert!(writer.remove(link, address).unwrap());
            assert!(!listed(), "{address}");
            assert!(!writer.remove(link, address).unwrap());
        }
    });
}

#[test]
fn an_ipv6_address_is_usable_at_once_and_stays() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        writer.add(if_nametoindex("left").unwrap(), net("2001:db8::100/64")).unwrap();
        let shown = ip_output("-details address show dev left to 2001:db8::100").unwrap();
        assert!(shown.contains("nodad"), "{shown}");
        assert!(!shown.contains("tentative"), "{shown}");
        assert!(shown.contains("deprecated") && shown.contains("valid_lft forever"), "{shown}");
        std::net::TcpListener::bind("[2001:db8::100]:0").unwrap();
    });
}

#[test]
fn a_deprecated_address_is_no_source_by_itself() {
    in_namespace(VETH, || {
        let writer = Writer::open().unwrap();
        let link = if_nametoindex("left").unwrap();
        ip("address add 2001:db8::21/64 dev left nodad");
        // the newest is the kernel's first choice
        writer.add(link, net("2001:db8::2:100/64")).unwrap();
        let route = ip_output("route get 2001:db8::2:101").unwrap();
        assert!(route.contains("src 2001:db8::21 "), "{route}");
    });
}

#[test]
fn where_there_is_no_link_nothing_is_removed_and_adding_fails() {
    in_namespace("", || {
        let writer = Writer::open().unwrap();
        for address in ["192.0.2.100/24", "2001:db8::100/64"].map(net) {
            assert!(!writer.remove(4711, address).unwrap());
            let error = writer.add(4711, address).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(nix::libc::ENODEV), "{error}");
        }
    });
}

#[test]
fn where_ipv6_is_off_nothing_is_removed_and_adding_fails() {
    in_namespace(VETH, || {
        std::fs::write("/proc/sys/net/ipv6/conf/left/disable_ipv6", "1").unwrap();
        let writer = Writer::open().unwrap();
        let link = if_nametoindex("left").unwrap();
        assert!(!writer.remove(link, net("2001:db8::100/64")).unwrap());
        let error = writer.add(link, net("2001:db8::100/64")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{error}");
        // below 1280 bytes the kernel takes IPv6 from the link altogether
        ip("link set left mtu 1000");
        assert!(!writer.remove(link, net("2001:db8::100/64")).unwrap());
    });
}
