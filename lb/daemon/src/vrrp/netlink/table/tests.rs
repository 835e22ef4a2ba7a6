use std::net::IpAddr;

use netlink_packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressProtocol,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Table;
use crate::vrrp::netlink::ADDRESS_PROTOCOL;
use crate::vrrp::netlink::change::Change;
use crate::vrrp::netlink::connection::messages;

const UP: LinkFlags = LinkFlags::Up.union(LinkFlags::LowerUp).union(LinkFlags::Running);

fn bytes(message: RouteNetlinkMessage) -> Vec<u8> {
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    bytes
}

/// Whether it changed the table.
fn apply(table: &mut Table, message: RouteNetlinkMessage) -> bool {
    let bytes = bytes(message);
    let mut changes = messages(&bytes).filter_map(|message| Change::parse(&message));
    changes.next().is_some_and(|change| table.apply(change))
}

fn link(index: u32, name: &str, flags: LinkFlags) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.header.flags = flags;
    message.header.link_layer_type = LinkLayerType::Ether;
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Address(vec![2, 0, 0, 0, 0, index as u8]),
    ];
    message
}

fn address(link: u32, text: &str) -> AddressMessage {
    let (address, prefix) = text.split_once('/').unwrap();
    let address: IpAddr = address.parse().unwrap();
    let mut message = AddressMessage::default();
    message.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.index = link;
    message.header.prefix_len = prefix.parse().unwrap();
    message.attributes = vec![AddressAttribute::Address(address)];
    message
}

fn flagged(link: u32, text: &str, flags: AddressFlags) -> AddressMessage {
    let mut message = address(link, text);
    message.attributes.push(AddressAttribute::Flags(flags));
    message
}

fn marked(link: u32, text: &str, protocol: u8) -> AddressMessage {
    let mut message = address(link, text);
    message.attributes.push(AddressAttribute::Protocol(AddressProtocol::from(protocol)));
    message
}

