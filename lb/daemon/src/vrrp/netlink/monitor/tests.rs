use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use netlink_packet_route::address::AddressFlags;
use socket2::SockRef;

use super::{Monitor, Table};
use crate::vrrp::namespace::{VETH, in_namespace, ip, ip_output, readable};
use crate::vrrp::netlink::Writer;

fn index(monitor: &Monitor, name: &str) -> u32 {
    monitor.table().link(name).unwrap().index
}

/// Follows the kernel until it is so: carriers come and go on a thread of the kernel's.
fn until(monitor: &mut Monitor, what: &str, condition: impl Fn(&Table) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition(monitor.table()) {
        assert!(Instant::now() < deadline, "never: {what}; {:#?}", monitor.table());
        readable(&*monitor, deadline.saturating_duration_since(Instant::now()));
        monitor.drain().unwrap();
    }
}

fn is_up(table: &Table, name: &str) -> bool {
    table.link(name).is_some_and(|link| link.up)
}

#[test]
fn what_is_there_is_known_from_the_start() {
    in_namespace(VETH, || {
        ip("link set left address 02:00:00:00:00:21");
        ip("address add 192.0.2.21/24 dev left");
        ip("address add 2001:db8::21/64 dev left nodad");
        let monitor = Monitor::open().unwrap();
        let left = index(&monitor, "left");
        let mac = monitor.table().link("left").unwrap().mac.unwrap();
        assert_eq!(mac.to_string(), "02:00:00:00:00:21");
        assert_eq!(monitor.table().primary_v4(left, &[]), Some([192, 0, 2, 21].into()));
        assert!(monitor.table().has(left, "2001:db8::21".parse().unwrap()));
        assert!(is_up(monitor.table(), "lo"));
        assert_eq!(monitor.table().link("lo").unwrap().mac, None);
    });
}

#[test]
fn an_address_that_we_add_is_ours_until_somebody_takes_it_away() {
    in_namespace(VETH, || {
        let mut monitor = Monitor::open().unwrap();
        let writer = Writer::open().unwrap();
        let left = index(&monitor, "left");
        ip("address add 192.0.2.21/24 dev left");
        for text in ["192.0.2.100/24", "192.0.2.101/32", "2001:db8::100/64", "fe80::100/64"] {
            let address: IpNet = text.parse().unwrap();
            let host: IpAddr = address.addr();
            writer.add(left, address).unwrap();
            until(&mut monitor, "it is there", |table| table.has(left, host));
            let ours: Vec<_> = monitor.table().ours().map(|ours| (ours.link, ours.address)).collect();
            assert_eq!(ours, [(left, address)]);
            assert!(monitor.table().ours().all(|ours| !ours.tentative()));
            assert!(
                monitor
                    .table()
                    .ours()
                    .all(|ours| ours.flags.contains(AddressFlags::Deprecated) == host.is_ipv6())
            );
            // a process that starts now knows it too
            assert_eq!(Monitor::open().unwrap().table().ours().count(), 1);
            ip(&format!("address del {text} dev left"));
            assert!(monitor.drain().unwrap());
            assert!(!monitor.table().has(left, host));
            assert_eq!(monitor.table().ours().count(), 0);
        }
        assert_eq!(monitor.table().primary_v4(left, &[]), Some([192, 0, 2, 21].into()));
    });
}

#[test]
fn nothing_new_is_no_change() {
    in_namespace(VETH, || {
        let mut monitor = Monitor::open().unwrap();
        until(&mut monitor, "a link-local address for each", |table| {
            ["left", "right"]
                .map(|name| table.link_local(table.link(name).unwrap().index, &[]))
                .iter()
                .all(Option::is_some)
        });
        assert!(!monitor.drain().unwrap());
        ip("link set left mtu 1400");
        assert!(!monitor.drain().unwrap(), "not of interest");
    });
}

