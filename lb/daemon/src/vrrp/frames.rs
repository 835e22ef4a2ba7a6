//! Frames that tell or ask who has an address: ARP (RFC 826, RFC 5227) and neighbour advertisements (RFC 4861).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet_base::MacAddr;
use pnet_packet::Packet;
use pnet_packet::arp::{ArpHardwareTypes, ArpOperation, ArpOperations, ArpPacket, MutableArpPacket};
use pnet_packet::ethernet::{EtherType, EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet_packet::icmpv6::ndp::{
    MutableNeighborAdvertPacket, NdpOption, NdpOptionTypes, NeighborAdvertFlags, NeighborAdvertPacket,
};
use pnet_packet::icmpv6::{Icmpv6Packet, Icmpv6Types, checksum};
use pnet_packet::ip::IpNextHeaderProtocols;
use pnet_packet::ipv6::{Ipv6Packet, MutableIpv6Packet};

const ETHERNET_HEADER: usize = EthernetPacket::minimum_packet_size();
const IPV6_HEADER: usize = Ipv6Packet::minimum_packet_size();
/// Without options.
const NEIGHBOR_ADVERT: usize = NeighborAdvertPacket::minimum_packet_size();
/// Type, length in units of eight bytes, and a MAC address.
const LINK_LAYER_OPTION: usize = 8;
/// RFC 4861 7.1.2: a packet that has this now has crossed no router.
const HOP_LIMIT: u8 = 255;

const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC: MacAddr = MacAddr(0x33, 0x33, 0, 0, 0, 1);
const BROADCAST: MacAddr = MacAddr(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const ZERO: MacAddr = MacAddr(0, 0, 0, 0, 0, 0);

/// Somebody says that it has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub address: IpAddr,
    pub mac: MacAddr,
}

/// Tells every host on the link that `mac` has `address` now. A request, as keepalived's, not a reply: both are allowed
/// (RFC 5227 3), and there are hosts that heed only one, mostly this.
pub fn gratuitous_arp(address: Ipv4Addr, mac: MacAddr) -> Vec<u8> {
    arp_request(address, mac, address, BROADCAST)
}

/// Asks who has `address`, without claiming it: RFC 5227 2.1.1.
pub fn arp_probe(address: Ipv4Addr, mac: MacAddr) -> Vec<u8> {
    arp_request(Ipv4Addr::UNSPECIFIED, mac, address, ZERO)
}

fn arp_request(sender: Ipv4Addr, mac: MacAddr, target: Ipv4Addr, target_mac: MacAddr) -> Vec<u8> {
    let mut arp = [0; ArpPacket::minimum_packet_size()];
    if let Some(mut packet) = MutableArpPacket::new(&mut arp) {
        packet.set_hardware_type(ArpHardwareTypes::Ethernet);
        packet.set_protocol_type(EtherTypes::Ipv4);
        packet.set_hw_addr_len(6);
        packet.set_proto_addr_len(4);
        packet.set_operation(ArpOperations::Request);
        packet.set_sender_hw_addr(mac);
        packet.set_sender_proto_addr(sender);
        packet.set_target_hw_addr(target_mac);
        packet.set_target_proto_addr(target);
    }
    ethernet(BROADCAST, mac, EtherTypes::Arp, &arp)
}

/// Tells every host on the link that `mac` has `address` now: RFC 4861 7.2.6, with the router flag as RFC 9568 6.4 wants.
pub fn unsolicited_advert(address: Ipv6Addr, mac: MacAddr) -> Vec<u8> {
    let mut advert = [0; NEIGHBOR_ADVERT + LINK_LAYER_OPTION];
    if let Some(mut packet) = MutableNeighborAdvertPacket::new(&mut advert) {
        packet.set_icmpv6_type(Icmpv6Types::NeighborAdvert);
        packet.set_flags(NeighborAdvertFlags::Router | NeighborAdvertFlags::Override);
        packet.set_target_addr(address);
        packet.set_options(&[NdpOption {
            option_type: NdpOptionTypes::TargetLLAddr,
            length: 1,
            data: mac.octets().to_vec(),
        }]);
        let sum = Icmpv6Packet::new(packet.packet()).map(|icmp| checksum(&icmp, &address, &ALL_NODES));
        packet.set_checksum(sum.unwrap_or_default());
    }
    let mut ip = vec![0; IPV6_HEADER + advert.len()];
    if let Some(mut packet) = MutableIpv6Packet::new(&mut ip) {
        packet.set_version(6);
        packet.set_payload_length(advert.len() as u16);
        packet.set_next_header(IpNextHeaderProtocols::Icmpv6);
        packet.set_hop_limit(HOP_LIMIT);
        packet.set_source(address);
        packet.set_destination(ALL_NODES);
        packet.set_payload(&advert);
    }
    ethernet(ALL_NODES_MAC, mac, EtherTypes::Ipv6, &ip)
}

fn ethernet(destination: MacAddr, source: MacAddr, kind: EtherType, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; ETHERNET_HEADER + payload.len()];
    if let Some(mut packet) = MutableEthernetPacket::new(&mut frame) {
        packet.set_destination(destination);
        packet.set_source(source);
        packet.set_ethertype(kind);
        packet.set_payload(payload);
    }
    frame
}

