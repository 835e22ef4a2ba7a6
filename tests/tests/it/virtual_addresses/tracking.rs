//! The addresses are where the service is.

use std::fs;

use testkit::capture::Capture;
use testkit::netns::{self, Host};
use testkit::pair::{Pair, Side, VIP};

use super::{Act, Scene, file, told, wait_router, wait_state, wait_told};
use crate::scene::SOON;

const SERVERS: [&str; 2] = ["192.0.2.21", "192.0.2.22"];

/// Takes the way to the servers from one host.
fn cut_off(host: &Host) {
    SERVERS.iter().for_each(|server| host.ip(&["route", "add", "unreachable", server]).unwrap());
}

fn reconnect(host: &Host) {
    SERVERS.iter().for_each(|server| host.ip(&["route", "delete", "unreachable", server]).unwrap());
}

/// An interface and the other end of its cable.
fn add_cable(host: &Host, name: &str) {
    let end = format!("{name}-end");
    host.ip(&["link", "add", name, "up", "type", "veth", "peer", "name", &end]).unwrap();
    host.ip(&["link", "set", &end, "up"]).unwrap();
}

#[test]
fn the_addresses_follow_the_service() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "preempt: false");
    let unable = |side| {
        let reason = serde_json::json!(["pool empi has no usable server"]);
        wait_router(scene.lb(side), |router| router["burdens"] == reason);
    };
    cut_off(&scene.pair.a);
    scene.wait_on(Side::B);
    unable(Side::A);
    wait_told(&scene.b, "says that it cannot serve (priority");

    // nobody can: it stays where it is
    cut_off(&scene.pair.b);
    unable(Side::B);
    let transitions = scene.transitions();
    scene.wait_adverts(Side::B, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::B]));
    assert_eq!(scene.transitions(), transitions);

    reconnect(&scene.pair.a);
    scene.wait_on(Side::A);
    reconnect(&scene.pair.b);
    wait_router(&scene.b, |router| router["burdens"] == serde_json::json!([]) && router["priority"] == 240);
    scene.wait_adverts(Side::A, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::A]));
}

#[test]
fn files_commands_and_interfaces_are_tracked() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    for name in ["light", "heavy"] {
        add_cable(&pair.a, name);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let command = |name: &str, weight: &str| {
        let test = format!("[ /usr/bin/test, \"!\", -e, \"{}\" ]", path(name));
        format!("{{ name: {name}, command: {test}, interval: 100ms, timeout: 5s{weight} }}")
    };
    let (weighed, whole, priced, dear) =
        (path("weighed"), path("whole"), command("priced", ", weight: -20"), command("dear", ""));
    let track = format!(
        "track: {{ files: [ {{ file: \"{weighed}\", weight: -20 }}, \"{whole}\" ], commands: [ {priced}, {dear} ],
           interfaces: [ {{ name: light, weight: -20 }}, heavy ] }}"
    );
    let scene = Scene::on(pair, &track, "");
    let ill = |name: &str| fs::write(path(name), "1").unwrap();
    let well = |name: &str| fs::remove_file(path(name)).unwrap();
    let link = |name: &str, state: &str| scene.pair.a.ip(&["link", "set", name, state]).unwrap();
    let ways: [(Act<'_>, Act<'_>, &str, &str); 6] = [
        (&|| ill("weighed"), &|| well("weighed"), "backup", "weighed says 1 (-20)"),
        (&|| ill("whole"), &|| well("whole"), "fault", "whole says 1"),
        (&|| ill("priced"), &|| well("priced"), "backup", "command priced fails (weight -20)"),
        (&|| ill("dear"), &|| well("dear"), "fault", "command dear fails"),
        (
            &|| link("light", "down"),
            &|| link("light", "up"),
            "backup",
            "interface light is down (weight -20)",
        ),
        (&|| link("heavy", "down"), &|| link("heavy", "up"), "fault", "interface heavy is down"),
    ];
    for (spoil, mend, state, burden) in ways {
        spoil();
        scene.wait_on(Side::B);
        let router = wait_state(&scene.a, state);
        assert!(router["burdens"][0].as_str().unwrap().ends_with(burden), "{router:#}");
        if state == "backup" {
            assert_eq!(router["priority"], 230, "{router:#}");
        }
        mend();
        scene.wait_on(Side::A);
    }
}

#[test]
fn a_weight_counts_on_both_sides_of_a_reload() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    add_cable(&pair.a, "light");
    let track = "track: { interfaces: [ { name: light, weight: 60 } ] }";
    let scene = Scene::on(pair, track, "");
    // only the weight makes it the better one
    let new = |priority| file(&scene.pair, priority, track);
    scene.a.reload(&new(190)).unwrap();
    let priority = |wanted: f64| {
        scene.a.wait_metric("lb_vrrp_priority", &[], SOON, |priority| priority == wanted).unwrap();
    };
    priority(250.0);
    let transitions = scene.transitions();
    let capture = Capture::at_switch(&scene.pair.net).unwrap();
    for own in [191_u8, 192, 193, 194] {
        scene.a.reload(&new(own)).unwrap();
        priority(f64::from(own) + 60.0);
    }
    scene.wait_adverts(Side::A, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::A]));
    assert_eq!(scene.transitions(), transitions, "{:#?}", told(&scene.b));
    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    assert!(frames.count("vrrp.prio == 254").unwrap() > 0);
    assert_eq!(frames.count("vrrp.prio >= 190 && vrrp.prio <= 194").unwrap(), 0, "without its weight");
}
