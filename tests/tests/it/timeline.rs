//! The flight recorder: what an operator can read afterwards.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::{self, Lb};

use crate::client::connect;
use crate::daemon::{Daemon, config, only, server};
use crate::scene::{soon, text};

const QUICK: &str = "check: { interval: 100ms, rise: 2, fall: 2 }";

pub fn timeline(lb: &Lb, arguments: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = ["timeline", "--json"].iter().chain(arguments).copied().collect();
    serde_json::from_str(&lb.ctl(&arguments).unwrap()).unwrap()
}

/// `KIND SUBJECT TEXT` of each entry.
fn told(entries: &[Value]) -> Vec<String> {
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    entries.iter().map(|entry| ["kind", "subject", "text"].map(|key| word(entry, key)).join(" ")).collect()
}

#[test]
fn health_reloads_and_commands_are_told_in_order() {
    let mut a = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", QUICK, &only(&a));
    a.kill();
    lb.wait_state("a", "down");
    let spare = Backend::start(Behaviour::Echo).unwrap();
    let servers = format!("{}, {}", only(&a), server("b", spare.address(), ""));
    lb.lb.reload(&config(lb.address, "", QUICK, &servers)).unwrap();
    lb.lb.reload(&config(lb.address, "", &QUICK.replace("2 }", "0 }"), &servers)).unwrap_err();
    lb.lb.ctl(&["server", "drain", "p/b"]).unwrap();
    lb.lb.ctl(&["server", "weight", "p/b", "7"]).unwrap();

    // what a command brings about comes after it
    let entries = soon("the last event", || {
        let entries = timeline(&lb.lb, &[]);
        told(&entries).last().unwrap().starts_with("health p/b weight 1 → 7").then_some(entries)
    });
    let told = told(&entries);
    let mut seen = told.iter();
    for wanted in [
        "daemon lb started: version ",
        "health p/a DOWN: check: connection refused",
        "health p NO SERVER USABLE",
        "config lb applied: + server p/b at ",
        "config lb refused: line ",
        "command p/b drain, by an operator",
        "command p/b weight 7, by an operator",
    ] {
        assert!(
            seen.any(|entry| entry.starts_with(wanted)),
            "{wanted} is not there, or not in order: {told:#?}"
        );
    }
    let numbers: Vec<u64> = entries.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    let times = |key: &str| entries.iter().map(|entry| entry[key].as_f64().unwrap()).collect::<Vec<_>>();
    assert!(times("monotonic_seconds").is_sorted() && times("time").is_sorted(), "{entries:#?}");

    assert_eq!(timeline(&lb.lb, &["--last", "2"]), entries[entries.len() - 2..]);
    assert_eq!(timeline(&lb.lb, &["--since", "1h"]), entries);
    let line = lb.lb.ctl(&["timeline", "--last", "1"]).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.trim_end().ends_with("  health        p/b  weight 1 → 7"), "{line}");
}

/// `lb timeline --follow`, killed when dropped.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_can_follow() {
    let a = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", QUICK, &only(&a));
    let mut follower = Command::new(lb::binary().unwrap());
    follower.arg("--socket").arg(lb.lb.socket()).args(["timeline", "--follow", "--json", "--last", "1"]);
    let mut follower = Follower(follower.stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(follower.0.stdout.take().unwrap()).lines();
    let mut entries = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let first = entries.next().unwrap()["sequence"].as_u64().unwrap();
    for weight in ["3", "4"] {
        lb.lb.ctl(&["server", "weight", "p/a", weight]).unwrap();
        let entry = entries.find(|entry| entry["kind"] == "command").unwrap();
        assert!(entry["sequence"].as_u64().unwrap() > first, "{entry}");
        assert_eq!(entry["text"], format!("weight {weight}, by an operator"));
    }
}

#[test]
fn a_stop_is_told_while_it_waits() {
    let a = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", QUICK, &only(&a));
    let client = connect(lb.address);
    lb.wait_for("lb_listener_connections", &[], 1.0);
    lb.lb.signal(Signal::SIGTERM).unwrap();
    soon("the stop in the timeline", || {
        let told = told(&timeline(&lb.lb, &["--last", "1"]));
        told[0].starts_with("daemon lb stopping; live connections: 1;").then_some(())
    });
    drop(client);
}

#[test]
fn a_server_is_explained_and_a_virtual_router_that_is_not_there() {
    let mut a = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", QUICK, &only(&a));
    a.kill();
    lb.wait_state("a", "down");
    let why = lb.lb.ctl(&["why", "server", "p/a"]).unwrap();
    for part in ["p/a has been DOWN for ", ": check: connection refused.", "No server of p is usable."] {
        assert!(why.contains(part), "{why}");
    }
    let missing = "no virtual router is called `nobody`; the file has none";
    for arguments in [
        &["why", "vip", "nobody"][..],
        &["vrrp", "release", "nobody"],
        &["vrrp", "take", "nobody"],
        &["drill", "nobody", "--yes"],
        &["status", "--active", "nobody"],
    ] {
        let output = lb.lb.ctl_output(arguments).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(text(&output).trim_end(), format!("lb: {missing}"), "{arguments:?}");
    }
    assert!(timeline(&lb.lb, &[]).iter().all(|entry| entry["subject"] != "nobody"));
}
