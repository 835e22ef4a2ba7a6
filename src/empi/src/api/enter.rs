//! What every request of a bank goes through.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::{Api, Limits};
use crate::door::{self, Client, Purpose, claim};
use crate::problem::{Code, Problem};

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

pub(super) async fn enter(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let (request, client) = match admit(&api, request).await {
        Ok(admitted) => admitted,
        Err(problem) => {
            api.families.not_admitted.with_label_values(&[problem.code.word()]).inc();
            return problem.into_response();
        }
    };
    let purpose = if request.uri().path() == "/v1/reports" { Purpose::Poll } else { Purpose::Work };
    let response = match client.enter(purpose) {
        Ok(_place) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    let code = response.extensions().get().map_or("ok", |code: &Code| code.word());
    api.families.requests.with_label_values(&[client.bank.as_str(), code]).inc();
    response
}

/// The request with its whole body and its [`Client`].
async fn admit(api: &Api, request: Request) -> Result<(Request, Arc<Client>), Problem> {
    let (mut parts, body) = request.into_parts();
    let source = parts.extensions.get().map(|peer: &Peer| peer.0);
    let source = source.ok_or_else(|| Problem::new(Code::SourceNotAllowed, "the source is not known"))?;
    let claim = claim::read(parts.headers.get(AUTHORIZATION)).map_err(|wrong| {
        api.door.tell(Code::Unauthenticated, source, None);
        Problem::new(Code::Unauthenticated, wrong)
    })?;
    let announced = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let body = whole(body, announced, api.limits).await?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let request = door::Request { method: parts.method.as_str(), target, body: &body, source };
    let client = api.door.admit(&claim, &request)?;
    parts.extensions.insert(Arc::clone(&client));
    Ok((Request::from_parts(parts, Body::from(body)), client))
}

async fn whole(body: Body, announced: Option<usize>, limits: Limits) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(Code::BodyTooLarge, format!("the body is larger than {} bytes", limits.largest));
    if announced.is_some_and(|length| length > limits.largest) {
        return Err(too_large());
    }
    let collected = tokio::time::timeout(limits.body, Limited::new(body, limits.largest).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Code::BodyBroken, "the body broke off")),
        Err(_) => {
            let seconds = limits.body.as_secs_f64();
            Err(Problem::new(Code::BodyTooSlow, format!("the body did not come within {seconds} s")))
        }
    }
}