/// What the sender of an Ethernet frame claims. `None` for all but ARP and neighbour advertisements, and for those that a
/// host would not heed.
pub fn claim(frame: &[u8]) -> Option<Claim> {
    let ethernet = EthernetPacket::new(frame)?;
    match ethernet.get_ethertype() {
        EtherTypes::Arp => arp_claim(ethernet.payload()),
        EtherTypes::Ipv6 => advert_claim(ethernet.payload(), ethernet.get_source()),
        _ => None,
    }
}

fn arp_claim(payload: &[u8]) -> Option<Claim> {
    let arp = ArpPacket::new(payload)?;
    let kind = (arp.get_hardware_type(), arp.get_protocol_type());
    let lengths = (arp.get_hw_addr_len(), arp.get_proto_addr_len());
    let ArpOperation(operation) = arp.get_operation();
    let sender = arp.get_sender_proto_addr();
    let heeded = kind == (ArpHardwareTypes::Ethernet, EtherTypes::Ipv4)
        && lengths == (6, 4)
        && [ArpOperations::Request.0, ArpOperations::Reply.0].contains(&operation)
        && !sender.is_unspecified();
    heeded.then(|| Claim { address: sender.into(), mac: arp.get_sender_hw_addr() })
}

/// With the checks of RFC 4861 7.1.2.
fn advert_claim(payload: &[u8], source: MacAddr) -> Option<Claim> {
    let ip = Ipv6Packet::new(payload)?;
    if ip.get_next_header() != IpNextHeaderProtocols::Icmpv6 || ip.get_hop_limit() != HOP_LIMIT {
        return None;
    }
    let message = payload.get(IPV6_HEADER..)?.get(..usize::from(ip.get_payload_length()))?;
    let icmp = Icmpv6Packet::new(message)?;
    let advert = NeighborAdvertPacket::new(message)?;
    let heeded = advert.get_icmpv6_type() == Icmpv6Types::NeighborAdvert
        && advert.get_icmpv6_code().0 == 0
        && advert.get_checksum() == checksum(&icmp, &ip.get_source(), &ip.get_destination())
        && !advert.get_target_addr().is_multicast();
    if !heeded {
        return None;
    }
    let mac = target_link_layer(message.get(NEIGHBOR_ADVERT..)?)?.unwrap_or(source);
    Some(Claim { address: advert.get_target_addr().into(), mac })
}

/// The MAC address of the target link-layer address option, if there is one; `None` if the options are not whole.
/// (`pnet_packet` overflows on lengths from 32.)
fn target_link_layer(mut options: &[u8]) -> Option<Option<MacAddr>> {
    let mut found = None;
    while let [kind, units, ..] = *options {
        let (option, rest) = options.split_at_checked(usize::from(units) * 8)?;
        let value = option.get(2..)?;
        if kind == NdpOptionTypes::TargetLLAddr.0 && found.is_none() {
            found = <[u8; 6]>::try_from(value).ok().map(MacAddr::from);
        }
        options = rest;
    }
    options.is_empty().then_some(found)
}

#[cfg(test)]
mod tests;
