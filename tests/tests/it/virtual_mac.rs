//! Two hosts that share a virtual address and the MAC address that goes with it.

use std::io::ErrorKind;
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use testkit::capture::Capture;
use testkit::lb::Lb;
use testkit::netns::{self, Host};
use testkit::pair::{PORT, Pair, Side, VIP, VIP6};

use crate::scene::{SOON, soon};

/// Of VRID 51.
const VIRTUAL: [(IpAddr, &str); 2] = [(VIP, "00:00:5e:00:01:33"), (VIP6, "00:00:5e:00:02:33")];

/// A virtual router of both families with VRID 51.
fn config(pair: &Pair, priority: u8) -> String {
    let [first, second] = pair.server_addresses();
    format!(
        "workers: 1
log: {{ access: false }}
listeners:
  - {{ name: bank, bind: \"{VIP}:{PORT}\", pool: empi }}
  - {{ name: bank6, bind: \"[{VIP6}]:{PORT}\", pool: empi }}
pools:
  - {{ name: empi, servers: [ {{ name: s1, address: \"{first}\" }}, {{ name: s2, address: \"{second}\" }} ] }}
vrrp:
  - name: bank-vip
    interface: eth0
    vrid: 51
    priority: {priority}
    addresses: [\"{VIP}/24\", \"{VIP6}/64\"]
    virtual_mac: true
"
    )
}

/// What `ip` prints there.
fn ip(host: &Host, arguments: &[&str]) -> String {
    let output = host.place().command("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn macvlans(host: &Host) -> usize {
    ip(host, &["-brief", "link", "show", "type", "macvlan"]).lines().count()
}

/// The client's neighbour entry.
fn known(pair: &Pair, address: IpAddr) -> String {
    ip(&pair.client, &["neighbour", "show", "to", &address.to_string(), "dev", "eth0"])
}

fn forget(pair: &Pair, address: IpAddr) {
    pair.client.ip(&["neighbour", "flush", "to", &address.to_string(), "dev", "eth0"]).unwrap();
}

/// At the virtual addresses with their MAC addresses, whether the client still knows those or asks anew; and the host
/// is still where it was.
fn served_by(pair: &Pair, side: Side) {
    for (vip, mac) in VIRTUAL {
        pair.wait_holder(vip, side).unwrap();
        let client = pair.start_client(vip).unwrap();
        for _ in 0..2 {
            client.wait_steady(SOON).unwrap();
            let entry = known(pair, vip);
            assert!(entry.contains(&format!("lladdr {mac} ")), "{vip}: {entry}");
            forget(pair, vip);
            let before = client.answered();
            soon("an answer after that", || (client.answered() > before + 10).then_some(()));
        }
    }
    let own = IpAddr::from([192, 0, 2, if side == Side::A { 11 } else { 12 }]);
    forget(pair, own);
    let refused = pair.client.run(|| Ok(TcpStream::connect_timeout(&(own, PORT).into(), SOON))).unwrap();
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let entry = known(pair, own);
    assert!(entry.contains("lladdr") && !entry.contains("00:00:5e"), "{own}: {entry}");
}

#[test]
fn the_mac_address_stays_whoever_is_active() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let mut a = pair.start_lb(Side::A, &config(&pair, 200)).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let b = pair.start_lb(Side::B, &config(&pair, 150)).unwrap();
    served_by(&pair, Side::A);
    soon("the other has its macvlans", || (macvlans(&pair.b) == 2).then_some(()));

    let client = pair.start_client(VIP).unwrap();
    client.wait_steady(SOON).unwrap();
    let killed = Instant::now();
    a.signal(Signal::SIGKILL).unwrap();
    served_by(&pair, Side::B);
    client.wait_steady(SOON).unwrap();
    let gap = client.stop(killed).unwrap();
    eprintln!("an active lb with a virtual MAC address is killed: {gap}");
    assert!(gap.over && gap.longest < Duration::from_secs(2), "{gap}");

    assert_eq!(macvlans(&pair.a), 2, "left over");
    let client = pair.start_client(VIP).unwrap();
    client.wait_steady(SOON).unwrap();
    let restarted = Instant::now();
    a = pair.start_lb(Side::A, &config(&pair, 200)).unwrap();
    served_by(&pair, Side::A);
    assert!(a.log().contains("that an earlier run left behind is deleted"), "{}", a.log());

    stop(&pair, Side::A, &a);
    served_by(&pair, Side::B);
    client.wait_steady(SOON).unwrap();
    let gap = client.stop(restarted).unwrap();
    eprintln!("it comes back, and is stopped: {gap}");
    assert!(gap.over && gap.longest < Duration::from_secs(2), "{gap}");
    stop(&pair, Side::B, &b);

    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    let count = |filter: &str| frames.count(filter).unwrap();
    let [(_, mac), (_, mac6)] = VIRTUAL;
    let (arp, na) = ("arp.src.proto_ipv4 == 192.0.2.100", "icmpv6.nd.na.target_address == 2001:db8::100");
    assert!(count(&format!("{arp} && eth.src == {mac} && arp.src.hw_mac == {mac}")) > 0);
    assert!(count(&format!("{na} && eth.src == {mac6} && icmpv6.opt.linkaddr == {mac6}")) > 0);
    assert_eq!(count(&format!("{arp} && (eth.src != {mac} || arp.src.hw_mac != {mac})")), 0);
    assert_eq!(count(&format!("{na} && (eth.src != {mac6} || icmpv6.opt.linkaddr != {mac6})")), 0);
    assert!(count("vrrp && ip.src == 192.0.2.12") > 0);
    assert_eq!(count("vrrp && eth.src[0:3] == 00:00:5e"), 0);
}

#[test]
fn a_reload_without_it_takes_the_macvlans_away() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let lb = pair.start_lb(Side::A, &config(&pair, 200)).unwrap();
    served_by(&pair, Side::A);
    let plain = config(&pair, 200).replace("virtual_mac: true", "virtual_mac: false");
    lb.reload(&plain).unwrap();
    soon("the macvlans are gone", || (macvlans(&pair.a) == 0).then_some(()));
    pair.wait_holder(VIP, Side::A).unwrap();
    assert!(ip(&pair.a, &["address", "show", "dev", "eth0"]).contains("192.0.2.100/24"));
    lb.reload(&config(&pair, 200)).unwrap();
    soon("the macvlans are back", || (macvlans(&pair.a) == 2).then_some(()));
    served_by(&pair, Side::A);
}

#[test]
fn a_macvlan_that_somebody_deletes_or_switches_off_comes_back() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let _lb = pair.start_lb(Side::A, &config(&pair, 200)).unwrap();
    served_by(&pair, Side::A);
    let shown = ip(&pair.a, &["-brief", "link", "show", "type", "macvlan"]);
    let names: Vec<_> = shown.lines().filter_map(|line| line.split('@').next()).collect();
    assert_eq!(names.len(), 2, "{shown}");
    for name in names {
        pair.a.ip(&["link", "set", name, "down"]).unwrap();
        soon("it is switched on again", || {
            ip(&pair.a, &["link", "show", "dev", name]).contains(",UP").then_some(())
        });
        served_by(&pair, Side::A);
        pair.a.ip(&["link", "delete", name]).unwrap();
        soon("it is there again", || (macvlans(&pair.a) == 2).then_some(()));
        served_by(&pair, Side::A);
    }
}

/// It lets go at once, and ends when its last connection does.
fn stop(pair: &Pair, side: Side, lb: &Lb) {
    lb.signal(Signal::SIGTERM).unwrap();
    soon("no macvlan is left", || (macvlans(pair.host(side)) == 0).then_some(()));
}
