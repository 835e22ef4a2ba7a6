//! The router over real sockets, with a store in a file.

mod scene;

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::testing::{NEAR, SMALL, TOKEN, TestClock, mo, report};
use scene::Scene;

fn message(reference: &str, to: &Value) -> Value {
    json!({ "reference": reference, "to": to, "text": "hello", "class": "notice" })
}

fn one(reference: &str) -> Value {
    json!({ "messages": [message(reference, &json!("13800138000"))] })
}

#[tokio::test]
async fn a_message_is_accepted_and_its_repetition_is_a_duplicate_with_the_same_id() {
    let scene = Scene::start().await;
    let (status, first) = scene.post(&one("r-1")).await;
    assert_eq!((status, &first["results"][0]["status"]), (200, &json!("accepted")));
    let (_, again) = scene.post(&one("r-1")).await;
    assert_eq!(again["results"][0]["status"], "duplicate");
    let id = |answer: &Value| answer["results"][0]["recipients"][0]["uaop_id"].as_str().unwrap().to_owned();
    assert_eq!(id(&first), id(&again));
    assert_eq!(id(&first).len(), 26);
    assert_eq!(scene.store.waiting(0, 10).await.unwrap().len(), 1);

    let (status, found) = scene.get(&format!("/v1/messages/{}", id(&first))).await;
    assert_eq!((status, &found["state"], &found["text"]), (200, &json!("waiting"), &json!("hello")));
    let (_, found) = scene.get("/v1/messages?reference=r-1").await;
    assert_eq!(found["messages"][0]["uaop_id"], id(&first));
    let (_, found) = scene.get("/v1/messages?reference=r-1&to=%2B8613800138000").await;
    assert_eq!(found["messages"][0]["uaop_id"], id(&first));
}

