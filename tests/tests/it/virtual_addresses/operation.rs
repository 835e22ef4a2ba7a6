//! Commands, and programs that are told.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::lb::Lb;
use testkit::pair::Side;
use testkit::{netns, wait};

use super::{Scene, wait_router, wait_state};
use crate::scene::{SOON, text};

fn active_code(lb: &Lb) -> Option<i32> {
    lb.ctl_output(&["status", "--active", "vip"]).unwrap().status.code()
}

#[test]
fn an_operator_moves_the_addresses() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    assert_eq!([&scene.a, &scene.b].map(active_code), [Some(0), Some(1)]);
    let table = scene.a.ctl(&["status"]).unwrap();
    assert!(table.contains("vip") && table.contains("192.0.2.100/24"), "{table}");

    let told = scene.a.ctl(&["vrrp", "release", "vip"]).unwrap();
    assert!(told.contains("vip: released, ") && told.contains(" (priority 240) is Active after "), "{told}");
    scene.wait_on(Side::B);
    assert_eq!([&scene.a, &scene.b].map(active_code), [Some(1), Some(0)]);
    let why = scene.a.ctl(&["why", "vip", "vip"]).unwrap();
    assert!(why.contains("because an operator released them here"), "{why}");
    scene.wait_adverts(Side::B, || {});
    wait_state(&scene.a, "backup");

    let told = scene.a.ctl(&["vrrp", "take", "vip"]).unwrap();
    assert!(told.contains("vip: taken, this host is Active after "), "{told}");
    scene.wait_on(Side::A);
    scene.wait_backup(Side::B);
    let refused = scene.b.ctl_output(&["vrrp", "take", "vip"]).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let refused = text(&refused);
    assert!(refused.contains("is Active with the better priority 250 (here: 240)"), "{refused}");
    scene.wait_on(Side::A);
}

#[test]
fn a_drill_goes_there_and_back() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let refused = scene.b.ctl_output(&["drill", "vip", "--yes"]).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("this host is not Active; run the drill on the host of"),
        "{}",
        text(&refused)
    );
    let drill: Value =
        serde_json::from_str(&scene.a.ctl(&["drill", "vip", "--yes", "--json"]).unwrap()).unwrap();
    assert!(drill["failure"].is_null(), "{drill:#}");
    assert_eq!(
        (&drill["away"]["priority"], &drill["back"]["priority"]),
        (&240.into(), &250.into()),
        "{drill:#}"
    );
    // of the first advertisement, and not of the one that `lb status` shows at its next turn
    assert!(drill["away"]["seconds"].as_f64().unwrap() < 0.5, "{drill:#}");
    assert_eq!(drill["back"]["to"], "this host");
    for leg in ["away", "back"] {
        assert!(drill[leg]["longest_gap_seconds"].as_f64().is_some(), "{drill:#}");
    }
    let entries = drill["timeline"].as_array().unwrap();
    let states =
        entries.iter().filter(|entry| entry["kind"] == "state").map(|entry| entry["text"].as_str().unwrap());
    assert_eq!(
        states.collect::<Vec<_>>(),
        ["BACKUP: released by the operator", "ACTIVE: taken by the operator"]
    );
    scene.wait_on(Side::A);
}

#[test]
fn a_program_is_told_in_order() {
    if netns::skip() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("told");
    let script = dir.path().join("script");
    fs::write(&script, format!("echo \"$LB_STATE: $*\" >> {}\n", log.display())).unwrap();
    let mut scene = Scene::new(&format!("notify: {{ command: [ /bin/sh, \"{}\" ] }}", script.display()), "");
    let words = || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        text.lines().map(|line| line.split_whitespace().nth(3).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let wait_last = |word: &str| {
        let told = || words().last().is_some_and(|last| last == word).then_some(());
        let found = wait::until(word, SOON, told);
        found.unwrap_or_else(|error| panic!("{error}: {:?}; {}", words(), scene.a.log()));
    };
    wait_last("MASTER");
    let before = words().len();
    scene.a.ctl(&["vrrp", "release", "vip"]).unwrap();
    wait_last("BACKUP");
    scene.a.ctl(&["vrrp", "take", "vip"]).unwrap();
    wait_last("MASTER");
    scene.pair.a.unplug().unwrap();
    wait_last("FAULT");
    scene.pair.a.plug().unwrap();
    wait_last("MASTER");
    scene.a.signal(Signal::SIGTERM).unwrap();
    scene.a.process().wait_exit(SOON).unwrap();
    let words = words();
    let (first, rest) = words[before..].split_at(3);
    assert_eq!(first, ["BACKUP", "MASTER", "FAULT"], "{words:?}");
    // it is Backup for so short a time that the next state may come first
    assert!(rest.ends_with(&["MASTER".to_owned(), "STOP".to_owned()]), "{words:?}");
    let lines = fs::read_to_string(&log).unwrap();
    assert!(lines.lines().last().unwrap().ends_with("INSTANCE vip STOP 250"), "{lines}");
    wait_router(&scene.b, |router| router["state"] == "active");
}
