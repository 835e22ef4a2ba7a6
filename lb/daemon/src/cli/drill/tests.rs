use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::cli::vrrp::tests::{HASTY, Script};
use crate::control::testing::{active, backup};

const QUICK: Pace = Pace { patience: HASTY, settle: Duration::from_millis(20) };

fn away(priority: u8) -> RouterStatus {
    RouterStatus { priority, ..backup("bank-vip") }
}

fn nobody() -> RouterStatus {
    RouterStatus { active_peer: None, ..backup("bank-vip") }
}

fn again() -> RouterStatus {
    RouterStatus { state_seconds: 0.0, ..active("bank-vip") }
}

#[tokio::test]
async fn there_and_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let prober = Prober::start(listener.local_addr().unwrap()).await.unwrap();
    let script = Script::new(active("bank-vip"), [vec![nobody(), away(250)], vec![away(250), again()]]);
    let outcome = run(&script, "bank-vip", Some(&prober), QUICK).await.unwrap();
    assert_eq!(*script.wishes.borrow(), ["release", "take"]);
    assert_eq!(outcome.failure, None);
    let (there, back) = (outcome.away.as_ref().unwrap(), outcome.back.as_ref().unwrap());
    assert_eq!((&*there.to, there.priority), ("192.0.2.12", 240));
    assert_eq!((&*back.to, back.priority), ("this host", 250));
    assert!(there.longest_gap_seconds.is_some() && back.longest_gap_seconds.is_some());
    let texts: Vec<_> = outcome.timeline.iter().map(|entry| (&*entry.subject, &*entry.text)).collect();
    assert_eq!(texts, [("bank-vip", "release, by an operator"), ("bank-vip", "take, by an operator")]);
}

#[tokio::test]
async fn if_nobody_takes_over_the_addresses_come_back_at_once() {
    let script = Script::new(active("bank-vip"), [vec![nobody()], vec![again()]]);
    let outcome = run(&script, "bank-vip", None, QUICK).await.unwrap();
    assert_eq!(*script.wishes.borrow(), ["release", "take"]);
    assert_eq!((outcome.away, outcome.back), (None, None));
    let failure = outcome.failure.unwrap();
    assert!(failure.starts_with("bank-vip: NOBODY TOOK OVER:"), "{failure}");
    assert!(failure.contains("bank-vip: taken, this host is Active after"), "{failure}");
}

#[tokio::test]
async fn a_better_router_keeps_the_addresses_and_that_is_told() {
    let script = Script::new(active("bank-vip"), [vec![away(200)], vec![away(200)]]);
    let outcome = run(&script, "bank-vip", None, QUICK).await.unwrap();
    assert!(outcome.away.is_some());
    assert_eq!(outcome.back, None);
    let failure = outcome.failure.unwrap();
    assert!(failure.contains("better priority 240 (here: 200)"), "{failure}");
    assert!(failure.contains("run it on 192.0.2.12"), "{failure}");
}

#[test]
fn it_begins_only_where_it_can_measure() {
    let said = |router: &RouterStatus| may_begin(router).err().map(|error| error.to_string());
    assert_eq!(said(&active("bank-vip")), None);
    let there = "bank-vip: this host is not Active; run the drill on the host of 192.0.2.12";
    assert_eq!(said(&backup("bank-vip")).unwrap(), there);
    assert!(said(&nobody()).unwrap().contains("not Active: started"));
    let split = RouterStatus { active_peer: backup("x").active_peer, ..active("bank-vip") };
    assert!(said(&split).unwrap().contains("192.0.2.12 says that it is Active too"));
}

#[test]
fn the_first_listener_on_one_of_the_addresses_is_probed() {
    let probed = |binds: &[&[&str]]| {
        let listener = |binds: &&[&str]| {
            json!({ "name": "l", "binds": binds, "pool": "p", "connections": 0, "max_connections": null,
                    "accepted": 0, "received_bytes": 0, "sent_bytes": 0 })
        };
        let report: Report = serde_json::from_value(json!({
            "version": "1.2.3", "node": null, "file": "lb.yaml", "uptime_seconds": 1.0, "workers": 1,
            "draining": false, "listeners": binds.iter().map(listener).collect::<Vec<_>>(), "pools": [],
        }))
        .unwrap();
        target(&report, &active("bank-vip")).map(|target| target.to_string())
    };
    let expect = |address: &str| Some(address.to_owned());
    assert_eq!(
        probed(&[&["192.0.2.7:1"], &["192.0.2.100:7099", "192.0.2.100:1"]]),
        expect("192.0.2.100:7099")
    );
    assert_eq!(probed(&[&["192.0.2.7:1", "[2001:db8::100]:80"]]), expect("[2001:db8::100]:80"));
    assert_eq!(probed(&[&["0.0.0.0:80"]]), expect("192.0.2.100:80"));
    assert_eq!(probed(&[&["[::]:80"]]), expect("[2001:db8::100]:80"));
    assert_eq!(probed(&[&["192.0.2.7:1"], &[]]), None);
}

#[test]
fn what_is_shown() {
    let leg = |to: &str, priority, gap| Leg {
        to: to.to_owned(),
        priority,
        seconds: 0.0031,
        longest_gap_seconds: gap,
    };
    let entry = |sequence: u64, text: &str| Entry {
        sequence,
        time: 1_790_000_000.0 + sequence as f64 / 1e3,
        monotonic_seconds: sequence as f64 / 1e3,
        kind: crate::vrrp::Kind::Command,
        subject: "bank-vip".to_owned(),
        text: text.to_owned(),
    };
    let outcome = Outcome {
        router: "bank-vip".to_owned(),
        probed: None,
        away: Some(leg("192.0.2.12", 240, Some(0.0042))),
        back: Some(leg("this host", 250, None)),
        failure: None,
        timeline: vec![entry(1, "release, by an operator"), entry(1004, "take, by an operator")],
    };
    let router = active("bank-vip");
    let target = "192.0.2.100:7099".parse().ok();
    let warnings = [warning(&router, target, PACE), warning(&router, None, PACE)].join("\n\n");
    insta::assert_snapshot!(format!("{warnings}\n\n{}", render(&outcome, &TimeZone::UTC)));
}
