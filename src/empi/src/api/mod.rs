//! The HTTP API for banks.

mod enter;
mod messages;
mod reports;
pub mod shapes;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use store::empi::EmpiStore;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accept::Desk;
use crate::door::Door;
use crate::metrics::Families;
use crate::problem::{Code, Problem};
use crate::standing::Standing;
pub use enter::Peer;

/// What the handlers need.
pub struct Api {
    pub door: Door,
    pub desk: Desk,
    pub store: Arc<dyn EmpiStore>,
    pub standing: Arc<Standing>,
    pub families: Arc<Families>,
    /// The cursor of the last item that was kept: changes when there is something to fetch.
    pub kept: watch::Receiver<i64>,
    /// `true` from when the process stops.
    pub stopping: watch::Receiver<bool>,
    /// Others, too, keep items in this store: it is looked at so often.
    pub recheck: Option<Duration>,
    pub limits: Limits,
}

/// Of a body.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In bytes.
    pub largest: usize,
    pub body: Duration,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "smsline EMPI",
        description = "Short messages of a bank: submit them, ask for them, fetch reports and users' messages. \
            Each request is signed (`Authorization: SMSLINE-HMAC-SHA256 …`), or carries a token if that was agreed. \
            Whatever goes wrong is answered with `{\"error\":{\"code\",\"message\",\"advice\"}}`.",
    ),
    modifiers(&Keys),
    security(("signature" = []), ("token" = [])),
)]
struct Document;

struct Keys;

impl utoipa::Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
        let components = document.components.get_or_insert_default();
        let signature = ApiKeyValue::with_description(
            "Authorization",
            "SMSLINE-HMAC-SHA256 key=\"…\", time=\"milliseconds since 1970\", nonce=\"8 to 64 characters\", \
             signature=\"base64\": HMAC-SHA256 over method, path with query, time, nonce and the SHA-256 of the body in \
             hexadecimal, joined by line feeds",
        );
        components.add_security_scheme("signature", SecurityScheme::ApiKey(ApiKey::Header(signature)));
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        // a different version of the program is no different API
        document.info.version = "1".to_owned();
        document.info.license = None;
    }
}

fn parts() -> (Router<Arc<Api>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(messages::submit, messages::by_reference))
        .routes(routes!(messages::by_id))
        .routes(routes!(reports::reports))
        .split_for_parts()
}

/// The OpenAPI document, as it is served and as the repository has it.
#[must_use]
pub fn document() -> String {
    let (_, document) = parts();
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// The routes. Those of the API want a key, the document and the state of the process do not.
pub fn router(api: Arc<Api>) -> Router {
    let text = document();
    let document = async move || ([(header::CONTENT_TYPE, "application/json")], text);
    let (routes, _) = parts();
    let standing = Arc::clone(&api.standing);
    routes
        .layer(from_fn_with_state(Arc::clone(&api), enter::enter))
        .route("/openapi.json", get(document))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || runtime::endpoint::readiness(standing.as_ref())))
        .fallback(async |_: Request| Problem::new(Code::NoSuchPath, "there is nothing at this path"))
        .method_not_allowed_fallback(async || {
            Problem::new(Code::MethodNotAllowed, "this path does not have this method")
        })
        .with_state(api)
}
