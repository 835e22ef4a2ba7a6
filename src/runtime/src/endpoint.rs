//! `/metrics`, `/healthz` and `/readyz`.

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};

/// What the endpoint asks of its owner.
pub trait Watched: Send + Sync + 'static {
    /// The registry, brought up to date.
    fn registry(&self) -> &Registry;

    /// # Errors
    /// Why no traffic should be sent here now.
    fn ready(&self) -> Result<(), String>;

    /// What does not work though traffic may be sent here; it is told beside `ready`.
    fn degraded(&self) -> Option<String> {
        None
    }
}

/// The routes. `/healthz` answers as long as the process does; `/readyz` is 503 with the reason while it must not
/// be sent traffic.
pub fn router(watched: Arc<impl Watched>) -> Router {
    let ready = Arc::clone(&watched);
    Router::new()
        .route("/metrics", get(async move || metrics(watched.registry())))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || readiness(ready.as_ref())))
}

fn metrics(registry: &Registry) -> Response {
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    match encoder.encode(&registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// The answer of `/readyz`, for an endpoint of another make.
pub fn readiness(watched: &impl Watched) -> Response {
    match (watched.ready(), watched.degraded()) {
        (Ok(()), None) => "ready\n".into_response(),
        (Ok(()), Some(lack)) => format!("ready, degraded: {lack}\n").into_response(),
        (Err(reason), _) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}
