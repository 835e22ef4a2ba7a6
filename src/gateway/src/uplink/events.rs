//! `GET /events`: telling, and being told up to where it was understood.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{Uplink, lines, ndjson};
use crate::events::{LONGEST_WAIT, Untold};

/// Events in one answer, unless asked otherwise, and at most.
const EVENTS: usize = 1000;
const MOST_EVENTS: usize = 10_000;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Whoever gives no name only looks: nothing is acknowledged.
    pub(super) consumer: Option<String>,
    #[serde(default)]
    pub(super) after: i64,
    pub(super) most: Option<usize>,
    /// Seconds.
    #[serde(default)]
    pub(super) wait: f64,
}

pub(super) async fn events(State(uplink): State<Arc<Uplink>>, Query(wanted): Query<Wanted>) -> Response {
    let told = tell(&uplink, &wanted).await;
    if let Some(consumer) = &wanted.consumer {
        uplink.events.seen(consumer);
    }
    match told {
        Ok(lines) => ndjson(lines),
        Err(untold) => (status(&untold), format!("{untold}\n")).into_response(),
    }
}

async fn tell(uplink: &Uplink, wanted: &Wanted) -> Result<Vec<u8>, Untold> {
    let after = wanted.after.max(0);
    match &wanted.consumer {
        Some(consumer) => uplink.events.acknowledge(consumer, after).await?,
        None => uplink.events.exists(after).await?,
    }
    let most = wanted.most.unwrap_or(EVENTS).min(MOST_EVENTS);
    let wait = Duration::try_from_secs_f64(wanted.wait).unwrap_or_default().min(LONGEST_WAIT);
    let mut stopping = uplink.stopping.clone();
    let end = async {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // whoever could say so being gone says it too
            _ = stopping.wait_for(|&stopping| stopping) => {}
        }
    };
    let mut lines = Vec::new();
    for (id, event) in uplink.events.after(after, most, end).await? {
        lines::number(id, &event, &mut lines);
    }
    Ok(lines)
}

fn status(untold: &Untold) -> StatusCode {
    match untold {
        Untold::Name => StatusCode::BAD_REQUEST,
        Untold::Beyond { .. } => StatusCode::CONFLICT,
        Untold::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Untold::NotJoined(_) => StatusCode::SERVICE_UNAVAILABLE,
        Untold::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
