//! What a UAOP should not hand in: refused with a reason, and whatever is right beside it is taken.

use std::time::Duration;

use domain::Submission;
use serde_json::{Value, json};
use testkit::line::letters::Letters;
use testkit::line::uplink::{Taken, Verdict};
use testkit::line::{Ledger, Line, Protocol, Scene};

use super::{SOON, line};

#[test]
fn a_wrong_line_is_refused_and_the_others_are_taken() {
    let line = line(Protocol::Cmpp20);
    let mut letters = Letters::new();
    let good = letters.one();
    let change = |key: &str, value: Value| {
        let mut line = serde_json::to_value(letters.clone().one()).unwrap();
        line[key] = value;
        line.to_string()
    };
    let wrong = [
        ("secret words".to_owned(), "expected value"),
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), ""),
        (change("uaop_id", json!("a b")), "letters, digits"),
        (change("uaop_id", json!("x".repeat(65))), "longer"),
        (change("to", json!("1391234x000")), "digits"),
        (change("to", json!("1".repeat(21))), "20 digits"),
        (change("to", json!(13_912_340_001_u64)), ""),
        (change("text", Value::Null), ""),
        (change("colour", json!("red")), "colour"),
        (change("account", json!("nobody")), "no account `nobody`"),
        (change("extension", json!("4x")), "`extension`"),
        (change("extension", json!("012345678901")), "digits"),
        (change("priority", json!(10)), "`priority`"),
        (change("text", json!("长".repeat(671))), "11 parts"),
    ];
    for (bad, reason) in &wrong {
        let answers = line.gateway.uplink().submit_lines(&format!("{bad}\n")).unwrap();
        let [Taken { taken: Verdict::Refused, reason: Some(told), again: Some(false), .. }] = &answers[..]
        else {
            panic!("{bad}: {answers:?}");
        };
        assert!(told.contains(reason), "{bad}: {told}");
        for secret in ["secret", "13912340", "长长"] {
            assert!(!told.contains(secret), "{bad}: {told}");
        }
    }

    let bad: String = wrong.iter().map(|(bad, _)| format!("{bad}\n")).collect();
    let lines = format!("{bad}{}\n{bad}", serde_json::to_string(&good).unwrap());
    let answers = line.gateway.uplink().submit_lines(&lines).unwrap();
    assert_eq!(answers.len(), 2 * wrong.len() + 1);
    let taken: Vec<&Taken> = answers.iter().filter(|answer| answer.taken != Verdict::Refused).collect();
    assert!(
        matches!(taken[..], [Taken { taken: Verdict::New, uaop_id: Some(id), .. }] if id == good.uaop_id.as_str())
    );
    // a line that is no submission is named by its number
    assert_eq!(answers[0].line, Some(1));
    line.feed.wait_count("finished", 1, SOON).unwrap();
    let unfit =
        line.gateway.metrics().unwrap().sum("gateway_messages_not_taken_total", &[("reason", "unfit")]);
    assert_eq!(unfit, 3.0 * 5.0);
    assert!(!line.gateway.log().contains("secret words"));
}

#[test]
fn a_request_that_is_none_is_refused_as_a_whole() {
    let line = line(Protocol::Cmpp20);
    let uplink = line.gateway.uplink();
    let mut letters = Letters::new();
    let too_many: String = (0..1001).map(|_| serde_json::to_string(&letters.one()).unwrap() + "\n").collect();
    assert_eq!(uplink.request("POST", "/messages", &too_many).unwrap().status, 413);
    let too_large = "x".repeat((4 << 20) + 1);
    assert_eq!(uplink.request("POST", "/messages", &too_large).unwrap().status, 413);
    assert_eq!(uplink.request("GET", "/messages", "").unwrap().status, 405);
    assert_eq!(uplink.request("GET", "/nothing", "").unwrap().status, 404);
    assert_eq!(uplink.request("GET", "/events?consumer=a&after=x", "").unwrap().status, 400);
    assert_eq!(uplink.status().unwrap()["spool"]["unfinished"], 0);
    Ledger::new().submit(&uplink, letters.many(1)).unwrap();
    line.feed.wait_count("finished", 1, SOON).unwrap();
}

#[test]
fn an_id_stands_for_one_message_for_ever() {
    let mut line = line(Protocol::Sgip12);
    let mut letters = Letters::new();
    let message = letters.with_text("the one");
    let other = Submission { uaop_id: message.uaop_id.clone(), ..letters.with_text("another one") };
    let submit = |line: &Line, message: &Submission| {
        line.gateway.uplink().submit(std::slice::from_ref(message)).unwrap().remove(0)
    };
    assert_eq!(submit(&line, &message).taken, Verdict::New);
    line.feed.wait_count("finished", 1, SOON).unwrap();
    for _ in 0..2 {
        let again = submit(&line, &message);
        assert_eq!((again.taken, again.outcome.as_deref()), (Verdict::Duplicate, Some("accepted")));
        let refused = submit(&line, &other);
        assert_eq!((refused.taken, refused.again), (Verdict::Refused, Some(false)));
        assert!(refused.reason.unwrap().contains("used for another message"));
        line.gateway.kill();
        line.gateway.start_again().unwrap();
    }
    assert_eq!(line.carrier.control().counts().unwrap().submits, 1);
    // twice in one request
    let twice = letters.one();
    let answers = line.gateway.uplink().submit(&[twice.clone(), twice]).unwrap();
    let verdicts: Vec<Verdict> = answers.iter().map(|answer| answer.taken).collect();
    assert_eq!(verdicts, [Verdict::New, Verdict::Duplicate]);
}

#[test]
fn a_full_queue_takes_no_more_until_there_is_room() {
    let scene = Scene::new(Protocol::Smgp30).gateway("queue", 5).customer("behaviour", "{ pause: true }");
    let line = scene.account("timers", "{ login: 300ms }").start_unconnected().unwrap();
    let uplink = line.gateway.uplink();
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    ledger.submit(&uplink, letters.many(5)).unwrap();
    let more = letters.one();
    let answers = uplink.submit(std::slice::from_ref(&more)).unwrap();
    assert_eq!((answers[0].taken, answers[0].again), (Verdict::Refused, Some(true)));
    let labels = [("reason", "queue_full")];
    line.gateway
        .wait_metric("gateway_messages_not_taken_total", &labels, Duration::ZERO, |n| n == 1.0)
        .unwrap();

    line.carrier.control().behaviour("{ pause: false }").unwrap();
    // it says so until there is room
    ledger.submit(&uplink, vec![more]).unwrap();
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!(balance.accepted, 6);
}
