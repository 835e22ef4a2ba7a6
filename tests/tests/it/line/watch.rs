//! What an operator sees.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use domain::Happened;
use serde_json::Value;
use testkit::line::letters::Letters;
use testkit::line::protocol::ACCOUNT;
use testkit::line::{Ledger, Protocol, Scene};
use testkit::wait;

use super::{SOON, over_each_protocol};

over_each_protocol! { each_message_has_one_access_record_without_its_text_and_whole_number }

fn each_message_has_one_access_record_without_its_text_and_whole_number(protocol: Protocol) {
    const MESSAGES: usize = 40;
    let log = "{ format: json, level: debug }";
    let line = Scene::new(protocol).gateway("log", log).carrier("log", log).start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(MESSAGES)).unwrap();
    ledger.settle(&line, SOON).unwrap();
    let records = || {
        let log = line.gateway.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let records: Vec<Value> = lines.filter(|line| line["target"] == "access").collect();
        (records.len() >= MESSAGES).then_some(records)
    };
    let records = wait::until("the access records", SOON, records).unwrap();
    let ids: BTreeSet<&str> = records.iter().filter_map(|record| record["uaopId"].as_str()).collect();
    assert_eq!((records.len(), ids.len()), (MESSAGES, MESSAGES));

    // the ids that the events tell are those of the record
    let mut answered: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    line.feed.look(|seen| {
        for told in &seen.events {
            if let Happened::Answered { uaop_id, resp_sequence: Some(id), .. } = &told.event.happened {
                answered.entry(uaop_id.to_string()).or_default().insert(id.clone());
            }
        }
    });
    for record in &records {
        assert_eq!(
            (&record["account"], &record["outcome"]),
            (&ACCOUNT.into(), &"accepted".into()),
            "{record}"
        );
        let ids: BTreeSet<String> = record["resp"].as_str().unwrap().split(',').map(str::to_owned).collect();
        assert_eq!(ids, answered[record["uaopId"].as_str().unwrap()], "{record}");
        assert_eq!(record["parts"], record["pushes"], "{record}");
    }
    assert_eq!(ledger.leaks(&line.gateway.log()), [""; 0]);
    assert_eq!(ledger.leaks(&line.carrier.log()), [""; 0]);
    assert!(line.carrier.log().lines().count() > 0);
}

#[test]
fn promtool_accepts_the_metrics_of_both_programs() {
    let behaviour = "{ report: 5ms, report_twice: 50 %, disconnect: { after: 30 } }";
    let line = Scene::new(Protocol::Cmpp20).customer("behaviour", behaviour).start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(100)).unwrap();
    line.carrier.control().mo("13712345678", "1069000001", "TD").unwrap();
    ledger.settle(&line, SOON).unwrap();
    promtool(&line.gateway.get("/metrics").unwrap().body);
    promtool(&line.carrier.control().get("/metrics").unwrap().body);

    let metrics = line.gateway.metrics().unwrap();
    let account = [("account", ACCOUNT)];
    assert_eq!(metrics.sum("gateway_messages_taken_total", &account), 100.0);
    let accepted = [("account", ACCOUNT), ("outcome", "accepted")];
    assert_eq!(metrics.sum("gateway_messages_finished_total", &accepted), 100.0);
    let known = [("account", ACCOUNT), ("known", "yes")];
    let reports = metrics.sum("gateway_reports_total", &known);
    assert_eq!(metrics.sum("gateway_report_delay_seconds_count", &account), reports);
    let counts = line.carrier.control().counts().unwrap();
    let answers = metrics.sum("gateway_answers_total", &[("account", ACCOUNT), ("code", "0")]);
    assert!(answers > 0.0 && answers <= counts.accepted as f64);
    let carrier = line.carrier.control().metrics().unwrap();
    assert_eq!(carrier.sum("carrier_submits_total", &account), counts.submits as f64);
}

fn promtool(text: &str) {
    assert!(text.lines().count() > 20, "{text}");
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("no promtool: run tests/setup");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let complaints = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&complaints));
    assert_eq!(String::from_utf8_lossy(&complaints), "", "promtool has advice");
}

#[test]
fn readiness_follows_the_links() {
    let mut line = Scene::new(Protocol::Cmpp20).account("connections", 2).start().unwrap();
    assert_eq!(line.gateway.get("/healthz").unwrap().status, 200);
    for _ in 0..2 {
        line.carrier.kill();
        let down = || (line.gateway.get("/readyz").ok()?.status == 503).then_some(());
        wait::until("not to be ready", SOON, down).unwrap();
        assert_eq!(line.gateway.get("/healthz").unwrap().status, 200);
        let status = line.gateway.uplink().status().unwrap();
        assert_eq!(status["accounts"][0]["alarms"][0], "link", "{status}");
        line.carrier.start_again().unwrap();
        line.gateway.wait_ready().unwrap();
        let up = [("account", ACCOUNT)];
        line.gateway.wait_metric("gateway_connection_up", &up, SOON, |up| up == 2.0).unwrap();
    }
}
