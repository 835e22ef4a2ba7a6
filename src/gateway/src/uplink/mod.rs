//! The uplink: HTTP over a Unix socket, NDJSON in both directions. `POST /messages` hands messages in, `GET /events` tells
//! what became of them and what the carriers bring, `GET /status` says how the gateway stands.

mod consumers;
mod events;
pub mod lines;
#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::{GatewayId, Millis};
use serde::{Deserialize, Serialize};
use store::spool::Consumer;
use tokio::sync::{Notify, watch};

use crate::account::level::{Board, Level};
use crate::engine::Engine;
use consumers::Consumers;
use lines::Answer;

/// The largest request, in bytes.
const LARGEST: usize = 4 << 20;
/// The longest a request for events may wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the uplink serves.
pub struct Uplink {
    pub engine: Engine,
    pub gateway: GatewayId,
    pub epoch: Millis,
    pub boards: Vec<Board>,
    /// Rung when there are events.
    pub events: Arc<Notify>,
    /// `true` from when the gateway stops.
    pub stopping: watch::Receiver<bool>,
    consumers: Mutex<Consumers>,
    /// Whether the spool does not have what is known of the consumers.
    unwritten: Arc<AtomicBool>,
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
    /// `consumers` are those of the last run.
    #[must_use]
    pub fn new(
        engine: Engine,
        gateway: GatewayId,
        epoch: Millis,
        boards: Vec<Board>,
        events: Arc<Notify>,
        stopping: watch::Receiver<bool>,
        consumers: Vec<Consumer>,
    ) -> Self {
        let consumers = Mutex::new(Consumers::new(consumers, Instant::now()));
        Self { engine, gateway, epoch, boards, events, stopping, consumers, unwritten: Arc::default() }
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
}

/// The routes.
pub fn router(uplink: Arc<Uplink>) -> Router {
    Router::new()
        .route("/messages", post(messages))
        .route("/events", get(events::events))
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
    let verdicts = if *uplink.stopping.borrow() {
        uplink.engine.refuse(submissions.len())
    } else {
        uplink.engine.take(submissions).await
    };
    let mut verdicts = verdicts.into_iter();
    let answers = places.into_iter().filter_map(|place| match place {
        Ok(id) => {
            verdicts.next().map(|verdict| Answer { uaop_id: Some(id), line: None, taken: verdict.into() })
        }
        Err(answer) => Some(answer),
    });
    ndjson(answers)
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
