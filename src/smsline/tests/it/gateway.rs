//! A gateway's uplink that answers as it is told here.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::watch;

/// Serves until it is dropped.
pub struct Gateway {
    pub inside: Arc<Inside>,
    dir: TempDir,
}

/// What it has seen and has to tell.
#[derive(Debug)]
pub struct Inside {
    /// The bodies of `POST /messages`.
    pub submitted: Mutex<Vec<String>>,
    /// The queries of `GET /events`.
    pub asked: Mutex<Vec<Wanted>>,
    /// There are events with the numbers from 1 to this one.
    pub events: watch::Sender<i64>,
    known: Mutex<BTreeSet<String>>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Wanted {
    pub consumer: Option<String>,
    pub after: i64,
    pub most: i64,
    pub wait: u64,
}

impl Gateway {
    pub fn start() -> Self {
        let inside = Arc::new(Inside {
            submitted: Mutex::default(),
            asked: Mutex::default(),
            events: watch::Sender::new(0),
            known: Mutex::default(),
        });
        let router = Router::new()
            .route("/messages", post(messages))
            .route("/events", get(events))
            .route("/status", get(async || status().to_string()))
            .with_state(Arc::clone(&inside));
        let gateway = Self { inside, dir: tempfile::tempdir().unwrap() };
        let listener = UnixListener::bind(gateway.path()).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        gateway
    }

    pub fn socket(&self) -> String {
        self.path().to_str().unwrap().to_owned()
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("gateway.sock")
    }
}

pub fn status() -> Value {
    json!({
        "gateway": "gw", "epoch": 1_790_000_000_000_u64, "version": "1.2.3",
        "accounts": [{
            "account": "cm-1", "protocol": "cmpp-3.0", "connections": [{ "connection": 0, "up": true }],
            "waiting": 1, "unfinished": 2, "under_way": 1, "rate_limit": null, "slowed": false, "alarms": [],
            "ready": true,
        }],
        "consumers": [{ "consumer": "uaop-1a", "acknowledged": 5, "unacknowledged": 7, "connected": true }],
        "spool": { "unfinished": 2, "events": 7, "most_events": 20_000_000 },
    })
}

async fn messages(State(inside): State<Arc<Inside>>, body: String) -> String {
    let answers = body.lines().zip(1..).map(|(line, number)| {
        let submission: Value = serde_json::from_str(line).unwrap_or_default();
        match submission["uaop_id"].as_str() {
            None => json!({ "line": number, "taken": "refused", "reason": "missing field", "again": false }),
            Some(id) if inside.known.lock().unwrap().insert(id.to_owned()) => {
                json!({ "uaop_id": id, "taken": "new" })
            }
            Some(id) => json!({ "uaop_id": id, "taken": "duplicate", "outcome": null }),
        }
    });
    let answers = answers.map(|answer| format!("{answer}\n")).collect();
    inside.submitted.lock().unwrap().push(body);
    answers
}

async fn events(State(inside): State<Arc<Inside>>, Query(wanted): Query<Wanted>) -> String {
    inside.asked.lock().unwrap().push(wanted.clone());
    let mut events = inside.events.subscribe();
    let wait = Duration::from_secs(wanted.wait);
    let _ = tokio::time::timeout(wait, events.wait_for(|last| *last > wanted.after)).await;
    let last = (*inside.events.borrow()).min(wanted.after + wanted.most);
    let event = |id| {
        json!({
            "id": id, "gateway": "gw", "epoch": 1, "account": "cm-1", "at": 1_790_000_000_000_i64 + id,
            "event": "mo", "mo_id": "00A1", "from": "13800138000", "to": "106900001", "text": "hello",
        })
    };
    (wanted.after + 1..=last).map(|id| format!("{}\n", event(id))).collect()
}
