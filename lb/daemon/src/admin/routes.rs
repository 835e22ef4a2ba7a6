//! Who answers what.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use settings::Fault;

use super::api::{Asked, Problem, SetState, SetWeight, Which};
use crate::control::{Control, OperateError, Refusal};

pub(super) fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/reload", post(reload))
        .route("/plan", post(plan))
        .route("/pools/{pool}/servers/{server}/state", post(set_state))
        .route("/pools/{pool}/servers/{server}/weight", post(set_weight))
        .route("/timeline", get(timeline))
        .route("/vrrp/{name}", get(virtual_router))
        .route("/vrrp/{name}/release", post(release))
        .route("/vrrp/{name}/take", post(take))
        .with_state(control)
}

async fn status(State(control): State<Arc<Control>>) -> Response {
    Json(control.report()).into_response()
}

async fn reload(State(control): State<Arc<Control>>) -> Response {
    match control.reload() {
        Ok(plan) => Json(plan).into_response(),
        Err(Refusal::Stopping) => {
            problem(StatusCode::CONFLICT, "lb is stopping; start it again".to_owned(), Vec::new())
        }
        Err(Refusal::Unreadable(error)) => problem(StatusCode::UNPROCESSABLE_ENTITY, error, Vec::new()),
        Err(Refusal::Faults(faults)) => refused(faults),
    }
}

async fn plan(State(control): State<Arc<Control>>, text: String) -> Response {
    match control.preview(&text) {
        Ok(previews) => Json(previews).into_response(),
        Err(faults) => refused(faults),
    }
}

async fn set_state(
    State(control): State<Arc<Control>>,
    Path((pool, server)): Path<(String, String)>,
    Json(body): Json<SetState>,
) -> Response {
    operated(control.set_state(&pool, &server, body.state))
}

async fn set_weight(
    State(control): State<Arc<Control>>,
    Path((pool, server)): Path<(String, String)>,
    Json(body): Json<SetWeight>,
) -> Response {
    operated(control.set_weight(&pool, &server, body.weight))
}

async fn timeline(State(control): State<Arc<Control>>, Query(which): Query<Which>) -> Response {
    Json(control.timeline().entries(which.after, which.last)).into_response()
}

async fn virtual_router(State(control): State<Arc<Control>>, Path(name): Path<String>) -> Response {
    operated(control.virtual_router(&name))
}

async fn release(State(control): State<Arc<Control>>, Path(name): Path<String>) -> Response {
    operated(control.release(&name).map(|sequence| Asked { sequence }))
}

async fn take(State(control): State<Arc<Control>>, Path(name): Path<String>) -> Response {
    operated(control.take(&name).map(|sequence| Asked { sequence }))
}

fn operated<T: Serialize>(result: Result<T, OperateError>) -> Response {
    match result {
        Ok(outcome) => Json(outcome).into_response(),
        Err(error) => problem(StatusCode::NOT_FOUND, error.to_string(), Vec::new()),
    }
}

fn refused(faults: Vec<Fault>) -> Response {
    let error = "the configuration has faults; the old one goes on".to_owned();
    problem(StatusCode::UNPROCESSABLE_ENTITY, error, faults)
}

fn problem(status: StatusCode, error: String, faults: Vec<Fault>) -> Response {
    (status, Json(Problem { error, faults })).into_response()
}