fn table(addresses: impl IntoIterator<Item = AddressMessage>) -> Table {
    let mut table = Table::default();
    assert!(apply(&mut table, RouteNetlinkMessage::NewLink(link(2, "eth0", UP))));
    for address in addresses {
        assert!(apply(&mut table, RouteNetlinkMessage::NewAddress(address)));
    }
    table
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_link_is_up_when_it_is_switched_on_and_has_a_carrier_and_nothing_holds_it_back() {
    for missing in [LinkFlags::Up, LinkFlags::LowerUp, LinkFlags::Running] {
        let mut table = table([]);
        assert!(table.link("eth0").unwrap().up);
        assert!(apply(&mut table, RouteNetlinkMessage::NewLink(link(2, "eth0", UP - missing))));
        assert!(!table.link("eth0").unwrap().up, "without {missing:?}");
    }
}

#[test]
fn the_same_again_is_no_change() {
    let mut table = table([address(2, "192.0.2.21/24")]);
    assert!(!apply(&mut table, RouteNetlinkMessage::NewLink(link(2, "eth0", UP))));
    assert!(!apply(&mut table, RouteNetlinkMessage::NewAddress(address(2, "192.0.2.21/24"))));
    assert!(!apply(&mut table, RouteNetlinkMessage::DelAddress(address(2, "192.0.2.22/24"))));
    assert!(!apply(&mut table, RouteNetlinkMessage::DelLink(link(3, "eth1", UP))));
    assert_eq!(table.addresses(2).count(), 1);
}

#[test]
fn a_link_that_goes_takes_its_addresses_along_and_may_come_back_with_another_index() {
    let mut table = table([address(2, "192.0.2.21/24")]);
    apply(&mut table, RouteNetlinkMessage::NewAddress(address(1, "192.0.2.1/32")));
    assert!(apply(&mut table, RouteNetlinkMessage::DelLink(link(2, "eth0", UP))));
    assert_eq!(table.link("eth0"), None);
    assert!(!table.has(2, ip("192.0.2.21")));
    assert!(table.has(1, ip("192.0.2.1")));
    assert!(apply(&mut table, RouteNetlinkMessage::NewLink(link(7, "eth0", UP))));
    assert_eq!(table.link("eth0").unwrap().index, 7);
}

#[test]
fn a_link_keeps_its_index_under_another_name() {
    let mut table = table([]);
    assert!(apply(&mut table, RouteNetlinkMessage::NewLink(link(2, "fifteen-bytes-0", UP))));
    assert_eq!(table.link("eth0"), None);
    assert_eq!(table.link("fifteen-bytes-0"), table.links.get(&2));
    assert!(table.links.contains_key(&2));
}

#[test]
fn a_link_that_leaves_a_bridge_is_not_gone() {
    let mut table = table([]);
    let mut message = link(2, "eth0", UP);
    message.header.interface_family = AddressFamily::Bridge;
    assert!(!apply(&mut table, RouteNetlinkMessage::DelLink(message)));
    assert!(table.link("eth0").is_some());
}

#[test]
fn only_an_ethernet_has_a_mac_address() {
    let mac = |change: fn(&mut LinkMessage)| {
        let mut message = link(2, "eth0", UP);
        change(&mut message);
        let mut table = Table::default();
        apply(&mut table, RouteNetlinkMessage::NewLink(message));
        table.link("eth0").unwrap().mac.map(|mac| mac.octets())
    };
    assert_eq!(mac(|_| {}), Some([2, 0, 0, 0, 0, 2]));
    assert_eq!(mac(|message| message.header.link_layer_type = LinkLayerType::Loopback), None);
    assert_eq!(mac(|message| message.attributes[1] = LinkAttribute::Address(vec![1; 20])), None);
}

#[test]
fn the_host_s_end_of_a_point_to_point_link_is_its_address() {
    let mut message = address(2, "192.0.2.2/32");
    message.attributes.push(AddressAttribute::Local(ip("192.0.2.1")));
    let table = table([message]);
    assert!(table.has(2, ip("192.0.2.1")));
    assert!(!table.has(2, ip("192.0.2.2")));
}

#[test]
fn flags_are_those_of_the_attribute_or_else_of_the_header() {
    let mut message = address(2, "2001:db8::1/64");
    message.header.flags = AddressHeaderFlags::Tentative;
    let table = table([message, flagged(2, "2001:db8::2/64", AddressFlags::Dadfailed)]);
    let all: Vec<_> = table.addresses(2).collect();
    assert!(all[0].tentative() && !all[0].duplicate());
    assert!(all[1].duplicate() && !all[1].tentative());
}

#[test]
fn ours_are_known_by_their_mark() {
    let table = table([
        address(2, "192.0.2.21/24"),
        marked(2, "192.0.2.100/24", ADDRESS_PROTOCOL),
        marked(2, "2001:db8::1/64", 3),
    ]);
    let ours: Vec<_> = table.ours().map(|address| address.address.to_string()).collect();
    assert_eq!(ours, ["192.0.2.100/24"]);
}

#[test]
fn the_host_s_own_ipv4_address_is_no_virtual_one() {
    let own = |addresses: Vec<AddressMessage>, excluding: &[IpAddr]| {
        table(addresses).primary_v4(2, excluding).map(|address| address.to_string())
    };
    let some = |text: &str| Some(text.to_owned());
    let secondary = |text| flagged(2, text, AddressFlags::Secondary);
    assert_eq!(own(vec![], &[]), None);
    assert_eq!(own(vec![address(2, "2001:db8::1/64")], &[]), None);
    let two = || vec![address(2, "192.0.2.21/24"), address(2, "198.51.100.21/24")];
    assert_eq!(own(two(), &[]), some("192.0.2.21"));
    assert_eq!(own(two(), &[ip("192.0.2.21")]), some("198.51.100.21"));
    let ours_first = vec![marked(2, "192.0.2.100/24", ADDRESS_PROTOCOL), secondary("192.0.2.21/24")];
    assert_eq!(own(ours_first.clone(), &[]), some("192.0.2.21"));
    assert_eq!(own([ours_first, vec![address(2, "198.51.100.21/24")]].concat(), &[]), some("198.51.100.21"));
    assert_eq!(own(vec![address(3, "192.0.2.21/24")], &[]), None);
}

#[test]
fn the_host_s_own_link_local_address_is_a_usable_one() {
    let own = |addresses: Vec<AddressMessage>, excluding: &[IpAddr]| {
        table(addresses).link_local(2, excluding).map(|address| address.to_string())
    };
    let usable = || address(2, "fe80::21/64");
    assert_eq!(own(vec![address(2, "2001:db8::21/64"), usable()], &[]).as_deref(), Some("fe80::21"));
    assert_eq!(own(vec![usable()], &[ip("fe80::21")]), None);
    for unusable in [
        flagged(2, "fe80::1/64", AddressFlags::Tentative),
        flagged(2, "fe80::1/64", AddressFlags::Tentative | AddressFlags::Dadfailed),
        marked(2, "fe80::1/64", ADDRESS_PROTOCOL),
    ] {
        assert_eq!(own(vec![unusable, usable()], &[]).as_deref(), Some("fe80::21"));
    }
}

#[test]
fn a_message_that_was_cut_off_is_no_change() {
    let whole = bytes(RouteNetlinkMessage::NewLink(link(2, "eth0", UP)));
    for length in 0..whole.len() {
        // as the kernel says: longer than what came
        assert_eq!(messages(&whole[..length]).count(), 0, "{length} bytes");
        // as it would be with a wrong length
        let mut cut = whole[..length].to_vec();
        if let Some(field) = cut.get_mut(..4) {
            field.copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
        }
        let mut table = Table::default();
        for change in messages(&cut).filter_map(|message| Change::parse(&message)) {
            table.apply(change);
        }
        assert!(table.links.get(&2).is_none_or(|link| link.name == "eth0"), "{length} bytes");
    }
}
