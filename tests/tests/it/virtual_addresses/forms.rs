//! One address with one prefix length or another, and addresses that an interface has of its own.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::netns::{self, Host};
use testkit::pair::{Pair, Side};

use super::{Scene, file, plain_file, wait_state, wait_told};
use crate::scene::soon;

/// What `eth0` has, as `ADDRESS/LENGTH`.
fn addresses(host: &Host) -> Vec<String> {
    let arguments = ["-n", host.namespace(), "-j", "address", "show", "dev", "eth0"];
    let output = Command::new("ip").args(arguments).output().unwrap();
    let links: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = links[0]["addr_info"].as_array().unwrap().iter();
    found.map(|address| format!("{}/{}", address["local"].as_str().unwrap(), address["prefixlen"])).collect()
}

fn has(host: &Host, address: &str) -> bool {
    addresses(host).iter().any(|found| found == address)
}

#[test]
fn another_prefix_length_is_installed_by_a_reload() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let transitions = scene.transitions();
    let other = file(&scene.pair, 250, "").replace(".100/24", ".100/25").replace("::100/64", "::100/128");
    scene.a.reload(&other).unwrap();
    soon("the other prefix lengths, and those alone", || {
        let found = addresses(&scene.pair.a);
        let of_vip: Vec<_> =
            found.iter().filter(|address| address.contains(".100/") || address.contains("::100/")).collect();
        (of_vip == ["192.0.2.100/25", "2001:db8::100/128"]).then_some(())
    });
    assert_eq!(scene.transitions(), transitions);
}

#[test]
fn what_another_program_left_with_another_prefix_length_is_removed() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    for address in ["192.0.2.100/32", "2001:db8::100/128"] {
        scene.pair.b.add_address(address).unwrap();
        wait_told(&scene.b, &format!("{address} was here and must not be: removed"));
        assert!(!has(&scene.pair.b, address));
    }
}

#[test]
fn an_owner_keeps_what_its_interface_has_of_its_own() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let own = "192.0.2.11/24";
    let config = plain_file(&pair)
        + &format!(
            "vrrp:\n  - {{ name: own, interface: eth0, vrid: 51, priority: 255, addresses: [ \"{own}\" ] }}\n"
        );
    let mut lb = pair.start_lb(Side::A, &config).unwrap();
    wait_state(&lb, "active");
    assert!(has(&pair.a, own));
    lb.signal(Signal::SIGTERM).unwrap();
    lb.process().wait_exit(Duration::from_secs(20)).unwrap();
    assert!(has(&pair.a, own), "stopped");

    let mut lb = pair.start_lb(Side::A, &config).unwrap();
    wait_state(&lb, "active");
    lb.signal(Signal::SIGKILL).unwrap();
    lb.process().wait_exit(Duration::from_secs(20)).unwrap();
    // its guard lets go, and then ends
    soon("the end of the guard", || {
        let guards = Command::new("pgrep").args(["-f", "^lb guard"]).output().unwrap().stdout;
        let here = |pid: &str| {
            let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
            let inside = pair.a.run(|| Ok(std::fs::read_link("/proc/thread-self/ns/net").ok())).unwrap();
            namespace(pid).is_some_and(|namespace| Some(namespace) == inside)
        };
        (!String::from_utf8_lossy(&guards).lines().any(here)).then_some(())
    });
    assert!(has(&pair.a, own), "killed");
}
