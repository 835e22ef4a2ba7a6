//! What fits nowhere, and is kept: reports without a message, records that cannot be understood.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Happened;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::extract::{Failures, Params, Reader, Refusal};
use super::messages::most;
use super::view::{Eyes, moment};

/// Which rows.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Rows after this one: `id` of the last that was shown.
    #[serde(default)]
    after: i64,
    /// Rows at most, 1 to 1000; 100 if it is not given.
    most: Option<usize>,
}

/// A report that nobody knows a message for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Orphan {
    id: i64,
    /// When it came.
    at: String,
    site: String,
    carrier: String,
    gateway: String,
    account: String,
    /// The carrier's id of the message.
    resp_sequence: Option<String>,
    report_sequence: Option<String>,
    /// Masked for operators without `numbers`.
    to: Option<String>,
    word: Option<String>,
    reason: Option<String>,
}

/// A record that was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Aside {
    id: i64,
    at: String,
    topic: String,
    partition: u32,
    offset: i64,
    error: String,
    /// In bytes.
    length: usize,
    /// Its bytes in base64; not shown to operators without `numbers`.
    value: Option<String>,
}

/// Reports whose message is not known.
#[utoipa::path(
    get,
    path = "/v1/orphans",
    params(After),
    responses((status = OK, body = Vec<Orphan>), Failures),
    security(("token" = []))
)]
pub(super) async fn orphans(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    Params(wanted): Params<After>,
) -> Result<Json<Vec<Orphan>>, Refusal> {
    let eyes = Eyes { numbers: operator.numbers };
    let rows = desk.store.orphans(wanted.after, most(wanted.most)?).await?;
    Ok(Json(rows.into_iter().map(|(id, view)| orphan(id, view, eyes)).collect()))
}

/// Records of the bus that cannot be understood, or have no owner.
#[utoipa::path(
    get,
    path = "/v1/set-aside",
    params(After),
    responses((status = OK, body = Vec<Aside>), Failures),
    security(("token" = []))
)]
pub(super) async fn set_aside(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    Params(wanted): Params<After>,
) -> Result<Json<Vec<Aside>>, Refusal> {
    let rows = desk.store.aside(wanted.after, most(wanted.most)?).await?;
    let shown = rows.into_iter().map(|(id, row)| Aside {
        id,
        at: moment(row.at),
        topic: row.topic,
        partition: row.partition,
        offset: row.offset,
        error: row.error,
        length: row.value.len(),
        value: operator.numbers.then(|| STANDARD.encode(&row.value)),
    });
    Ok(Json(shown.collect()))
}

fn orphan(id: i64, view: store::center::OrphanView, eyes: Eyes) -> Orphan {
    let domain::Told { site, carrier, event, .. } = view.told;
    let mut orphan = Orphan {
        id,
        at: moment(view.at),
        site,
        carrier: carrier.to_string(),
        gateway: event.gateway.to_string(),
        account: event.account.to_string(),
        resp_sequence: None,
        report_sequence: None,
        to: None,
        word: None,
        reason: None,
    };
    if let Happened::Reported { resp_sequence, report_sequence, to, word, reason, .. } = event.happened {
        orphan.resp_sequence = Some(resp_sequence);
        orphan.report_sequence = report_sequence;
        orphan.to = to.map(|to| eyes.party(&to));
        orphan.word = Some(word);
        orphan.reason = reason;
    }
    orphan
}
