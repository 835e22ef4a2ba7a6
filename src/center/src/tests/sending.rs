//! What operators send, and send again.

use std::sync::Mutex;

use async_trait::async_trait;
use domain::UaopId;
use domain::event::Outcome;
use link::{Identity, Intake, Offer, Role, Standing, Verdict};
use serde_json::json;
use tokio::sync::watch;

use super::api::ask;
use super::*;

const TO: &str = "13800138000";

/// A UAOP that has no route for the class `nowhere`.
struct Uaop {
    taken: Mutex<Vec<Submission>>,
    standing: watch::Sender<Standing>,
}

#[async_trait]
impl Intake for Uaop {
    async fn take(&self, from: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        assert_eq!(from.role, Role::Center);
        let verdict = |Offer { submission, .. }: Offer| {
            if submission.class.as_str() == "nowhere" {
                return Verdict::Refused { reason: "no route".to_owned() };
            }
            self.taken.lock().unwrap().push(submission);
            Verdict::Taken { duplicate: false }
        };
        offers.into_iter().map(verdict).collect()
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        Ok(vec![false; ids.len()])
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }
}

fn with_uaop(address: SocketAddr) -> Config {
    let text = format!(
        "node: c1\nsite: dc-1\nstore: {{ sqlite: /unused }}\nbus: {{ embedded: /unused }}\n\
         uaops: {{ servers: [ {{ name: u1, address: \"{address}\" }} ] }}\n"
    );
    let uaops = crate::config::read(&text).unwrap_or_else(|faults| panic!("{faults:#?}")).uaops;
    assert!(uaops.is_some());
    Config { uaops, ..config() }
}

/// A center whose UAOP does not answer: what is ordered waits.
async fn without_uaop() -> Scene {
    Scene::on(FakeBus::new(), FakeStore::default(), with_uaop("127.0.0.1:9".parse().unwrap())).await
}

async fn post(scene: &Scene, path: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
    ask(scene.api, "POST", path, DESK, &body.to_string()).await
}