#[tokio::test]
async fn what_is_wrong_with_one_message_or_recipient_does_not_refuse_the_others() {
    let scene = Scene::start().await;
    scene.post(&one("used")).await;
    let mut reused = message("used", &json!("13800138000"));
    reused["text"] = json!("another text");
    let body = json!({ "messages": [
        message("r-1", &json!(["13800138001", "12x", "13800138002"])),
        message("a b", &json!("1")),
        reused,
        message("r-2", &json!("+8613800138003")),
        7,
    ] });
    let (status, answer) = scene.post(&body).await;
    assert_eq!(status, 200);
    let results = answer["results"].as_array().unwrap();
    let statuses: Vec<&str> = results.iter().map(|result| result["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["mixed", "refused", "refused", "accepted", "refused"]);
    assert_eq!(results[0]["recipients"][1]["error"]["code"], "bad_number");
    assert_eq!(results[1]["error"]["code"], "bad_reference");
    assert_eq!(results[2]["recipients"][0]["error"]["code"], "reference_reused");
    assert_eq!(results[4]["error"]["code"], "bad_message");
    assert_eq!(scene.store.waiting(0, 10).await.unwrap().len(), 4);
    let outcome = |word| scene.families.messages.with_label_values(&["core", word]).get();
    assert_eq!((outcome("accepted"), outcome("bad_number"), outcome("reference_reused")), (4, 1, 1));
}

#[tokio::test]
async fn every_code_of_a_request_is_answered_as_the_table_says() {
    let scene = Scene::start().await;
    let post = |body: Vec<u8>| scene.signed("POST", "/v1/messages", body);
    let many: Vec<Value> = (0..1001).map(|n| json!(format!("138{n:08}"))).collect();
    let many = json!({ "messages": [message("r", &json!(many))] }).to_string().into_bytes();
    let skewed = scene.request_at(TestClock::START - 301_000, "nonce-of-skew", "GET", "/v1/reports", b"");
    let twice = || scene.request_at(TestClock::START, "nonce-of-twice", "GET", "/v1/reports", b"");
    assert_eq!(scene.answer(twice()).await.0, 200);
    let mut forged = post(b"{}".to_vec());
    forged.1 = b"[]".to_vec();
    let cases = vec![
        (forged, Code::Unauthenticated),
        ((scene.head("GET", "/v1/reports", 0, ""), Vec::new()), Code::Unauthenticated),
        (scene.bearer("a token that is not known"), Code::Unauthenticated),
        (scene.stranger(), Code::Unauthenticated),
        (skewed, Code::ClockSkew),
        (twice(), Code::Replayed),
        (scene.elsewhere(), Code::SourceNotAllowed),
        (scene.signed("GET", "/v1/nowhere", Vec::new()), Code::NoSuchPath),
        (scene.signed("DELETE", "/v1/reports", Vec::new()), Code::MethodNotAllowed),
        (scene.signed("GET", "/v1/messages/none", Vec::new()), Code::NotFound),
        (scene.signed("GET", "/v1/messages?reference=none", Vec::new()), Code::NotFound),
        (scene.signed("GET", "/v1/messages", Vec::new()), Code::BadQuery),
        (scene.signed("GET", "/v1/messages?reference=r&to=x", Vec::new()), Code::BadQuery),
        (scene.signed("GET", "/v1/reports?most=0", Vec::new()), Code::BadQuery),
        (scene.signed("GET", "/v1/reports?wait=61", Vec::new()), Code::BadQuery),
        (scene.signed("GET", "/v1/reports?kinds=all", Vec::new()), Code::BadQuery),
        (scene.signed("GET", "/v1/reports?after=x", Vec::new()), Code::BadQuery),
        (post(vec![b' '; 70_000]), Code::BodyTooLarge),
        (post(b"\xff".to_vec()), Code::NotUtf8),
        (post(b"{\"messages\":".to_vec()), Code::NotJson),
        (post(b"{}".to_vec()), Code::NoMessages),
        (post(many), Code::TooManyRecipients),
    ];
    for ((head, body), code) in cases {
        let (status, answer) = scene.answer((head, body)).await;
        assert_eq!(answer["error"]["code"], code.word(), "{answer}");
        assert_eq!(status, code.status().as_u16(), "{answer}");
        assert_eq!(answer["error"]["advice"], code.advice());
    }
}

#[tokio::test]
async fn a_body_that_comes_slowly_or_breaks_off_is_refused() {
    let scene = Scene::start().await;
    let (head, _) = scene.signed("POST", "/v1/messages", b"{}".to_vec());
    let mut stream = TcpStream::connect(scene.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(scene::read_answer(&mut stream).await.1["error"]["code"], "body_too_slow");
    // the head, too, has its time
    let mut stream = TcpStream::connect(scene.address).await.unwrap();
    stream.write_all(b"GET /v1/reports HTTP/1.1\r\nHost:").await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
}

#[tokio::test]
async fn rate_quota_queue_and_concurrency_have_their_limits() {
    let scene = Scene::start().await;
    let code = |answer: &Value| answer["error"]["code"].as_str().unwrap_or("ok").to_owned();
    let body = |first: usize, count: usize| {
        let to: Vec<Value> = (first..first + count).map(|n| json!(format!("139{n:08}"))).collect();
        json!({ "messages": [message("q", &json!(to))] })
    };
    // the bank `small` may send 5 a day and 1 a second, after 1000 at once
    let small = |count| scene.answer(scene.bearer_post(SMALL, &body(0, count)));
    let (status, answer) = small(6).await;
    assert_eq!((status, code(&answer)), (429, "quota_exceeded".to_owned()));
    assert_eq!(code(&small(5).await.1), "ok");
    assert_eq!(code(&small(1).await.1), "quota_exceeded");
    let (status, answer) = small(1000).await;
    assert_eq!((status, code(&answer)), (429, "rate_exceeded".to_owned()));
    // of the others, nobody notices
    assert_eq!(scene.post(&one("r-1")).await.0, 200);

    scene.waiting.learn(scene::MOST_WAITING);
    let (status, answer) = scene.post(&one("r-2")).await;
    assert_eq!((status, code(&answer)), (503, "queue_full".to_owned()));
    scene.waiting.learn(0);

    let first = scene.door_client("core").enter(crate::door::Purpose::Work).unwrap();
    let second = scene.door_client("core").enter(crate::door::Purpose::Work).unwrap();
    let (status, answer) = scene.post(&one("r-3")).await;
    assert_eq!((status, code(&answer)), (429, "too_many_at_once".to_owned()));
    assert_eq!(scene.get("/v1/reports").await.0, 200);
    drop((first, second));
    assert_eq!(scene.post(&one("r-3")).await.0, 200);
}

#[tokio::test]
async fn a_poll_is_woken_by_what_comes_and_goes_on_behind_it() {
    let scene = Scene::start().await;
    let (_, answer) = scene.post(&one("r-1")).await;
    let id = answer["results"][0]["recipients"][0]["uaop_id"].as_str().unwrap().to_owned();
    assert_eq!(scene.get("/v1/reports").await.1, json!({ "items": [], "next": null }));
    let poll = scene.get("/v1/reports?wait=60&kinds=report");
    let come = async {
        while scene.families.polls.get() == 0 {
            tokio::task::yield_now().await;
        }
        scene.keep(vec![(6, mo("m-1")), (7, report(&id, 1))]).await;
    };
    let ((status, answer), ()) = tokio::join!(poll, come);
    assert_eq!((status, answer["items"].as_array().unwrap().len()), (200, 1));
    assert_eq!(answer["items"][0]["kind"], "report");
    assert_eq!((&answer["items"][0]["reference"], &answer["next"]), (&json!("r-1"), &json!(7)));
    let (_, answer) = scene.get("/v1/reports?after=5&most=1").await;
    assert_eq!((&answer["items"][0]["kind"], &answer["next"]), (&json!("mo"), &json!(6)));
    assert_eq!(scene.get("/v1/reports?after=6&kinds=mo").await.1, json!({ "items": [], "next": 7 }));
    let (_, found) = scene.get(&format!("/v1/messages/{id}")).await;
    assert_eq!((&found["state"], &found["report"]["word"]), (&json!("delivered"), &json!("DELIVRD")));
}

#[tokio::test]
async fn a_poll_ends_when_the_process_stops() {
    let scene = Scene::start().await;
    let poll = scene.get("/v1/reports?wait=60");
    let stop = async {
        while scene.families.polls.get() == 0 {
            tokio::task::yield_now().await;
        }
        scene.stopping.send_replace(true);
    };
    let ((status, answer), ()) = tokio::join!(poll, stop);
    assert_eq!((status, answer), (200, json!({ "items": [], "next": null })));
}

#[tokio::test]
async fn it_is_ready_with_store_and_uaop_and_degraded_without_the_bus() {
    let scene = Scene::start().await;
    let ready =
        || async { scene.plain("GET /readyz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await };
    assert!(ready().await.contains("200 OK") && ready().await.ends_with("ready\n"));
    scene.standing.bus(Some("on purpose".to_owned()));
    assert!(ready().await.ends_with("ready, degraded: no reports come: on purpose\n"));
    scene.pool.send_replace(false);
    assert!(ready().await.ends_with("no UAOP is usable\n"));
    scene.pool.send_replace(true);
    scene.standing.store(Some("on purpose".to_owned()));
    assert!(ready().await.contains("503"));
    scene.standing.store(None);
    scene.stopping.send_replace(true);
    assert!(ready().await.ends_with("stopping\n"));
    assert!(
        scene.plain("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.ends_with("ok\n")
    );
}

#[tokio::test]
async fn the_proxy_header_of_a_trusted_peer_names_the_source() {
    let scene = Scene::behind_proxy().await;
    let (scene, (head, body)) = (&scene, scene.bearer_post(NEAR, &one("r-1")));
    let send = |prefix: &str| {
        let request = format!("{prefix}{head}{}", String::from_utf8(body.clone()).unwrap());
        async move { scene.plain(&request.replace("Connection: keep-alive", "Connection: close")).await }
    };
    let near = send("PROXY TCP4 192.0.2.7 192.0.2.1 4000 8080\r\n").await;
    assert!(near.starts_with("HTTP/1.1 200"), "{near}");
    let far = send("PROXY TCP4 198.51.100.7 192.0.2.1 4000 8080\r\n").await;
    assert!(far.starts_with("HTTP/1.1 403") && far.contains("198.51.100.7"), "{far}");
    assert_eq!(send("").await, "");
}

#[tokio::test]
async fn a_clock_that_has_jumped_ends_no_message() {
    let scene = Scene::start().await;
    let mut body = one("r-1");
    body["messages"][0]["not_after"] = json!(TestClock::START - 1);
    assert_eq!(scene.post(&body).await.1["results"][0]["error"]["code"], "bad_not_after");
    scene.clock.steady.store(false, Ordering::SeqCst);
    assert_eq!(scene.post(&body).await.1["results"][0]["status"], "accepted");
}

#[test]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi-empi.json");
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    let served = document();
    if kept != served {
        let new = std::env::temp_dir().join("openapi-empi.json");
        std::fs::write(&new, &served).unwrap();
        panic!("docs/openapi-empi.json differs from what is served, which is in {}", new.display());
    }
    assert!(served.contains("\"openapi\": \"3.1.0\""));
}

/// Whether a value is one of a type of the document.
fn is(name: &str, value: &Value) -> bool {
    let document: Value = serde_json::from_str(&document()).unwrap();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": document["components"],
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty() || name == "Submit", "{name}: {errors:?}: {value}");
    errors.is_empty()
}

#[tokio::test]
async fn what_is_asked_and_answered_is_as_the_document_says() {
    let scene = Scene::start().await;
    let page = include_str!("../../../../docs/empi.md");
    let mut seen = 0;
    for block in page.split("```json\n").skip(1) {
        let (name, text) = block.split("```").next().unwrap().split_once('\n').unwrap();
        let name = name.strip_prefix("// ").unwrap();
        assert!(is(name, &serde_json::from_str(text).unwrap()), "{name}");
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
    assert!(!is(
        "Submit",
        &json!({ "messages": [{ "reference": "a b", "to": "1", "text": "t", "class": "c" }] })
    ));
    let mixed = json!({ "messages": [message("r-1", &json!(["13800138001", "12x"])), message("r-2", &json!("138"))] });
    assert!(is("Submit", &mixed));
    let (_, answer) = scene.post(&mixed).await;
    assert!(is("Submitted", &answer));
    let id = answer["results"][0]["recipients"][0]["uaop_id"].as_str().unwrap().to_owned();
    is("Failure", &scene.post(&json!({})).await.1);
    scene.keep(vec![(1, report(&id, 1)), (2, report("stranger", 1)), (3, mo("m"))]).await;
    let (_, reports) = scene.get("/v1/reports").await;
    assert_eq!(reports["items"].as_array().unwrap().len(), 3);
    is("Reports", &reports);
    is("MessageState", &scene.get(&format!("/v1/messages/{id}")).await.1);
    is("Messages", &scene.get("/v1/messages?reference=r-1").await.1);
    let served = scene.plain("GET /openapi.json HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(served.ends_with(&document()));
}

#[tokio::test]
async fn a_token_is_as_good_as_a_signature_where_it_was_agreed() {
    let scene = Scene::start().await;
    assert_eq!(scene.answer(scene.bearer(TOKEN)).await.0, 200);
    assert!(scene.address.ip() == IpAddr::from([127, 0, 0, 1]));
}
