//! How many messages there were, day by day.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::extract::{Failures, Params, Reader, Refusal};

/// Days of one answer at most.
const DAYS: i32 = 366;

/// Which days.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Days {
    /// `2026-03-01`, in the center's time zone.
    first: String,
    /// The last day; belongs to it.
    last: String,
}

/// Messages of one day, by who sent them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Figure {
    day: String,
    empi: String,
    class: String,
    carrier: Option<String>,
    messages: u64,
    parts: u64,
    /// How many ended how.
    ends: BTreeMap<&'static str, u64>,
}

/// How many messages there were, by day, EMPI, class and carrier.
#[utoipa::path(
    get,
    path = "/v1/figures",
    params(Days),
    responses((status = OK, body = Vec<Figure>), Failures),
    security(("token" = []))
)]
pub(super) async fn figures(
    _reader: Reader,
    State(desk): State<Arc<Desk>>,
    Params(days): Params<Days>,
) -> Result<Json<Vec<Figure>>, Refusal> {
    let (first, last) = (day("first", &days.first)?, day("last", &days.last)?);
    let span = first.until(last).map(|span| span.get_days()).unwrap_or(i32::MAX);
    if !(0..DAYS).contains(&span) {
        return Err(Refusal::bad(format!("last: must not be before `first`, nor {DAYS} days after it")));
    }
    let figures = desk.store.figures(&first.to_string(), &last.to_string()).await?;
    Ok(Json(figures.into_iter().map(shown).collect()))
}

fn day(what: &str, text: &str) -> Result<Date, Refusal> {
    text.parse().map_err(|_| Refusal::bad(format!("{what}: write a day such as 2026-03-01")))
}

fn shown(figure: store::center::Figure) -> Figure {
    Figure {
        day: figure.day,
        empi: figure.empi.to_string(),
        class: figure.class.to_string(),
        carrier: figure.carrier.map(|carrier| carrier.to_string()),
        messages: figure.messages,
        parts: figure.parts,
        ends: figure.finals.into_iter().map(|(state, count)| (state.word(), count)).collect(),
    }
}
