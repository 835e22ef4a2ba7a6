//! `vrrp:`.

use std::time::Duration;

use super::{PAIR, faults};
use crate::config::{Change, Plan, VirtualRouter, compile, node_names};
use crate::vrrp::{Family, Preempt, Version};

const VIP: &str = r#"
vrrp:
  - name: bank-vip
    interface: eth0
    vrid: 51
    addresses: ["192.0.2.100/24", "2001:db8::100/64"]
"#;

fn router(text: &str) -> VirtualRouter {
    let config = compile(&format!("{PAIR}{text}"), None).unwrap_or_else(|faults| panic!("{faults:?}"));
    config.virtual_routers.into_iter().next().unwrap()
}

#[test]
fn four_keys_are_enough() {
    let router = router(VIP);
    assert_eq!((router.version, router.priority.get()), (Version::V3, 250));
    assert_eq!(router.advert_interval.get(), Duration::from_millis(100));
    assert_eq!(router.preempt, Preempt::AtOnce);
    assert_eq!(router.families().collect::<Vec<_>>(), [Family::V4, Family::V6]);
    assert_eq!(router.addresses[0].to_string(), "192.0.2.100/24");
    // the pool of the listener on one of its addresses
    assert_eq!(router.track.pools[0].pool, "empi");
}

#[test]
fn the_example_of_the_issue_is_understood() {
    let all = VIP
        .replace("vrid: 51", "vrid: 51\n    version: 3\n    priority: 250\n    advert_interval: 100ms")
        + "    track:\n      pools: [empi]\n";
    assert_eq!(router(&all), router(VIP));
}

#[test]
fn a_second_in_version_2() {
    let v2 = VIP.replace("vrid: 51", "vrid: 51\n    version: 2").replace(", \"2001:db8::100/64\"", "");
    assert_eq!(router(&v2).advert_interval.get(), Duration::from_secs(1));
}

#[test]
fn nodes_differ_in_what_they_say() {
    let text = format!(
        "{PAIR}{VIP}nodes:\n  a: {{}}\n  b: {{ vrrp: [{{ name: bank-vip, priority: 240, preempt: false }}] }}\n"
    );
    assert_eq!(node_names(&text), ["a", "b"]);
    let of = |node| compile(&text, Some(node)).unwrap().virtual_routers.remove(0);
    assert_eq!((of("a").priority.get(), of("b").priority.get()), (250, 240));
    assert_eq!(of("b").preempt, Preempt::Never);
    assert!(of("a").is_same_router(&of("b")));
}

#[test]
fn every_fault_of_virtual_routers_is_reported_at_once() {
    let text = r#"
vrrp:
  - name: one
    interface: "eth0/1"
    vrid: 0
    version: 4
    priority: 10
    advert_interval: 15ms
    addresses: ["192.0.2.300/24", "224.0.0.1/32"]
    preempt: false
    preempt_delay: 5s
  - name: two
    interface: eth0
    vrid: 51
    version: 2
    advert_interval: 100ms
    password: "far too long"
    addresses: ["192.0.2.100/24", "192.0.2.100/32", "2001:db8::100/64"]
    source: ["192.0.2.11", "192.0.2.12"]
    track: { pools: [nowhere, { name: empi, quorum: 9 }], interfaces: [{ name: eth1, weight: 0 }], scripts: [] }
  - name: two
    interface: eth0
    vrid: 51
    password: "secret"
    addresses: ["192.0.2.100/24"]
    unicast_peers: ["2001:db8::12", "192.0.2.100"]
    notify: { webhook: "ftp://x" }
    authentication: { keys: [{ id: 0, file: relative }], mode: strict, anti_replay: 301s }
  - interface: eth2
    vrid: 52
    announce: { count: 0, every: 0s }
    track: { commands: [{ name: c, command: [relative] }] }
"#;
    insta::assert_snapshot!(faults(&format!("{PAIR}{text}")).join("\n"));
}

#[test]
fn two_files_for_one_virtual_router_tell_whether_its_state_stays() {
    let lines = |from: &str, to: &str| {
        let old = compile(&format!("{PAIR}{from}"), None).unwrap();
        let new = compile(&format!("{PAIR}{to}"), None).unwrap();
        let line = |change: &Change| match change {
            Change::VirtualRouterReplaced { field, .. } => {
                format!("replaced: {}: {} → {}", field.name, field.from, field.to)
            }
            Change::VirtualRouterChanged { field, .. } => {
                format!("{}: {} → {}", field.name, field.from, field.to)
            }
            other => format!("{other:?}"),
        };
        Plan::between(&old, &new).changes.iter().map(line).collect::<Vec<_>>()
    };
    assert!(lines(VIP, VIP).is_empty());
    assert_eq!(lines("", VIP).len(), 1);
    assert_eq!(lines(VIP, ""), ["VirtualRouterRemoved { router: \"bank-vip\" }"]);
    assert_eq!(lines(VIP, &VIP.replace("vrid: 51", "vrid: 52")), ["replaced: vrid: 51 → 52"]);
    let other = VIP.replace(
        "vrid: 51",
        "vrid: 51\n    priority: 240\n    preempt_delay: 5m\n    track: { interfaces: [{ name: eth1, weight: -20 }] }\n    \
         notify: { webhook: \"http://x/\" }\n    authentication: { keys: [{ id: 1, file: /k }] }",
    );
    insta::assert_snapshot!(lines(VIP, &other).join("\n"));
}

#[test]
fn a_secret_is_not_shown() {
    let text = format!("{VIP}    authentication: {{ keys: [{{ id: 1, file: /k }}] }}\n");
    let router = router(&text);
    let secret = &router.authentication.as_ref().unwrap().keys[0].secret;
    assert_eq!(secret.0.len(), 32);
    assert!(format!("{router:?}").contains("Secret(..)"));
}
