//! Virtual routers that move together.

use std::fs;
use std::net::IpAddr;

use testkit::keepalived::{Instance, Keepalived};
use testkit::lb::Lb;
use testkit::netns;
use testkit::pair::{Pair, Side};

use super::scene::{self, ACTIVE, BACKUP, FAULT, INTERVAL};
use crate::scene::SOON;

const NETWORKS: [&str; 2] = ["192.0.2.100/24", "192.0.2.101/24"];
const NAMES: [&str; 2] = ["first", "second"];

fn addresses() -> [IpAddr; 2] {
    NETWORKS.map(scene::address)
}

fn config(pair: &Pair, priority: u8, more_of_second: &str) -> String {
    let first = scene::router(NAMES[0], 51, priority, NETWORKS[0], ", group: all");
    let second = scene::router(NAMES[1], 52, priority, NETWORKS[1], &format!(", group: all{more_of_second}"));
    scene::proxy(pair, &addresses(), &format!("vrrp:\n{first}{second}"))
}

fn wait_both_at(pair: &Pair, side: Side) {
    for address in addresses() {
        pair.wait_holder(address, side).unwrap();
    }
}

fn wait_states(lb: &Lb, state: f64) {
    for name in NAMES {
        lb.wait_metric("lb_vrrp_state", &[("router", name)], SOON, |now| now == state).unwrap();
    }
}

/// The same two in a `vrrp_sync_group`.
fn sync_group(pair: &Pair, side: Side, priority: u8) -> Keepalived {
    let instances = [0, 1].map(|which| {
        let addresses = &[NETWORKS[which]];
        let vrid = 51 + u8::try_from(which).unwrap();
        let name = NAMES[which];
        let instance =
            Instance { name, vrid, priority, advert_interval: INTERVAL, addresses, ..Instance::default() };
        instance.to_string()
    });
    let group = format!("vrrp_sync_group all {{\n group {{\n {}\n }}\n}}\n", NAMES.join("\n "));
    Keepalived::start(&pair.host(side).place(), &(group + &instances.concat())).unwrap()
}

#[test]
fn a_group_of_lb_and_one_of_keepalived_move_as_a_whole() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let maintenance = dir.path().join("maintenance");
    let tracked = format!(", track: {{ files: [ \"{}\" ] }}", maintenance.display());
    let mut lb = pair.start_lb(Side::A, &config(&pair, 200, &tracked)).unwrap();
    wait_both_at(&pair, Side::A);
    let mut keepalived = sync_group(&pair, Side::B, 100);
    scene::wait_log(&keepalived, "(second) Entering BACKUP STATE");

    // one of the two must not be active here; so neither is
    fs::write(&maintenance, "1\n").unwrap();
    wait_both_at(&pair, Side::B);
    wait_states(&lb, FAULT);
    fs::remove_file(&maintenance).unwrap();
    wait_both_at(&pair, Side::A);
    wait_states(&lb, ACTIVE);

    scene::stop(&mut lb);
    wait_both_at(&pair, Side::B);
    let lb = pair.start_lb(Side::A, &config(&pair, 200, &tracked)).unwrap();
    wait_both_at(&pair, Side::A);
    wait_states(&lb, ACTIVE);
    keepalived.stop().unwrap();
    wait_both_at(&pair, Side::A);
}

#[test]
fn an_operator_moves_a_group_as_a_whole() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let a = pair.start_lb(Side::A, &config(&pair, 200, "")).unwrap();
    wait_both_at(&pair, Side::A);
    let b = pair.start_lb(Side::B, &config(&pair, 100, "")).unwrap();
    wait_states(&b, BACKUP);
    a.ctl(&["vrrp", "release", NAMES[1]]).unwrap();
    wait_both_at(&pair, Side::B);
    wait_states(&a, BACKUP);
    wait_states(&b, ACTIVE);
    a.ctl(&["vrrp", "take", NAMES[0]]).unwrap();
    wait_both_at(&pair, Side::A);
    wait_states(&a, ACTIVE);
    wait_states(&b, BACKUP);
}
