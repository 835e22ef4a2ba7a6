//! Messages: submit them, ask for them.

#![expect(unused_qualifications, reason = "in what the macro makes")]

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use store::empi::Key;
use utoipa::IntoParams;

use super::Api;
use super::shapes::{MessageState, Messages, Submit, Submitted};
use crate::accept::{read, uaop_id};
use crate::door::Client;
use crate::problem::{Code, Failure, Problem};

/// Messages of one reference in an answer: more than that many do not fit into a request.
const MOST: usize = 1000;

/// Submit messages. Each is answered for itself; what is `accepted` is durable, and may be forgotten by the bank.
#[utoipa::path(
    post, path = "/v1/messages", request_body = Submit,
    responses(
        (status = 200, description = "One result for each message", body = Submitted),
        (status = "4XX", description = "Nothing was accepted", body = Failure),
        (status = 503, description = "Send it again with the same references", body = Failure),
    ),
)]
pub(super) async fn submit(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Arc<Client>>,
    body: Bytes,
) -> Result<Json<Submitted>, Problem> {
    let start = Instant::now();
    let results = api.desk.take(&client, read::messages(&body)?).await?;
    api.families.accept.observe(start.elapsed().as_secs_f64());
    Ok(Json(Submitted { results }))
}

/// One message by its id.
#[utoipa::path(
    get, path = "/v1/messages/{uaop_id}", params(("uaop_id" = String, Path, description = "From the answer to its submission")),
    responses(
        (status = 200, description = "How it stands", body = MessageState),
        (status = "4XX", description = "There is none", body = Failure),
        (status = 503, description = "Try again", body = Failure),
    ),
)]
pub(super) async fn by_id(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Arc<Client>>,
    Path(id): Path<String>,
) -> Result<Json<MessageState>, Problem> {
    let none = || Problem::new(Code::NotFound, "this bank has no message of this id here");
    let key = Key::Id(id.parse().map_err(|_| none())?);
    let view = api.store.message(&client.bank, &key).await.map_err(|error| unread(&error))?;
    view.map(|view| Json(view.into())).ok_or_else(none)
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The bank's own name for the message.
    reference: String,
    /// Of a message with several recipients: this one.
    to: Option<String>,
}

/// Messages by the bank's reference.
#[utoipa::path(
    get, path = "/v1/messages", params(Wanted),
    responses(
        (status = 200, description = "How they stand", body = Messages),
        (status = "4XX", description = "There are none", body = Failure),
        (status = 503, description = "Try again", body = Failure),
    ),
)]
pub(super) async fn by_reference(
    State(api): State<Arc<Api>>,
    Extension(client): Extension<Arc<Client>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Messages>, Problem> {
    let Query(Wanted { reference, to }) =
        wanted.map_err(|_| Problem::new(Code::BadQuery, "`reference` is needed, `to` is possible"))?;
    let none = || Problem::new(Code::NotFound, "this bank has no message of this reference here");
    let reference: domain::BankReference = reference.parse().map_err(|_| none())?;
    let views = match to {
        None => api.store.messages(&client.bank, &reference, MOST).await,
        Some(to) => {
            let number = read::number(&to).map_err(|_| Problem::new(Code::BadQuery, "`to` is no number"))?;
            let id = uaop_id(&api.desk.empi, &client.bank, &reference, &number).ok_or_else(none)?;
            api.store.message(&client.bank, &Key::Id(id)).await.map(|view| view.into_iter().collect())
        }
    };
    let views = views.map_err(|error| unread(&error))?;
    if views.is_empty() {
        return Err(none());
    }
    Ok(Json(Messages { messages: views.into_iter().map(Into::into).collect() }))
}

/// The store cannot be asked.
pub(super) fn unread(error: &store::StoreError) -> Problem {
    tracing::error!(%error, "the store cannot be read");
    Problem::new(Code::StoreAway, "the store cannot be read at present").after(1)
}
