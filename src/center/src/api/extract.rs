//! Who asks, and what: each fault of a request is a clear answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::StoreError;
use utoipa::{IntoResponses, ToSchema};

use super::Desk;
use crate::config::{Operator, Token};

/// Why a request is not answered as it wishes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) struct Problem {
    error: String,
}

/// For the document.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is only described")]
pub(super) enum Failures {
    /// Something in the request is wrong.
    #[response(status = 400)]
    Bad(Problem),
    /// There is no token, or nobody has it.
    #[response(status = 401)]
    Nobody(Problem),
    /// The operator must not do this, or not from there.
    #[response(status = 403)]
    Forbidden(Problem),
    /// The store does not answer at present.
    #[response(status = 503)]
    Away(Problem),
}

/// An answer that says why not.
#[derive(Debug)]
pub(super) struct Refusal(StatusCode, String);

impl Refusal {
    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, error.into())
    }

    pub(super) fn unknown(error: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, error.into())
    }

    pub(super) fn away(error: impl Into<String>) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, error.into())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a request could not be answered");
        Self::away("the store does not answer at present; the log of the center says why")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { error: self.1 })).into_response()
    }
}

/// Where there is nothing.
pub(super) async fn nowhere() -> Refusal {
    Refusal::unknown("there is nothing here; /openapi.json says what there is")
}

/// An operator who may read.
pub(super) struct Reader(pub(super) Operator);

/// An operator who may send.
pub(super) struct Sender(pub(super) Operator);

impl FromRequestParts<Arc<Desk>> for Reader {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Refusal> {
        let operator = operator(parts, desk)?;
        if operator.read { Ok(Self(operator.clone())) } else { Err(lacks(desk, operator, "read")) }
    }
}

impl FromRequestParts<Arc<Desk>> for Sender {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Refusal> {
        let operator = operator(parts, desk)?;
        if operator.send { Ok(Self(operator.clone())) } else { Err(lacks(desk, operator, "send")) }
    }
}

fn operator<'a>(parts: &Parts, desk: &'a Desk) -> Result<&'a Operator, Refusal> {
    let source = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let shown = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    let token = shown
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Token::of(token.trim()));
    let operator = token.and_then(|token| desk.operators.iter().find(|operator| operator.token == token));
    let Some(operator) = operator else {
        desk.families.requests.with_label_values(&["token"]).inc();
        tracing::warn!(?source, "a request without a token that anybody has");
        return Err(Refusal(
            StatusCode::UNAUTHORIZED,
            "say who you are: `Authorization: Bearer TOKEN`, with a token of `operators`".to_owned(),
        ));
    };
    if source.is_none_or(|source| !operator.may_come_from(source)) {
        desk.families.requests.with_label_values(&["source"]).inc();
        tracing::warn!(operator = operator.name, ?source, "a request from where this operator must not be");
        return Err(Refusal(StatusCode::FORBIDDEN, "not from this address".to_owned()));
    }
    Ok(operator)
}

fn lacks(desk: &Desk, operator: &Operator, right: &str) -> Refusal {
    desk.families.requests.with_label_values(&["right"]).inc();
    tracing::warn!(operator = operator.name, right, "a request without the right");
    Refusal(StatusCode::FORBIDDEN, format!("operator {} has no right to {right}", operator.name))
}

/// The query of a request.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(value)| Self(value)).map_err(|error| Refusal::bad(error.body_text()))
    }
}

/// What stands in the path of a request.
pub(super) struct InPath<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for InPath<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(value)| Self(value)).map_err(|error| Refusal::bad(error.body_text()))
    }
}

/// The body of a request.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let read = Json::<T>::from_request(request, state).await;
        read.map(|Json(value)| Self(value)).map_err(|error| Refusal(error.status(), error.body_text()))
    }
}
