//! The HTTP API for operators: what became of messages, alarms, sending.
//!
//! Each request carries `Authorization: Bearer TOKEN`. Every answer is JSON, an error `{"error": "…"}`. The document of all
//! this is served as `/openapi.json`.

#![allow(unused_qualifications, reason = "the macros of the document write them")]

mod alarms;
mod extract;
mod figures;
mod messages;
mod odd;
mod resend;
mod send;
mod status;
mod view;

use std::sync::Arc;

use axum::{Json, Router};
use domain::EmpiId;
use store::center::CenterStore;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::clock::Clock;
use crate::config::{Classes, Operator};
use crate::metrics::Families;
use crate::own::Own;
use crate::standing::Standing;

/// Rows of a page, if the question does not say.
const PAGE: usize = 100;
/// Rows of a page at most.
const MOST: usize = 1000;

/// What the API works with.
pub(crate) struct Desk {
    pub(crate) node: String,
    pub(crate) site: String,
    pub(crate) empi: EmpiId,
    pub(crate) store: Arc<dyn CenterStore>,
    pub(crate) own: Option<Own>,
    pub(crate) operators: Vec<Operator>,
    pub(crate) classes: Classes,
    pub(crate) standing: Arc<Standing>,
    pub(crate) families: Arc<Families>,
    pub(crate) clock: Clock,
}

#[derive(OpenApi)]
#[openapi(info(
    title = "smsline center",
    description = "What became of messages, reports, alarms; sending and sending again. Times are RFC 3339, in questions milliseconds since 1970 too."
))]
struct Document;

/// The routes, and the document about them.
fn routes() -> (Router<Arc<Desk>>, utoipa::openapi::OpenApi) {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(messages::messages))
        .routes(routes!(messages::message))
        .routes(routes!(messages::reports))
        .routes(routes!(messages::user_messages))
        .routes(routes!(figures::figures))
        .routes(routes!(alarms::alarms))
        .routes(routes!(alarms::know))
        .routes(routes!(resend::resend))
        .routes(routes!(send::send))
        .routes(routes!(odd::orphans))
        .routes(routes!(odd::set_aside))
        .routes(routes!(status::status))
        .split_for_parts();
    let components = document.components.get_or_insert_with(Default::default);
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    (router, document)
}

/// All of it, to be served with the addresses of its peers.
pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let (router, document) = routes();
    router
        .route("/openapi.json", axum::routing::get(async move || Json(document)))
        .fallback(extract::nowhere)
        .with_state(desk)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi-center.json");

    /// `UPDATE_DOCS=1` writes it.
    #[test]
    fn the_document_in_docs_is_the_one_that_is_served() {
        let document = routes().1.to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(FILE, &document).unwrap();
        }
        let kept = std::fs::read_to_string(FILE).unwrap();
        assert!(
            kept == document,
            "docs/openapi-center.json is old; UPDATE_DOCS=1 cargo test -p center writes it"
        );
        assert!(document.matches("\"operationId\"").count() >= 12);
    }
}
