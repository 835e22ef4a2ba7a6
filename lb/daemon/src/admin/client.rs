//! The other end of the administration socket.

use std::path::Path;
use std::time::Duration;

use lb_core::config::Plan;
use lb_core::pool::AdminState;
use runtime::http_client::{Bytes, HttpClient, HttpError, Method, Peer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::api::{Asked, Problem, SetState, SetWeight, Which};
use crate::control::{Entry, Preview, Report};
use crate::vrrp::RouterStatus;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks to a running daemon.
#[derive(Clone, Debug)]
pub struct Client(HttpClient);

/// Why there is no good answer.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error(
        "no lb answers on {0}: {1}; is it running, and may you open its socket? (--socket names another)"
    )]
    Unreachable(String, std::io::Error),
    #[error("lb did not answer within {} s", PATIENCE.as_secs())]
    Silent,
    #[error("lb gave an answer that this version does not understand: {0}")]
    Strange(String),
    #[error("{}", .0.error)]
    Refused(Problem),
}

impl Client {
    pub fn new(socket: &Path) -> Self {
        Self(HttpClient::new(Peer::Unix(socket.to_owned()), PATIENCE))
    }

    pub async fn status(&self) -> Result<Report, ClientError> {
        self.ask(Method::GET, "/status", Bytes::new()).await
    }

    pub async fn reload(&self) -> Result<Plan, ClientError> {
        self.ask(Method::POST, "/reload", Bytes::new()).await
    }

    pub async fn plan(&self, text: String) -> Result<Vec<Preview>, ClientError> {
        self.ask(Method::POST, "/plan", text.into()).await
    }

    pub async fn set_state(&self, pool: &str, server: &str, state: AdminState) -> Result<(), ClientError> {
        self.ask(Method::POST, &of_server(pool, server, "state"), json(&SetState { state })?).await
    }

    pub async fn set_weight(&self, pool: &str, server: &str, weight: Option<u16>) -> Result<(), ClientError> {
        self.ask(Method::POST, &of_server(pool, server, "weight"), json(&SetWeight { weight })?).await
    }

    pub async fn timeline(&self, Which { after, last }: Which) -> Result<Vec<Entry>, ClientError> {
        let parameter = |name: &str, value: Option<u64>| value.map(|value| format!("{name}={value}"));
        let last = last.map(|last| u64::try_from(last).unwrap_or(u64::MAX));
        let query: Vec<String> =
            parameter("after", after).into_iter().chain(parameter("last", last)).collect();
        self.ask(Method::GET, &format!("/timeline?{}", query.join("&")), Bytes::new()).await
    }

    pub async fn virtual_router(&self, name: &str) -> Result<RouterStatus, ClientError> {
        self.ask(Method::GET, &format!("/vrrp/{name}"), Bytes::new()).await
    }

    pub async fn release(&self, name: &str) -> Result<Asked, ClientError> {
        self.ask(Method::POST, &format!("/vrrp/{name}/release"), Bytes::new()).await
    }

    pub async fn take(&self, name: &str) -> Result<Asked, ClientError> {
        self.ask(Method::POST, &format!("/vrrp/{name}/take"), Bytes::new()).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let answer = self.0.ask(method, path, "application/json", body).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(strange);
        }
        let problem = serde_json::from_slice(&answer.body).unwrap_or_else(|_| Problem {
            error: format!("lb answers {}", answer.status),
            faults: Vec::new(),
        });
        Err(ClientError::Refused(problem))
    }
}

impl From<HttpError> for ClientError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Unreachable(peer, error) => Self::Unreachable(peer.to_string(), error),
            HttpError::Silent(_) => Self::Silent,
            HttpError::Broken(error) => Self::Strange(error),
        }
    }
}

fn of_server(pool: &str, server: &str, what: &str) -> String {
    format!("/pools/{pool}/servers/{server}/{what}")
}

fn json(body: &impl Serialize) -> Result<Bytes, ClientError> {
    serde_json::to_vec(body).map(Into::into).map_err(strange)
}

fn strange(error: impl std::fmt::Display) -> ClientError {
    ClientError::Strange(error.to_string())
}
