//! The uplink: HTTP over a Unix socket, NDJSON in both directions. `POST /messages` hands messages in, `GET /events` tells
//! what became of them and what the carriers bring, `GET /status` says how the gateway stands.

mod events;
pub mod lines;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::{GatewayId, Millis};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::account::level::{Board, Level};
use crate::engine::Engine;
use crate::events::{ConsumerLevel, Events};
use lines::Answer;

/// The largest request, in bytes.
const LARGEST: usize = 4 << 20;

/// What the uplink serves.
pub struct Uplink {
    pub engine: Arc<Engine>,
    pub gateway: GatewayId,
    pub epoch: Millis,
    pub boards: Vec<Board>,
    pub events: Arc<Events>,
    /// Events that a consumer may lack; see [`SpoolStatus`].
    pub most_events: u32,
    /// `true` from when the gateway stops.
    pub stopping: watch::Receiver<bool>,
}

/// How the gateway stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    pub gateway: GatewayId,
    pub epoch: Millis,
    pub version: String,
    pub accounts: Vec<Level>,
    pub consumers: Vec<ConsumerLevel>,
    pub spool: SpoolStatus,
}

/// How much the spool holds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// Messages whose outcome is not known.
    pub unfinished: u64,
    /// Events that are not acknowledged.
    pub events: u64,
    /// A consumer that lacks more of them is not waited for, if another has them.
    pub most_events: u32,
}

impl Uplink {
    /// How the gateway stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let counts = self.engine.spool.counts();
        Status {
            gateway: self.gateway.clone(),
            epoch: self.epoch,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            accounts: self.boards.iter().map(Board::read).collect(),
            consumers: self.events.consumers(),
            spool: SpoolStatus {
                unfinished: counts.unfinished,
                events: counts.events,
                most_events: self.most_events,
            },
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
    let mut body = Vec::new();
    for answer in answers {
        if let Err(error) = serde_json::to_writer(&mut body, &answer) {
            return (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response();
        }
        body.push(b'\n');
    }
    ndjson(body)
}

fn ndjson(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}
