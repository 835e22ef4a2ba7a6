use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::gateway::Gateway;
use crate::program::{command, run};

#[tokio::test]
async fn all_events_are_shown_and_none_is_acknowledged() {
    let gateway = Gateway::start();
    gateway.inside.events.send_replace(2500);
    let run = run(&["events", "--socket", &gateway.socket(), "--after", "100"]).await;
    assert_eq!((run.code, run.out.lines().count()), (Some(0), 2400), "{}", run.complaint);
    let first = run.out.lines().next().unwrap();
    assert_eq!(
        first,
        "     101  2026-09-21 14:13:20.101  cm-1          mo             00A1 from 138****8000 to 106****0001: 5 characters"
    );
    let asked = gateway.inside.asked.lock().unwrap();
    let after: Vec<i64> = asked.iter().map(|wanted| wanted.after).collect();
    assert_eq!(after, [100, 1100, 2100]);
    assert!(asked.iter().all(|wanted| wanted.consumer.is_none() && wanted.wait == 0), "{asked:?}");
}

#[tokio::test]
async fn a_consumer_acknowledges_all_that_it_printed() {
    let gateway = Gateway::start();
    gateway.inside.events.send_replace(3);
    let run = run(&["events", "--socket", &gateway.socket(), "--consumer", "a b", "--json"]).await;
    assert_eq!((run.code, run.out.lines().count()), (Some(0), 3), "{}", run.complaint);
    assert!(run.out.contains("\"from\":\"13800138000\""), "{}", run.out);
    let asked = gateway.inside.asked.lock().unwrap();
    let asked: Vec<_> = asked.iter().map(|wanted| (wanted.consumer.as_deref(), wanted.after)).collect();
    assert_eq!(asked, [(Some("a b"), 0), (Some("a b"), 3)]);
}

#[tokio::test]
async fn events_are_followed() {
    let gateway = Gateway::start();
    gateway.inside.events.send_replace(2);
    let mut command = command(&["events", "--socket", &gateway.socket(), "--follow"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 1..=5 {
        if number > 2 {
            gateway.inside.events.send_replace(number);
        }
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.starts_with(&format!("{number:>8}  ")), "{line}");
    }
    child.kill().await.unwrap();
}
