//! Questions about messages, their ends, and messages of users.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use domain::{FinalState, Millis, UaopId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::center::{MessageView, Page, Stage, Wanted};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Failures, InPath, Params, Problem, Reader, Refusal};
use super::view::{self, Eyes, Journey, Message, Mo, state};
use super::{Desk, MOST, PAGE};

/// Pages of the store that one answer is made of, at most.
const LOOKS: usize = 20;

/// Which messages; every condition that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Not before this moment: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Before this moment.
    until: Option<String>,
    /// The number of the receiver (of users' messages: of the user), with or without country code.
    to: Option<String>,
    /// The bank front-end.
    empi: Option<String>,
    carrier: Option<String>,
    /// `routed`, `pushed`, `answered`, `delivered`, `failed`, `refused`, `expired`, `uncertain`, `unknown`.
    state: Option<String>,
    /// The page after this one: `next` of its answer.
    after: Option<String>,
    /// Rows at most, 1 to 1000; 100 if it is not given.
    most: Option<usize>,
}

/// A page of messages, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Messages {
    messages: Vec<Message>,
    /// For `after`; none on the last page.
    next: Option<String>,
}

/// A page of messages of users, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Mos {
    messages: Vec<Mo>,
    /// For `after`; none on the last page.
    next: Option<String>,
}

/// Messages.
#[utoipa::path(
    get,
    path = "/v1/messages",
    params(Filter),
    responses((status = OK, body = Messages), Failures),
    security(("token" = []))
)]
pub(super) async fn messages(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Messages>, Refusal> {
    let page = desk.store.messages(&wanted(filter)?).await?;
    Ok(Json(shown(page, Eyes { numbers: operator.numbers })))
}

/// Messages that have an end. A page may hold fewer rows than asked for and still not be the last.
#[utoipa::path(
    get,
    path = "/v1/reports",
    params(Filter),
    responses((status = OK, body = Messages), Failures),
    security(("token" = []))
)]
pub(super) async fn reports(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Messages>, Refusal> {
    let mut wanted = wanted(filter)?;
    let most = wanted.most;
    let mut rows: Vec<MessageView> = Vec::new();
    for _ in 0..LOOKS {
        wanted.most = most - rows.len();
        let page = desk.store.messages(&wanted).await?;
        rows.extend(page.rows.into_iter().filter(|view| matches!(view.stage, Stage::Final(_))));
        wanted.after = page.next;
        if rows.len() >= most || wanted.after.is_none() {
            break;
        }
    }
    let page = Page { rows, next: wanted.after };
    Ok(Json(shown(page, Eyes { numbers: operator.numbers })))
}

/// One message: its whole journey, part by part.
#[utoipa::path(
    get,
    path = "/v1/messages/{uaop_id}",
    params(("uaop_id" = String, Path)),
    responses((status = OK, body = Journey), (status = NOT_FOUND, body = Problem), Failures),
    security(("token" = []))
)]
pub(super) async fn message(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    InPath(id): InPath<String>,
) -> Result<Json<Journey>, Refusal> {
    let id: UaopId = named("the id", &id)?;
    match desk.store.message(&id).await? {
        Some(view) => Ok(Json(view::journey(&view, Eyes { numbers: operator.numbers }))),
        None => Err(Refusal::unknown("no message of this id is known (yet)")),
    }
}

/// What users wrote.
#[utoipa::path(
    get,
    path = "/v1/user-messages",
    params(Filter),
    responses((status = OK, body = Mos), Failures),
    security(("token" = []))
)]
pub(super) async fn user_messages(
    Reader(operator): Reader,
    State(desk): State<Arc<Desk>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Mos>, Refusal> {
    let eyes = Eyes { numbers: operator.numbers };
    let page = desk.store.user_messages(&wanted(filter)?).await?;
    let messages = page.rows.iter().map(|mo| view::mo(mo, eyes)).collect();
    Ok(Json(Mos { messages, next: page.next }))
}

fn shown(page: Page<MessageView>, eyes: Eyes) -> Messages {
    let messages = page.rows.iter().map(|view| view::message(view, eyes)).collect();
    Messages { messages, next: page.next }
}

fn wanted(filter: Filter) -> Result<Wanted, Refusal> {
    Ok(Wanted {
        from: filter.from.map(|text| moment("from", &text)).transpose()?,
        until: filter.until.map(|text| moment("until", &text)).transpose()?,
        to: filter.to.map(|text| named("to", &text)).transpose()?,
        empi: filter.empi.map(|text| named("empi", &text)).transpose()?,
        carrier: filter.carrier.map(|text| named("carrier", &text)).transpose()?,
        stage: filter.state.map(|word| stage(&word)).transpose()?,
        after: filter.after,
        most: most(filter.most)?,
    })
}

/// Rows of a page.
pub(super) fn most(asked: Option<usize>) -> Result<usize, Refusal> {
    match asked.unwrap_or(PAGE) {
        most @ 1..=MOST => Ok(most),
        _ => Err(Refusal::bad(format!("most: write a number from 1 to {MOST}"))),
    }
}

/// What is wrong is said without what was given: it may be a number.
fn named<T: FromStr<Err: std::fmt::Display>>(what: &str, text: &str) -> Result<T, Refusal> {
    text.trim().parse().map_err(|error| Refusal::bad(format!("{what} {error}")))
}

fn moment(what: &str, text: &str) -> Result<Millis, Refusal> {
    if let Ok(millis) = text.parse::<u64>() {
        return Ok(Millis(millis));
    }
    // a plus that was not escaped is a blank in a query
    let millis = text.trim().replace(' ', "+").parse::<Timestamp>().map(Timestamp::as_millisecond);
    millis.ok().and_then(|millis| u64::try_from(millis).ok()).map(Millis).ok_or_else(|| {
        Refusal::bad(format!(
            "{what}: write a moment such as 2026-03-01T08:00:00+08:00, or milliseconds since 1970"
        ))
    })
}

fn stage(word: &str) -> Result<Stage, Refusal> {
    let stages = [Stage::Routed, Stage::Pushed, Stage::Answered].into_iter();
    let mut stages = stages.chain(FinalState::ALL.map(Stage::Final));
    stages.find(|stage| state(*stage) == word).ok_or_else(|| {
        Refusal::bad(
            "state: use routed, pushed, answered, delivered, failed, refused, expired, uncertain or unknown",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_number_or_a_text() {
        for text in [
            "1772323200000",
            "2026-03-01T08:00:00+08:00",
            "2026-03-01T08:00:00 08:00",
            "2026-03-01T00:00:00Z",
        ] {
            assert_eq!(moment("from", text).unwrap(), Millis(1_772_323_200_000), "{text}");
        }
        for text in ["yesterday", "2026-03-01", "-5", ""] {
            assert!(moment("from", text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_state_has_a_word() {
        for stage in [Stage::Routed, Stage::Pushed, Stage::Answered]
            .into_iter()
            .chain(FinalState::ALL.map(Stage::Final))
        {
            assert_eq!(super::stage(state(stage)).unwrap(), stage);
        }
        assert!(super::stage("lost").is_err());
    }
}