fn outcomes(answer: &serde_json::Value) -> Vec<&str> {
    answer.as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_same_reference_sends_nothing_twice() {
    let scene = without_uaop().await;
    let order = json!({ "to": [TO, "x", "+8613800138000", "13900139000"], "text": "hi", "class": "notice", "reference": "r1" });
    let (status, answer) = post(&scene, "/v1/send", &order).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(outcomes(&answer), ["ordered", "refused", "duplicate", "ordered"]);
    let (_, again) = post(&scene, "/v1/send", &order).await;
    assert_eq!(outcomes(&again), ["duplicate", "refused", "duplicate", "duplicate"]);
    assert_eq!(again[0]["uaop_id"], answer[0]["uaop_id"]);
    let other = json!({ "to": [TO], "text": "hi", "class": "notice", "reference": "r2" });
    assert_eq!(outcomes(&post(&scene, "/v1/send", &other).await.1), ["ordered"]);
    let store = scene.store.open();
    assert_eq!(store.waiting.len(), 3);
    let sent = &store.waiting[0];
    assert_eq!((sent.empi_id.as_str(), sent.to.digits(), sent.text.0.as_str()), ("center", TO, "hi"));
    assert_eq!(sent.uaop_id.as_str().len(), 26);
}

#[tokio::test]
async fn a_reference_for_another_text_is_refused() {
    let scene = without_uaop().await;
    let order = |text: &str| json!({ "to": [TO], "text": text, "class": "notice", "reference": "r1" });
    let (_, answer) = post(&scene, "/v1/send", &order("one")).await;
    let sent = scene.store.open().waiting[0].clone();
    assert_eq!(answer[0]["uaop_id"], sent.uaop_id.as_str());
    scene.bus.put(COPIES, json(&copy(sent)));
    scene.until("its copy", |bus, _| bus.committed(COPIES) == 1).await;
    let (_, answer) = post(&scene, "/v1/send", &order("two")).await;
    assert_eq!(outcomes(&answer), ["refused"]);
    assert!(answer[0]["reason"].as_str().unwrap().contains("another text"));
    assert_eq!(outcomes(&post(&scene, "/v1/send", &order("one")).await.1), ["duplicate"]);
}

#[tokio::test]
async fn an_order_that_is_wrong_is_refused_as_a_whole() {
    let scene = without_uaop().await;
    let good = json!({ "to": [TO], "text": "hi", "class": "notice", "reference": "r1" });
    for (key, value) in [
        ("to", json!([])),
        ("to", json!(vec![TO; 1001])),
        ("text", json!("")),
        ("text", json!("a\0b")),
        ("class", json!("a b")),
        ("reference", json!("")),
        ("priority", json!(10)),
    ] {
        let mut order = good.clone();
        order[key] = value;
        let (status, answer) = post(&scene, "/v1/send", &order).await;
        assert_eq!(status, 400, "{key}: {answer}");
    }
    for (key, value) in [("colour", json!("red")), ("to", json!(TO))] {
        let mut order = good.clone();
        order[key] = value;
        assert_eq!(post(&scene, "/v1/send", &order).await.0, 422, "{key}");
    }
    assert_eq!(ask(scene.api, "POST", "/v1/send", DESK, "{").await.0, 400);
    assert!(scene.store.open().orders.is_empty());
}

#[tokio::test]
async fn messages_are_sent_again_under_new_ids_if_nothing_speaks_against_it() {
    let scene = without_uaop().await;
    let mut code = submission("code");
    code.class = "verification".parse().unwrap();
    for message in [submission("failed"), submission("open"), code] {
        scene.bus.put(COPIES, json(&copy(message)));
    }
    let uaop_id = "failed".parse().unwrap();
    let outcome = Outcome::Refused { code: Some(1), reason: "no".to_owned() };
    scene.bus.put(EVENTS, json(&told("u1", Happened::Finished { uaop_id, outcome })));
    scene.until("joined", |bus, _| (bus.committed(COPIES), bus.committed(EVENTS)) == (3, 1)).await;

    let ids = json!({ "ids": ["failed", "open", "code", "nobody", "a b", "failed"] });
    let (status, answer) = post(&scene, "/v1/resend", &ids).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(outcomes(&answer), ["ordered", "refused", "refused", "unknown", "unknown", "refused"]);
    assert_eq!(answer[0]["resend_id"], "failed-r1");
    let anyway = json!({ "ids": ["failed", "open", "code"], "anyway": true });
    let (_, answer) = post(&scene, "/v1/resend", &anyway).await;
    assert_eq!(outcomes(&answer), ["ordered", "ordered", "refused"]);
    assert_eq!((&answer[0]["resend_id"], &answer[1]["resend_id"]), (&json!("failed-r2"), &json!("open-r1")));
    let store = scene.store.open();
    let (again, of) = &store.orders[&"failed-r1".parse().unwrap()];
    assert_eq!(of.as_ref().unwrap().as_str(), "failed");
    assert_eq!((again.empi_id.as_str(), again.to.digits(), again.text.0.as_str()), ("center", TO, "hello"));
}

#[tokio::test]
async fn what_is_ordered_goes_to_a_uaop_and_what_that_refuses_shows_as_refused() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let standing = watch::Sender::new(Standing { ready: true, reason: String::new() });
    let uaop = Arc::new(Uaop { taken: Mutex::default(), standing });
    let me = Identity { role: Role::Uaop, node: "u1".to_owned(), site: "dc-1".to_owned() };
    tokio::spawn(link::serve(
        listener,
        me,
        Arc::clone(&uaop) as Arc<dyn Intake>,
        None,
        std::future::pending(),
    ));

    let scene = Scene::on(FakeBus::new(), FakeStore::default(), with_uaop(address)).await;
    for class in ["notice", "nowhere"] {
        let order = json!({ "to": [TO], "text": "hi", "class": class, "reference": class });
        assert_eq!(outcomes(&post(&scene, "/v1/send", &order).await.1), ["ordered"]);
    }
    scene.until("both have left", |_, store| store.open().waiting.is_empty()).await;
    let taken: Vec<String> = uaop.taken.lock().unwrap().iter().map(|one| one.class.to_string()).collect();
    assert_eq!(taken, ["notice"]);
    let (_, messages) = ask(scene.api, "GET", "/v1/messages", DESK, "").await;
    let shown = &messages["messages"][0];
    assert_eq!((&shown["class"], &shown["state"]), (&json!("nowhere"), &json!("refused")));
    let (_, state) = ask(scene.api, "GET", "/v1/status", DESK, "").await;
    assert_eq!((&state["uaops"][0]["name"], &state["uaops"][0]["usable"]), (&json!("u1"), &json!(true)));
}
