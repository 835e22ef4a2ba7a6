use std::fs;

use domain::Submission;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::program::{run, run_with_input};

fn line(id: &str) -> String {
    let line =
        json!({ "uaop_id": id, "empi_id": "bank", "class": "notice", "to": "13800138000", "text": "hello" });
    format!("{line}\n")
}

#[tokio::test]
async fn one_message_gets_an_id_that_grows_with_time() {
    let gateway = Gateway::start();
    let socket = gateway.socket();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let arguments =
            ["send", "--socket", &socket, "--to", "13800138000", "--text", "你好", "--account", "cm-1"];
        let run = run(&arguments).await;
        assert_eq!(run.code, Some(0), "{run:?}");
        let body = gateway.inside.submitted.lock().unwrap().pop().unwrap();
        let submission: Submission = serde_json::from_str(&body).unwrap();
        assert!(run.out.contains(submission.uaop_id.as_str()) && run.out.contains("new"), "{run:?}");
        assert_eq!(submission.text.0, "你好");
        assert_eq!(submission.account.unwrap().as_str(), "cm-1");
        assert_eq!((submission.class.as_str(), submission.report), ("notice", true));
        ids.push(submission.uaop_id);
    }
    assert!(ids[0] < ids[1], "{ids:?}");
}

#[tokio::test]
async fn a_message_with_the_id_of_another_is_a_duplicate() {
    let gateway = Gateway::start();
    let socket = gateway.socket();
    let arguments = ["send", "--socket", &socket, "--to", "1", "--text", "x", "--id", "m-1", "--json"];
    for expected in [
        json!({ "uaop_id": "m-1", "taken": "new" }),
        json!({ "uaop_id": "m-1", "taken": "duplicate", "outcome": null }),
    ] {
        let run = run(&arguments).await;
        assert_eq!((run.code, serde_json::from_str::<Value>(&run.out).unwrap()), (Some(0), expected));
    }
}

#[tokio::test]
async fn a_file_goes_in_portions_and_its_lines_are_named_by_their_numbers_in_it() {
    let gateway = Gateway::start();
    let (dir, socket) = (tempfile::tempdir().unwrap(), gateway.socket());
    let mut lines: Vec<String> = (0..1201).map(|n| line(&format!("m-{n}"))).collect();
    lines[699] = "{}\n".to_owned();
    let text = lines.concat();
    let file = dir.path().join("messages.ndjson");
    fs::write(&file, &text).unwrap();

    let run = run(&["send", "--socket", &socket, "--file", file.to_str().unwrap()]).await;
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.out.ends_with("1201 messages: 1200 new, 0 duplicate, 1 refused\n"), "{run:?}");
    assert!(run.out.lines().nth(1).unwrap().trim_start().starts_with("700 "), "{run:?}");
    {
        let submitted = gateway.inside.submitted.lock().unwrap();
        let sizes: Vec<usize> = submitted.iter().map(|body| body.lines().count()).collect();
        assert_eq!(sizes, [500, 500, 201]);
        assert_eq!(submitted.concat(), text);
    }

    let again = run_with_input(&["send", "--socket", &socket, "--file", "-", "--json"], &text).await;
    let answers: Vec<Value> = again.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 1201);
    assert_eq!(answers[699]["line"], 700);
    assert_eq!(answers.iter().filter(|answer| answer["taken"] == "duplicate").count(), 1200);
}

#[tokio::test]
async fn where_no_gateway_answers_that_is_said() {
    let run = run(&["send", "--socket", "/nonexistent.sock", "--to", "1", "--text", "x"]).await;
    assert_eq!(run.code, Some(1));
    assert!(
        run.complaint.starts_with("smsline: no gateway answers on /nonexistent.sock: No such"),
        "{run:?}"
    );
}
