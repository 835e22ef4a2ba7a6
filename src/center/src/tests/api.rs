//! What operators ask and do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// Status and body of an answer; JSON null if it is not JSON.
pub async fn ask(
    api: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> (u16, serde_json::Value) {
    let mut stream = TcpStream::connect(api).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: center\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn get(scene: &Scene, path: &str, token: &str) -> (u16, serde_json::Value) {
    ask(scene.api, "GET", path, token, "").await
}

async fn filled(messages: usize) -> Scene {
    let scene = Scene::start().await;
    for number in 0..messages {
        scene.bus.put(COPIES, json(&copy(submission(&format!("m-{number:03}")))));
    }
    scene.until("joined", |bus, _| bus.committed(COPIES) == messages).await;
    scene
}

#[tokio::test]
async fn only_who_has_a_token_the_right_and_the_address_is_answered() {
    let scene = Scene::start().await;
    let path = "/v1/messages";
    for (token, status) in [(WATCH, 200), (DESK, 200), ("", 401), ("watch", 401), (FAR, 403)] {
        let (got, answer) = get(&scene, path, token).await;
        assert_eq!(got, status, "{token}: {answer}");
        assert_eq!(answer["error"].is_string(), status != 200, "{answer}");
    }
    for path in ["/v1/resend", "/v1/send"] {
        let (status, answer) = ask(scene.api, "POST", path, WATCH, "{}").await;
        assert_eq!(status, 403, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains("no right to send"));
    }
    let (status, document) = get(&scene, "/openapi.json", "").await;
    assert_eq!((status, document["paths"]["/v1/messages"]["get"].is_object()), (200, true));
    assert_eq!(get(&scene, "/v2", WATCH).await.0, 404);
}

#[tokio::test]
async fn numbers_and_texts_are_shown_to_those_who_may_see_them() {
    let scene = filled(1).await;
    scene.bus.put(EVENTS, json(&told("u1", mo("1", "106900012"))));
    scene.bus.put(COPIES, "13800138000");
    scene.until("joined", |bus, store| bus.committed(EVENTS) == 1 && store.open().aside.len() == 1).await;
    for path in ["/v1/messages", "/v1/messages/m-000", "/v1/user-messages", "/v1/set-aside"] {
        let (status, masked) = get(&scene, path, WATCH).await;
        let masked = masked.to_string();
        assert_eq!(status, 200, "{masked}");
        for secret in ["13800138000", "13900139000", "hello", "TD", "MTM4MDAxMzgwMDA="] {
            assert!(!masked.contains(&format!("\"{secret}\"")), "{path}: {masked}");
        }
    }
    let (_, message) = get(&scene, "/v1/messages/m-000", DESK).await;
    assert_eq!((&message["to"], &message["text"]), (&"13800138000".into(), &"hello".into()));
    let (_, masked) = get(&scene, "/v1/messages/m-000", WATCH).await;
    assert_eq!((&masked["to"], &masked["text"]), (&"138****8000".into(), &serde_json::Value::Null));
    assert_eq!(masked["state"], "routed");
    let (_, aside) = get(&scene, "/v1/set-aside", DESK).await;
    assert_eq!(aside[0]["value"], "MTM4MDAxMzgwMDA=");
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap() {
    let scene = filled(25).await;
    let (mut path, mut ids) = ("/v1/messages?most=10".to_owned(), Vec::new());
    loop {
        let (status, page) = get(&scene, &path, WATCH).await;
        assert_eq!(status, 200);
        let rows = page["messages"].as_array().unwrap();
        ids.extend(rows.iter().map(|row| row["uaop_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/messages?most=10&after={next}");
    }
    let expected: Vec<String> = (0..25).rev().map(|number| format!("m-{number:03}")).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn reports_are_the_messages_that_have_an_end() {
    let scene = filled(25).await;
    for number in [3, 20] {
        let uaop_id = format!("m-{number:03}").parse().unwrap();
        let outcome = domain::event::Outcome::Expired;
        scene.bus.put(EVENTS, json(&told("u1", Happened::Finished { uaop_id, outcome })));
    }
    scene.until("joined", |bus, _| bus.committed(EVENTS) == 2).await;
    let (_, page) = get(&scene, "/v1/reports?most=2", WATCH).await;
    let ends: Vec<(&str, &str)> = page["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["uaop_id"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    assert_eq!(ends, [("m-020", "expired"), ("m-003", "expired")]);
    let (_, rest) =
        get(&scene, &format!("/v1/reports?most=2&after={}", page["next"].as_str().unwrap()), WATCH).await;
    assert_eq!((rest["messages"].as_array().unwrap().len(), &rest["next"]), (0, &serde_json::Value::Null));
}

#[tokio::test]
async fn a_question_that_is_wrong_is_told_what_is_wrong_with_it() {
    let scene = Scene::start().await;
    for (path, word) in [
        ("/v1/messages?most=0", "most"),
        ("/v1/messages?most=1001", "most"),
        ("/v1/messages?most=x", "most"),
        ("/v1/messages?from=noon", "from"),
        ("/v1/messages?to=1380013800x", "digits"),
        ("/v1/messages?empi=a%20b", "empi"),
        ("/v1/messages?state=lost", "state"),
        ("/v1/messages?colour=red", "colour"),
        ("/v1/messages/a%20b", "id"),
        ("/v1/figures?first=2026-03-01", "last"),
        ("/v1/figures?first=2026-03-02&last=2026-03-01", "last"),
        ("/v1/figures?first=2026-02-30&last=2026-03-01", "first"),
        ("/v1/figures?first=2024-01-01&last=2026-03-01", "last"),
    ] {
        let (status, answer) = get(&scene, path, WATCH).await;
        assert_eq!(status, 400, "{path}: {answer}");
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(word) && !error.contains("1380013800"), "{path}: {error}");
    }
    assert_eq!(get(&scene, "/v1/messages/m-unknown", WATCH).await.0, 404);
    let (status, figures) = get(&scene, "/v1/figures?first=2026-03-01&last=2026-03-31", WATCH).await;
    assert_eq!((status, &figures[0]["ends"]["delivered"]), (200, &3.into()));
    scene.store.open().away = true;
    let (status, answer) = get(&scene, "/v1/messages", WATCH).await;
    assert_eq!((status, answer["error"].is_string()), (503, true));
}

#[tokio::test]
async fn an_alarm_is_shown_and_somebody_says_that_he_knows() {
    let scene = Scene::start().await;
    let reason = "closed".to_owned();
    scene.bus.put(EVENTS, json(&told("u1", Happened::LinkDown { connection: 1, reason })));
    scene.until("joined", |bus, _| bus.committed(EVENTS) == 1).await;
    let (_, alarms) = get(&scene, "/v1/alarms", WATCH).await;
    assert_eq!((&alarms[0]["what"], &alarms[0]["severity"]), (&"link_down".into(), &"warning".into()));
    let (status, _) = ask(scene.api, "POST", "/v1/alarms/link_down/gw:cm:1/known", WATCH, "").await;
    assert_eq!(status, 204);
    assert_eq!(scene.store.open().known, [("link_down".to_owned(), "gw:cm:1".to_owned())]);
    assert_eq!(ask(scene.api, "POST", "/v1/alarms/link_down/other/known", WATCH, "").await.0, 404);
    assert_eq!(get(&scene, "/v1/orphans", WATCH).await, (200, serde_json::json!([])));
}

#[tokio::test]
async fn the_state_says_what_is_not_as_it_should_be() {
    let scene = Scene::start().await;
    scene.until("it reads", |bus, _| bus.has_topic(ALARMS)).await;
    let ready = async || loop {
        let (status, state) = get(&scene, "/v1/status", WATCH).await;
        assert_eq!(status, 200);
        if state["ready"] == true {
            break state;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let state = tokio::time::timeout(SOON, ready()).await.unwrap();
    assert_eq!(
        (&state["readers"][0]["reader"], &state["readers"][1]["reading"]),
        (&"facts".into(), &true.into())
    );
    assert_eq!((&state["node"], &state["uaops"]), (&"c1".into(), &serde_json::json!([])));
    let (status, answer) =
        ask(scene.api, "POST", "/v1/send", DESK, r#"{"to":["1"],"text":"x","class":"c","reference":"r"}"#)
            .await;
    assert_eq!(status, 503, "{answer}");
}