#[test]
fn a_link_goes_down_with_its_cable_or_its_switch() {
    in_namespace(VETH, || {
        let mut monitor = Monitor::open().unwrap();
        let writer = Writer::open().unwrap();
        let left = index(&monitor, "left");
        let v6: IpNet = "2001:db8::100/64".parse().unwrap();
        until(&mut monitor, "left is up", |table| is_up(table, "left"));
        ip("link set right down");
        until(&mut monitor, "left has no carrier", |table| !is_up(table, "left"));
        writer.add(left, v6).unwrap();
        until(&mut monitor, "the address is there", |table| table.has(left, v6.addr()));
        ip("link set right up");
        until(&mut monitor, "left has a carrier", |table| is_up(table, "left"));
        assert!(monitor.table().has(left, v6.addr()), "a cable takes no address away");
        ip("link set left down");
        until(&mut monitor, "left is down", |table| !is_up(table, "left"));
        assert!(
            !monitor.table().has(left, v6.addr()),
            "the kernel takes IPv6 off a link that is switched off"
        );
        ip("link set left up");
        until(&mut monitor, "left is up again", |table| is_up(table, "left"));
    });
}

#[test]
fn a_link_goes_and_comes_back_with_another_index() {
    in_namespace("link add fifteen-bytes-0 type veth peer name fifteen-bytes-1", || {
        let mut monitor = Monitor::open().unwrap();
        let first = index(&monitor, "fifteen-bytes-0");
        ip("address add 192.0.2.21/24 dev fifteen-bytes-0");
        ip("link del fifteen-bytes-0");
        assert!(monitor.drain().unwrap());
        assert_eq!(monitor.table().link("fifteen-bytes-0"), None);
        assert_eq!(monitor.table().addresses(first).count(), 0);
        ip("link add fifteen-bytes-0 type veth peer name fifteen-bytes-1");
        assert!(monitor.drain().unwrap());
        assert_ne!(index(&monitor, "fifteen-bytes-0"), first);
    });
}

#[test]
fn a_link_may_join_and_leave_a_bridge() {
    in_namespace(VETH, || {
        ip("link add br0 type bridge");
        let mut monitor = Monitor::open().unwrap();
        ip("link set left master br0");
        ip("link set left nomaster");
        monitor.drain().unwrap();
        assert!(monitor.table().link("left").is_some());
    });
}

#[test]
fn a_flood_of_changes_leaves_the_table_true() {
    in_namespace(VETH, || {
        let mut monitor = Monitor::open().unwrap();
        SockRef::from(&monitor.socket).set_recv_buffer_size(4096).unwrap();
        let writer = Writer::open().unwrap();
        let left = index(&monitor, "left");
        let address = |last: u8| IpNet::new([192, 0, 2, last].into(), 24).unwrap();
        for last in 1..=200 {
            writer.add(left, address(last)).unwrap();
        }
        writer.remove(left, address(2)).unwrap();
        assert!(dropped() > 0, "that was no flood");
        assert!(monitor.drain().unwrap());
        assert_eq!(monitor.table(), Monitor::open().unwrap().table());
        // and it goes on
        assert!(writer.remove(left, address(200)).unwrap());
        assert!(monitor.drain().unwrap());
        assert!(!monitor.table().has(left, address(200).addr()));
    });
}

/// Messages that the kernel could not put into some netlink socket of this namespace.
fn dropped() -> u32 {
    let sockets = fs::read_to_string("/proc/thread-self/net/netlink").unwrap();
    let drops = sockets.lines().skip(1).map(|line| line.split_whitespace().nth(8).unwrap());
    drops.map(|drops| drops.parse::<u32>().unwrap()).sum()
}

#[test]
fn without_ipv6_there_is_still_ipv4() {
    in_namespace(VETH, || {
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        ip("address add 192.0.2.21/24 dev left");
        let monitor = Monitor::open().unwrap();
        let left = index(&monitor, "left");
        assert!(monitor.table().primary_v4(left, &[]).is_some());
        assert_eq!(monitor.table().link_local(left, &[]), None);
        assert_eq!(ip_output("-6 address show").unwrap(), "");
    });
}
