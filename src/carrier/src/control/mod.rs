//! The control port: HTTP with JSON, and what Prometheus and watchers ask.
//!
//! | request | does |
//! |---|---|
//! | `GET /messages?after=N&limit=N` | the messages of the record above a number, at most 1000 |
//! | `GET /counts` | the numbers of each account since the start |
//! | `GET /accounts` | each account, its connections and its behaviour |
//! | `PUT /accounts/NAME/behaviour` | changes the behaviour; what is not named is as in the file; YAML or JSON |
//! | `POST /mo` | sends a message of a user |
//! | `POST /disconnect` | ends connections of an account |

pub mod api;
pub mod client;
mod routes;

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::service::Shared;

/// Serves for ever.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let routes = routes::router(Arc::clone(&shared)).merge(runtime::endpoint::router(shared));
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "the control port is closed");
    }
}
