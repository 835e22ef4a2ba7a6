//! How the center stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use link::LineState;
use serde::Serialize;
use utoipa::ToSchema;

use super::Desk;
use super::extract::{Failures, Reader, Refusal};
use crate::own::Own;

/// How the center stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Status {
    node: String,
    site: String,
    version: &'static str,
    ready: bool,
    /// Why it is not ready.
    reasons: Vec<String>,
    readers: Vec<Reading>,
    counts: Counts,
    /// Where messages of its own go.
    uaops: Vec<Uaop>,
}

/// A reader of the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Reading {
    reader: &'static str,
    reading: bool,
    /// Age of the oldest record that was read and is not joined.
    lag_seconds: u64,
}

/// How much there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Counts {
    messages: u64,
    open: u64,
    orphans: u64,
    set_aside: u64,
    outbox: u64,
    waiting: u64,
    alarms: u64,
}

/// A UAOP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Uaop {
    name: String,
    priority: u8,
    usable: bool,
    /// Who it is, or why there is no connection.
    line: String,
}

/// How the center stands.
#[utoipa::path(
    get,
    path = "/v1/status",
    responses((status = OK, body = Status), Failures),
    security(("token" = []))
)]
pub(super) async fn status(_reader: Reader, State(desk): State<Arc<Desk>>) -> Result<Json<Status>, Refusal> {
    let counts = desk.store.counts().await?;
    let now = desk.clock.now();
    let reasons = desk.standing.ready().err();
    let reasons: Vec<String> = reasons.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    Ok(Json(Status {
        node: desk.node.clone(),
        site: desk.site.clone(),
        version: env!("CARGO_PKG_VERSION"),
        ready: reasons.is_empty(),
        reasons,
        readers: desk
            .standing
            .lanes
            .iter()
            .map(|lane| Reading { reader: lane.name, reading: lane.reading(), lag_seconds: lane.lag(now) })
            .collect(),
        counts: Counts {
            messages: counts.messages,
            open: counts.open,
            orphans: counts.orphans,
            set_aside: counts.set_aside,
            outbox: counts.outbox,
            waiting: counts.waiting,
            alarms: counts.alarms,
        },
        uaops: desk.own.iter().flat_map(Own::servers).map(uaop).collect(),
    }))
}

fn uaop(server: link::ServerView) -> Uaop {
    let line = match &server.line {
        LineState::Down(reason) => reason.clone(),
        LineState::Up { peer, standing } if standing.ready => peer.to_string(),
        LineState::Up { peer, standing } => format!("{peer}, not ready: {}", standing.reason),
    };
    Uaop { name: server.name, priority: server.priority, usable: server.usable, line }
}
