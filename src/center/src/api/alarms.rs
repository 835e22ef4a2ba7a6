//! What somebody must know, once each.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::center::AlarmView;
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::extract::{Failures, InPath, Params, Problem, Reader, Refusal};
use super::messages::most;
use super::view::moment;
use crate::standing::severity_word;

/// Which alarms.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those that are over, too.
    #[serde(default)]
    over: bool,
    /// Rows at most, 1 to 1000; 100 if it is not given.
    most: Option<usize>,
}

/// An alarm, once, however many saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Alarm {
    /// What kind of thing: docs/center.md has a table.
    what: String,
    /// What it is about.
    of: String,
    /// `critical`, `warning`, `info`.
    severity: &'static str,
    /// `false`: it is over.
    raised: bool,
    text: String,
    first_at: String,
    last_at: String,
    /// How often it was raised anew after it had been over.
    times: u64,
    /// Role, node and data centre of all who saw it.
    seen_by: Vec<String>,
    /// When an operator said that he knows.
    known_at: Option<String>,
}

/// Alarms.
#[utoipa::path(
    get,
    path = "/v1/alarms",
    params(Which),
    responses((status = OK, body = Vec<Alarm>), Failures),
    security(("token" = []))
)]
pub(super) async fn alarms(
    _reader: Reader,
    State(desk): State<Arc<Desk>>,
    Params(which): Params<Which>,
) -> Result<Json<Vec<Alarm>>, Refusal> {
    let alarms = desk.store.alarms(which.over, most(which.most)?).await?;
    Ok(Json(alarms.into_iter().map(shown).collect()))
}

/// Says that an operator knows of an alarm.
#[utoipa::path(
    post,
    path = "/v1/alarms/{what}/{of}/known",
    params(("what" = String, Path), ("of" = String, Path)),
    responses((status = NO_CONTENT), (status = NOT_FOUND, body = Problem), Failures),
    security(("token" = []))
)]
pub(super) async fn know(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    InPath((what, of)): InPath<(String, String)>,
) -> Result<axum::http::StatusCode, Refusal> {
    if !desk.store.know(&what, &of, desk.clock.now()).await? {
        return Err(Refusal::unknown("there is no such alarm"));
    }
    tracing::info!(target: "access", operator = operator.name, action = "know", what, of, "an operator knows of an alarm");
    Ok(axum::http::StatusCode::NO_CONTENT)
}

fn shown(view: AlarmView) -> Alarm {
    let AlarmView { alarm, first_at, times, seen_by, known_at } = view;
    Alarm {
        what: alarm.what,
        of: alarm.of,
        severity: severity_word(alarm.severity),
        raised: alarm.raised,
        text: alarm.text,
        first_at: moment(first_at),
        last_at: moment(alarm.at),
        times,
        seen_by,
        known_at: known_at.map(moment),
    }
}
