//! What others do to addresses and links.

use std::fs;

use testkit::capture::Capture;
use testkit::netns::{self, BRIDGE, Host};
use testkit::pair::{Pair, Side, VIP};

use super::{Act, Scene, file, told, wait_on, wait_state, wait_told};
use crate::scene::SOON;

const ANNOUNCED: &str = "lb_vrrp_announcements_sent_total";
const NEW_MAC: &str = "02:00:00:00:00:aa";

#[test]
fn an_address_that_somebody_removes_comes_back() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("announce: { again_after: off, every: off }", "");
    let transitions = scene.transitions();
    for (count, address) in ["192.0.2.100/24", "2001:db8::100/64"].into_iter().enumerate() {
        let lost = count as f64 + 1.0;
        let before = scene.a.metrics().unwrap().sum(ANNOUNCED, &[]);
        scene.pair.a.remove_address(address).unwrap();
        scene.a.wait_metric("lb_vrrp_addresses_lost_total", &[], SOON, |count| count == lost).unwrap();
        scene.a.wait_metric(ANNOUNCED, &[], SOON, |sent| sent == before + 5.0).unwrap();
        scene.wait_on(Side::A);
    }
    assert_eq!(scene.transitions(), transitions);
}

#[test]
fn an_address_that_somebody_adds_to_a_backup_is_removed() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    for address in ["192.0.2.100/24", "2001:db8::100/64"] {
        scene.pair.b.add_address(address).unwrap();
        wait_told(&scene.b, &format!("{address} was here and must not be: removed"));
        scene.wait_on(Side::A);
    }
}

#[test]
fn another_mac_address_and_a_stranger_are_answered_with_an_announcement() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("announce: { again_after: off, every: off }", "");
    let capture = Capture::at_switch(&scene.pair.net).unwrap();
    scene.pair.a.ip(&["link", "set", "eth0", "address", NEW_MAC]).unwrap();
    wait_told(&scene.a, "announced 5 times: the link changed");

    // the kernel of the client claims the address for itself
    let stranger = &scene.pair.client;
    let notify = || {
        fs::write("/proc/sys/net/ipv4/conf/eth0/arp_notify", "1")?;
        Ok(fs::write("/proc/sys/net/ipv6/conf/eth0/ndisc_notify", "1")?)
    };
    stranger.run(notify).unwrap();
    stranger.add_address("192.0.2.100/24").unwrap();
    stranger.add_address("2001:db8::100/64").unwrap();
    stranger.ip(&["link", "set", "eth0", "address", "02:00:00:00:00:bb"]).unwrap();
    scene.a.wait_metric("lb_vrrp_conflicts_total", &[], SOON, |conflicts| conflicts >= 2.0).unwrap();
    for (family, vip) in [("IPv4", "192.0.2.100"), ("IPv6", "2001:db8::100")] {
        wait_told(&scene.a, &format!("{family}: 02:00:00:00:00:bb claims {vip}"));
        wait_told(&scene.a, &format!("{family}: announced 5 times: somebody else claimed them"));
    }
    scene.wait_on(Side::A);

    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    let ours = format!("arp.isgratuitous && arp.src.proto_ipv4 == {VIP} && eth.src == {NEW_MAC}");
    assert!(frames.count(&ours).unwrap() >= 10);
    let neighbour =
        format!("icmpv6.type == 136 && icmpv6.nd.na.target_address == 2001:db8::100 && eth.src == {NEW_MAC}");
    assert!(frames.count(&neighbour).unwrap() >= 5);
}

#[test]
fn a_dead_link_moves_the_addresses() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let a = &scene.pair.a;
    let link = |state: &str| a.ip(&["link", "set", "eth0", state]).unwrap();
    let ways: [(Act<'_>, Act<'_>); 2] = [
        (&|| link("down"), &|| {
            link("up");
            // the kernel has dropped it with the link
            a.add_address("2001:db8::11/64").unwrap();
        }),
        (&|| a.unplug().unwrap(), &|| a.plug().unwrap()),
    ];
    for (cut, mend) in ways {
        cut();
        let router = wait_state(&scene.a, "fault");
        assert_eq!(router["reason"], "interface eth0 is down", "{router:#}");
        scene.wait_on(Side::B);
        assert_eq!(scene.a.ctl_output(&["status", "--active", "vip"]).unwrap().status.code(), Some(1));
        mend();
        scene.wait_on(Side::A);
        scene.wait_backup(Side::B);
    }
}

/// A new `eth0`, plugged into the switch.
fn add_interface(pair: &Pair, host: &Host, port: &str) {
    let switch = pair.net.switch();
    let testkit::place::Place::Namespace(name) = &switch else { panic!("the switch is here: {switch:?}") };
    host.ip(&["link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", name]).unwrap();
    let status = switch.command("ip").args(["link", "set", port, "master", BRIDGE, "up"]).status().unwrap();
    assert!(status.success());
    host.ip(&["link", "set", "eth0", "up"]).unwrap();
    host.add_address("192.0.2.11/24").unwrap();
}

#[test]
fn an_interface_may_come_late_and_vanish() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let nowhere = |lb| {
        let router = wait_state(lb, "fault");
        assert_eq!(router["reason"], "there is no interface eth0", "{router:#}");
    };
    pair.a.ip(&["link", "delete", "eth0"]).unwrap();
    let lb = pair.start_lb(Side::A, &file(&pair, 250, "")).unwrap();
    nowhere(&lb);
    for port in ["first", "second"] {
        add_interface(&pair, &pair.a, port);
        wait_on(&pair, Side::A);
        wait_state(&lb, "active");
        pair.a.ip(&["link", "delete", "eth0"]).unwrap();
        nowhere(&lb);
    }
    let errors = lb.metrics().unwrap().sum("lb_vrrp_address_errors_total", &[]);
    assert_eq!(errors, 0.0, "{:#?}", told(&lb));
}
