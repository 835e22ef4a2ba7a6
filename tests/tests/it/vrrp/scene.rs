//! What the tests of VRRP have in common.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nix::sys::signal::Signal;
use testkit::capture::Frames;
use testkit::keepalived::{Instance, Keepalived};
use testkit::lb::Lb;
use testkit::netns::Host;
use testkit::pair::{PORT, Pair, Side, VIP};

use crate::scene::{SOON, soon};

/// Of version 3. A loaded host may be late by less than three of them.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// What `lb_vrrp_state` says.
pub const BACKUP: f64 = 1.0;
pub const ACTIVE: f64 = 2.0;
pub const FAULT: f64 = 3.0;

/// What keeps one virtual address on a host.
pub enum Router {
    Lb(Lb),
    Keepalived(Keepalived),
}

impl Router {
    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) {
        match self {
            Self::Lb(lb) => stop(lb),
            Self::Keepalived(keepalived) => keepalived.stop().unwrap(),
        }
    }

    /// Waits until it is Backup.
    pub fn wait_backup(&self) {
        match self {
            Self::Lb(lb) => wait_state(lb, BACKUP),
            Self::Keepalived(keepalived) => wait_log(keepalived, "(bank) Entering BACKUP STATE"),
        }
    }

    /// As if the power of its host had gone.
    pub fn kill(&mut self) {
        match self {
            Self::Lb(lb) => lb.process().kill(),
            Self::Keepalived(keepalived) => keepalived.process().kill(),
        }
    }
}

/// SIGTERM, and waits for the end.
pub fn stop(lb: &mut Lb) {
    lb.signal(Signal::SIGTERM).unwrap();
    let status = lb.process().wait_exit(SOON).unwrap();
    assert!(status.success(), "{status}:\n{}", lb.log());
}

/// The address of a network.
pub fn address(network: &str) -> IpAddr {
    network.split('/').next().unwrap().parse().unwrap()
}

/// lb as a proxy of the pair's servers at these virtual addresses, and what else its file has.
pub fn proxy(pair: &Pair, vips: &[IpAddr], more: &str) -> String {
    let bind: Vec<String> = vips.iter().map(|vip| format!("\"{}\"", SocketAddr::new(*vip, PORT))).collect();
    let [first, second] = pair.server_addresses();
    format!(
        "workers: 1
log: {{ access: false }}
listeners:
  - {{ name: bank, bind: [ {} ], pool: empi }}
pools:
  - name: empi
    check: {{ interval: 100ms, rise: 1, fall: 1 }}
    servers: [ {{ name: s1, address: \"{first}\" }}, {{ name: s2, address: \"{second}\" }} ]
{more}",
        bind.join(", ")
    )
}

/// lb with one virtual router of version 3, `bank`, VRID 51, at 192.0.2.100, and what else that one has.
pub fn bank(pair: &Pair, priority: u8, more: &str) -> String {
    let router = router("bank", 51, priority, "192.0.2.100/24", more);
    proxy(pair, &[VIP], &format!("vrrp:\n{router}"))
}

/// One item of `vrrp`, of version 3.
pub fn router(name: &str, vrid: u8, priority: u8, network: &str, more: &str) -> String {
    format!(
        "  - {{ name: {name}, interface: eth0, vrid: {vrid}, priority: {priority}, \
         advert_interval: {}ms, addresses: [\"{network}\"]{more} }}\n",
        INTERVAL.as_millis()
    )
}

/// keepalived with the same virtual router as [`bank`].
pub fn keepalived(host: &Host, priority: u8, more: &str) -> Keepalived {
    let instance = Instance { priority, advert_interval: INTERVAL, more, ..Instance::default() };
    Keepalived::start(&host.place(), &instance.to_string()).unwrap()
}

/// Waits for a state of the virtual router `bank`.
pub fn wait_state(lb: &Lb, state: f64) {
    lb.wait_metric("lb_vrrp_state", &[("router", "bank")], SOON, |now| now == state).unwrap();
}

/// Waits until this counter has grown by so much.
pub fn wait_growth(lb: &Lb, counter: &str, labels: &[(&str, &str)], growth: f64) {
    let before = lb.metrics().unwrap().sum(counter, labels);
    lb.wait_metric(counter, labels, SOON, |now| now >= before + growth).unwrap();
}

/// Whose MAC addresses were announced for `vip`, one after the other: A and B, by name.
pub fn owners(pair: &Pair, frames: &Frames, vip: IpAddr) -> Vec<&'static str> {
    let announcement = match vip {
        // not the kernel's answer to those of the other, which goes to that one only
        IpAddr::V4(vip) => {
            format!("arp.isgratuitous && arp.src.proto_ipv4 == {vip} && eth.dst == ff:ff:ff:ff:ff:ff")
        }
        IpAddr::V6(vip) => format!(
            "icmpv6.type == 136 && icmpv6.nd.na.target_address == {vip} && ipv6.dst == ff02::1 \
             && icmpv6.nd.na.flag.o == 1 && icmpv6.nd.na.flag.s == 0"
        ),
    };
    let macs = Side::ALL.map(|side| pair.host(side).mac().unwrap());
    let name = |mac: &String| {
        let side = Side::ALL.into_iter().zip(&macs).find(|(_, of)| *of == mac);
        side.map_or_else(|| panic!("{mac} is of neither"), |(side, _)| side.node())
    };
    let senders = frames.fields(&announcement, &["eth.src"]).unwrap();
    let mut owners: Vec<_> = senders.iter().map(|fields| name(&fields[0])).collect();
    owners.dedup();
    owners
}

/// How many advertisements a host sent that pass this filter.
pub fn adverts(frames: &Frames, pair: &Pair, side: Side, filter: &str) -> usize {
    let mac = pair.host(side).mac().unwrap();
    frames.count(&format!("vrrp && eth.src == {mac} && {filter}")).unwrap()
}

/// Waits until a host has an address, whoever else has it.
pub fn wait_holds(pair: &Pair, side: Side, address: IpAddr) {
    soon("the address", || pair.host(side).holds(address).unwrap().then_some(()));
}

/// Waits until keepalived has said something.
pub fn wait_log(keepalived: &Keepalived, words: &str) {
    soon(words, || keepalived.log().contains(words).then_some(()));
}

/// Waits until the kernel has seen that no other host has the same link-local address.
pub fn wait_link_local(host: &Host) {
    let addresses = || {
        let mut command = host.place().command("ip");
        command.args(["-6", "-oneline", "address", "show", "dev", "eth0", "scope", "link"]);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let usable = |line: &str| line.contains("fe80:") && !line.contains("tentative");
    soon("a link-local address", || addresses().lines().any(usable).then_some(()));
}
