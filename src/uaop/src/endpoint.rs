//! What Prometheus, load balancers and people ask.

use std::sync::Arc;

use axum::Json;
use axum::routing::get;
use link::Standing;
use prometheus::Registry;
use runtime::endpoint::Watched;
use serde::Serialize;
use tokio::sync::watch;

use crate::config::Config;
use crate::gateways::{Board, Condition, tier};
use crate::health::Health;
use crate::standing::route_name;

/// Knows how this UAOP stands.
pub struct Endpoint {
    pub registry: Registry,
    pub config: Arc<Config>,
    pub board: Board,
    pub health: Health,
    pub standing: watch::Receiver<Standing>,
}

/// `/status`.
#[derive(Debug, Serialize)]
struct Status {
    node: String,
    site: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why the bus cannot be relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    bus: Option<String>,
    gateways: Vec<GatewayStatus>,
    routes: Vec<RouteStatus>,
}

#[derive(Debug, Serialize)]
struct GatewayStatus {
    name: String,
    address: String,
    /// `ready`, `unready`, `away`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    away_for_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct RouteStatus {
    route: String,
    /// 0: none of its gateways takes messages.
    tier: u8,
}

/// `/metrics`, `/healthz`, `/readyz`, `/status`.
pub fn router(endpoint: Arc<Endpoint>) -> axum::Router {
    let asked = Arc::clone(&endpoint);
    runtime::endpoint::router(endpoint).route("/status", get(async move || Json(asked.status())))
}

impl Endpoint {
    fn status(&self) -> Status {
        let Standing { ready, reason } = self.standing.borrow().clone();
        let conditions = self.board.now();
        let gateways = self.config.gateways.iter().map(|gateway| {
            let condition = conditions.get(&gateway.name);
            GatewayStatus {
                name: gateway.name.to_string(),
                address: gateway.line.server.to_string(),
                state: match condition {
                    Some(Condition::Ready) => "ready",
                    Some(Condition::Unready { .. }) => "unready",
                    Some(Condition::Away { .. }) | None => "away",
                },
                reason: condition.and_then(Condition::reason).map(str::to_owned),
                away_for_seconds: condition.and_then(Condition::away_for).map(|time| time.as_secs()),
            }
        });
        let routes = self.config.router.routes.iter();
        let routes = routes
            .map(|(key, targets)| RouteStatus { route: route_name(key), tier: tier(targets, &conditions) });
        Status {
            node: self.config.node.clone(),
            site: self.config.site.clone(),
            ready,
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            bus: self.health.fault(),
            gateways: gateways.collect(),
            routes: routes.collect(),
        }
    }
}

impl Watched for Endpoint {
    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn ready(&self) -> Result<(), String> {
        let Standing { ready, reason } = self.standing.borrow().clone();
        if ready { Ok(()) } else { Err(reason) }
    }
}
