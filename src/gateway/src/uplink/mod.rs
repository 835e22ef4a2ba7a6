//! The uplink: HTTP over a Unix socket, NDJSON in both directions. `POST /messages` hands messages in, `GET /events` tells
//! what became of them and what the carriers bring, `GET /status` says how the gateway stands.

mod consumers;
pub mod lines;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::{GatewayId, Millis};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::account::level::{Board, Level};
use crate::engine::Engine;
use consumers::Consumers;
use lines::{Answer, Numbered};

/// The largest request, in bytes.
const LARGEST: usize = 4 << 20;
/// The longest a request for events may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Events in one answer, unless asked otherwise, and at most.
const EVENTS: usize = 1000;
const MOST_EVENTS: usize = 10_000;

/// What the uplink serves.
pub struct Uplink {
    pub engine: Engine,
    pub gateway: GatewayId,
    pub epoch: Millis,
    pub boards: Vec<Board>,
    /// Rung when there are events.
    pub events: Arc<Notify>,
    consumers: Mutex<Consumers>,
}

#[derive(Debug, Deserialize)]
struct Wanted {
    /// Whoever gives no name only looks: nothing is acknowledged.
    consumer: Option<String>,
    #[serde(default)]
    after: i64,
    most: Option<usize>,
    /// Seconds.
    #[serde(default)]
    wait: f64,
}

/// How the gateway stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    pub gateway: GatewayId,
    pub epoch: Millis,
    pub version: String,
    pub accounts: Vec<Level>,
    pub spool: SpoolStatus,
}

/// How much the spool holds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// Messages whose outcome is not known.
    pub unfinished: u64,
    /// Events that are not acknowledged.
    pub events: u64,
}

impl Uplink {
    #[must_use]
    pub fn new(
        engine: Engine,
        gateway: GatewayId,
        epoch: Millis,
        boards: Vec<Board>,
        events: Arc<Notify>,
    ) -> Self {
        Self { engine, gateway, epoch, boards, events, consumers: Mutex::default() }
    }

    /// How the gateway stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let counts = self.engine.spool.counts();
        Status {
            gateway: self.gateway.clone(),
            epoch: self.epoch,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            accounts: self.boards.iter().map(Board::read).collect(),
            spool: SpoolStatus { unfinished: counts.unfinished, events: counts.events },
        }
    }

    /// Acknowledges for a consumer; what all have is deleted.
    fn acknowledge(&self, consumer: &str, after: i64) {
        let mut consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(up_to) = consumers.acknowledge(consumer, after, Instant::now()) {
            // what cannot be deleted now is told again after a restart: nothing is lost
            let _ = self.engine.spool.acknowledge(up_to, |_| {});
        }
    }
}

/// The routes.
pub fn router(uplink: Arc<Uplink>) -> Router {
    Router::new()
        .route("/messages", post(messages))
        .route("/events", get(events))
        .route("/status", get(async |State(uplink): State<Arc<Uplink>>| Json(uplink.status())))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(uplink)
}

async fn messages(State(uplink): State<Arc<Uplink>>, body: String) -> Response {
    let read = match lines::read(&body) {
        Ok(read) => read,
        Err(error) => return (StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n")).into_response(),
    };
    let mut submissions = Vec::with_capacity(read.len());
    let places: Vec<Result<domain::UaopId, Answer>> = read
        .into_iter()
        .map(|line| {
            line.map(|submission| {
                let id = submission.uaop_id.clone();
                submissions.push(submission);
                id
            })
        })
        .collect();
    let mut verdicts = uplink.engine.take(submissions).await.into_iter();
    let answers = places.into_iter().filter_map(|place| match place {
        Ok(id) => {
            verdicts.next().map(|verdict| Answer { uaop_id: Some(id), line: None, taken: verdict.into() })
        }
        Err(answer) => Some(answer),
    });
    ndjson(answers)
}

async fn events(State(uplink): State<Arc<Uplink>>, Query(wanted): Query<Wanted>) -> Response {
    if let Some(consumer) = &wanted.consumer {
        uplink.acknowledge(consumer, wanted.after);
    }
    let most = wanted.most.unwrap_or(EVENTS).min(MOST_EVENTS);
    let wait = Duration::try_from_secs_f64(wanted.wait).unwrap_or_default().min(LONGEST_WAIT);
    let end = tokio::time::Instant::now() + wait;
    loop {
        let mut rung = std::pin::pin!(uplink.events.notified());
        // from now on, not from the first poll on: an event between the reading and the waiting must not be missed
        rung.as_mut().enable();
        let spool = uplink.engine.spool.clone();
        let read = tokio::task::spawn_blocking(move || spool.events(wanted.after, most)).await;
        let failed = match read {
            Ok(Ok(events)) if !events.is_empty() => {
                return ndjson(events.into_iter().map(|(id, event)| Numbered { id, event }));
            }
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = failed {
            return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
        }
        if tokio::time::timeout_at(end, rung).await.is_err() {
            return ndjson(std::iter::empty::<Numbered>());
        }
    }
}

fn ndjson(lines: impl Iterator<Item = impl Serialize>) -> Response {
    let mut body = Vec::new();
    for line in lines {
        if let Err(error) = serde_json::to_writer(&mut body, &line) {
            return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
        }
        body.push(b'\n');
    }
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}
