//! The routes of the control port.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};

use super::api::{
    AccountStatus, ConnectionStatus, Disconnect, Disconnected, MoRequest, MoTaken, Page, Problem,
};
use crate::account::Account;
use crate::behaviour::Behaviour;
use crate::config::read_behaviour;
use crate::metrics::Counts;
use crate::record::Message;
use crate::service::{Mo, Shared};

/// The most messages of one answer.
const PAGE: usize = 1000;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/messages", get(messages))
        .route("/counts", get(counts))
        .route("/accounts", get(accounts))
        .route("/accounts/{name}/behaviour", put(behaviour))
        .route("/mo", post(mo))
        .route("/disconnect", post(disconnect))
        .with_state(shared)
}

async fn messages(
    State(shared): State<Arc<Shared>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Vec<Message>>, Refused> {
    let Query(page) = page?;
    let record = shared.record().ok_or_else(|| {
        Refused::new(StatusCode::NOT_FOUND, "there is no record; add `record: /a/path` to the file")
    })?;
    let limit = page.limit.unwrap_or(PAGE).min(PAGE);
    let ended = |error| Refused::new(StatusCode::SERVICE_UNAVAILABLE, error);
    record.read(page.after, limit).await.map(Json).map_err(ended)
}

async fn counts(State(shared): State<Arc<Shared>>) -> Json<BTreeMap<String, Counts>> {
    let counts = |account: &Arc<Account>| (account.config.name.clone(), account.counters.counts());
    Json(shared.accounts.iter().map(counts).collect())
}

async fn accounts(State(shared): State<Arc<Shared>>) -> Result<Json<Vec<AccountStatus>>, Refused> {
    shared.accounts.iter().map(|account| status(account)).collect::<Result<_, _>>().map(Json)
}

async fn behaviour(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    text: String,
) -> Result<Json<Behaviour>, Refused> {
    let account = named(&shared, &name)?;
    let behaviour = read_behaviour(&text, &account.config).map_err(|faults| {
        let problem = Problem { error: "this is not a behaviour".to_owned(), faults };
        Refused(StatusCode::BAD_REQUEST, problem)
    })?;
    tracing::info!(account = name, "behaviour changed");
    account.set_behaviour(behaviour.clone());
    Ok(Json(behaviour))
}

async fn mo(
    State(shared): State<Arc<Shared>>,
    request: Result<Json<MoRequest>, JsonRejection>,
) -> Result<Json<MoTaken>, Refused> {
    let Json(request) = request?;
    let account = named(&shared, &request.account)?;
    let mo = Mo { from: &request.from, to: &request.to, text: &request.text, coding: request.coding };
    let refused = |error| Refused::new(StatusCode::BAD_REQUEST, error);
    shared.send_mo(account, &mo).map(|parts| Json(MoTaken { parts })).map_err(refused)
}

async fn disconnect(
    State(shared): State<Arc<Shared>>,
    request: Result<Json<Disconnect>, JsonRejection>,
) -> Result<Json<Disconnected>, Refused> {
    let Json(Disconnect { account, how, connection }) = request?;
    let connections = named(&shared, &account)?.end(connection, how);
    tracing::info!(account, ?how, connections, "disconnected on request");
    Ok(Json(Disconnected { connections }))
}

fn named<'a>(shared: &'a Shared, name: &str) -> Result<&'a Arc<Account>, Refused> {
    shared.named(name).ok_or_else(|| {
        let known: Vec<&str> = shared.accounts.iter().map(|account| &*account.name).collect();
        let error = format!("no account is called `{name}`; there are {}", known.join(", "));
        Refused::new(StatusCode::NOT_FOUND, error)
    })
}

fn status(account: &Account) -> Result<AccountStatus, Refused> {
    let config = &account.config;
    let behaviour = serde_json::to_value(&**account.behaviour().borrow())
        .map_err(|error| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    Ok(AccountStatus {
        name: config.name.clone(),
        protocol: config.protocol.name().to_owned(),
        id: config.id.to_text().into_owned(),
        behaviour,
        connections: account.links(|id, link| ConnectionStatus {
            id,
            peer: link.peer,
            since: link.since.0,
            dialled: link.dialled,
            carries: link.carries,
            window: config.window,
            submits: link.load.submits,
            deliveries: link.load.deliveries,
        }),
    })
}

/// An answer that says why not.
#[derive(Debug)]
struct Refused(StatusCode, Problem);

impl Refused {
    fn new(status: StatusCode, error: impl ToString) -> Self {
        Self(status, Problem { error: error.to_string(), faults: Vec::new() })
    }
}

impl From<JsonRejection> for Refused {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<QueryRejection> for Refused {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}
