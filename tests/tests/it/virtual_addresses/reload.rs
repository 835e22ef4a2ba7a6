//! A new configuration, and the state of the virtual routers.

use std::fs;

use testkit::netns;
use testkit::pair::{Pair, Side, VIP};
use testkit::place::Place;
use testkit::process::Process;

use super::{Scene, VIPS, file, plain_file, router, told, wait_on, wait_router, wait_told};
use crate::scene::{SOON, soon};

/// `ip monitor`: what happens to the addresses of a host.
struct Monitor {
    process: Process,
    place: Place,
    _dir: tempfile::TempDir,
}

/// An address that comes and goes to see that all before it was seen.
const MARK: &str = "198.51.100.1/32";

impl Monitor {
    fn start(place: &Place) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = place.command("ip");
        command.args(["-oneline", "monitor", "address"]);
        let process = Process::start("ip", command, &dir.path().join("log"), "is it there?").unwrap();
        let monitor = Self { process, place: place.clone(), _dir: dir };
        monitor.mark();
        monitor
    }

    /// All that happened to the virtual addresses until now.
    fn seen(&self) -> Vec<String> {
        self.mark();
        let ours = |line: &&str| VIPS.iter().any(|vip| line.contains(&format!(" {vip}/")));
        self.process.log().lines().filter(ours).map(str::to_owned).collect()
    }

    fn mark(&self) {
        let marks = || self.process.log().matches(MARK).count();
        let before = marks();
        soon("the mark", || {
            for verb in ["add", "delete"] {
                let mut ip = self.place.command("ip");
                assert!(ip.args(["address", verb, MARK, "dev", "lo"]).status().unwrap().success());
            }
            (marks() > before).then_some(())
        });
    }
}

#[test]
fn a_reload_leaves_the_state_alone() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let client = scene.pair.start_client(VIP).unwrap();
    client.wait_steady(SOON).unwrap();
    let monitor = Monitor::start(&scene.pair.a.place());
    let transitions = scene.transitions();
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent").display().to_string();
    for (priority, more) in [
        (251, String::new()),
        (251, "preempt: false".to_owned()),
        (251, "preempt_delay: 1s".to_owned()),
        (251, format!("track: {{ files: [ \"{absent}\" ], pools: [ {{ name: empi, quorum: 2 }} ] }}")),
        (251, "notify: { command: [ /bin/true ] }".to_owned()),
        (251, "announce: { count: 2, every: off }".to_owned()),
        (250, String::new()),
    ] {
        scene.a.reload(&file(&scene.pair, priority, &more)).unwrap();
        wait_router(&scene.a, |router| router["priority"] == priority);
        scene.a.wait_metric("lb_vrrp_priority", &[], SOON, |shown| shown == f64::from(priority)).unwrap();
        assert_eq!(router(&scene.a)["state"], "active");
    }
    let faster = file(&scene.pair, 250, "").replace("50ms", "80ms");
    scene.a.reload(&faster).unwrap();
    scene.wait_adverts(Side::A, || {});
    assert_eq!(scene.transitions(), transitions, "{:#?}", told(&scene.a));
    assert_eq!(monitor.seen(), [""; 0]);
    client.wait_steady(SOON).unwrap();
}

#[test]
fn addresses_come_and_go_with_a_reload() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let monitor = Monitor::start(&scene.pair.a.place());
    let transitions = scene.transitions();
    let (more4, more6) = ("192.0.2.101", "2001:db8::101");
    let more = file(&scene.pair, 250, "")
        .replace("addresses: [", &format!("addresses: [ \"{more4}/24\", \"{more6}/64\","));
    for side in [Side::B, Side::A] {
        let priority = if side == Side::A { "250" } else { "240" };
        scene.lb(side).reload(&more.replace("priority: 250", &format!("priority: {priority}"))).unwrap();
    }
    for address in [more4, more6] {
        scene.pair.wait_holder(address.parse().unwrap(), Side::A).unwrap();
    }
    for side in Side::ALL {
        let priority = if side == Side::A { 250 } else { 240 };
        scene.lb(side).reload(&file(&scene.pair, priority, "")).unwrap();
    }
    for address in [more4, more6] {
        soon("the end of an address", || {
            scene.pair.holders(address.parse().unwrap()).unwrap().is_empty().then_some(())
        });
    }
    scene.wait_adverts(Side::A, || {});
    assert_eq!(scene.transitions(), transitions, "{:#?}", told(&scene.a));
    let seen = monitor.seen();
    assert!(!seen.iter().any(|line| line.contains("Deleted")), "{seen:#?}");
    scene.wait_on(Side::A);
}

#[test]
fn a_better_priority_takes_the_addresses() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    scene.b.reload(&file(&scene.pair, 252, "")).unwrap();
    scene.wait_on(Side::B);
    scene.wait_backup(Side::A);
    scene.a.reload(&file(&scene.pair, 253, "preempt: false")).unwrap();
    scene.wait_adverts(Side::B, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::B]));
    scene.a.reload(&file(&scene.pair, 253, "")).unwrap();
    scene.wait_on(Side::A);
}

#[test]
fn another_router_under_the_same_name_begins_anew() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let other = |priority| file(&scene.pair, priority, "").replace("vrid: 51", "vrid: 52");
    let plan = scene.a.config_path().with_file_name("planned.yaml");
    fs::write(&plan, other(250)).unwrap();
    let text = scene.a.ctl(&["plan", plan.to_str().unwrap()]).unwrap();
    assert!(text.contains("lets go of its addresses and begins anew"), "{text}");

    scene.a.reload(&other(250)).unwrap();
    wait_told(&scene.b, "192.0.2.11 lets go (priority 0 received)");
    wait_router(&scene.b, |router| router["state"] == "active");
    wait_router(&scene.a, |router| router["vrid"] == 52 && router["state"] == "active");
    scene.b.reload(&other(240)).unwrap();
    scene.wait_on(Side::A);
    scene.wait_backup(Side::B);
}

#[test]
fn virtual_routers_begin_and_end_with_a_reload() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let lb = pair.start_lb(Side::A, &plain_file(&pair)).unwrap();
    assert!(router(&lb).is_null());
    let plan = lb.config_path().with_file_name("planned.yaml");
    fs::write(&plan, file(&pair, 250, "")).unwrap();
    let text = lb.ctl(&["plan", plan.to_str().unwrap()]).unwrap();
    assert!(text.contains("listens, and takes the addresses if nobody has them"), "{text}");

    for _ in 0..2 {
        lb.reload(&file(&pair, 250, "")).unwrap();
        wait_on(&pair, Side::A);
        wait_router(&lb, |router| router["state"] == "active");
        lb.reload(&plain_file(&pair)).unwrap();
        for vip in VIPS {
            soon("the end of an address", || pair.holders(vip).unwrap().is_empty().then_some(()));
        }
        soon("no virtual router", || router(&lb).is_null().then_some(()));
        assert_eq!(lb.ctl_output(&["status", "--active", "vip"]).unwrap().status.code(), Some(1));
    }
}
