//! The other end of the control port.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use runtime::http_client::{Bytes, HttpClient, HttpError, Method, Peer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::api::{AccountStatus, Disconnect, Disconnected, MoRequest, MoTaken, Page, Problem};
use crate::metrics::Counts;
use crate::record::Message;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks to a running carrier.
#[derive(Clone, Debug)]
pub struct Client(HttpClient);

/// Why there is no good answer.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the carrier gave an answer that this version does not understand: {0}")]
    Strange(serde_json::Error),
    #[error("{0}")]
    Refused(Problem),
}

impl Client {
    #[must_use]
    pub fn new(control: SocketAddr) -> Self {
        Self(HttpClient::new(Peer::Tcp(control), PATIENCE))
    }

    /// # Errors
    /// Why there is no answer, as with every method here.
    pub async fn messages(&self, Page { after, limit }: Page) -> Result<Vec<Message>, ClientError> {
        let limit = limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
        self.ask(Method::GET, &format!("/messages?after={after}{limit}"), Bytes::new()).await
    }

    #[allow(clippy::missing_errors_doc)]
    pub async fn counts(&self) -> Result<BTreeMap<String, Counts>, ClientError> {
        self.ask(Method::GET, "/counts", Bytes::new()).await
    }

    #[allow(clippy::missing_errors_doc)]
    pub async fn accounts(&self) -> Result<Vec<AccountStatus>, ClientError> {
        self.ask(Method::GET, "/accounts", Bytes::new()).await
    }

    /// `text`: the keys of `behaviour:` that are to differ from the file, in YAML or JSON. Returns the whole.
    #[allow(clippy::missing_errors_doc)]
    pub async fn set_behaviour(&self, account: &str, text: &str) -> Result<serde_json::Value, ClientError> {
        let path = format!("/accounts/{account}/behaviour");
        self.ask(Method::PUT, &path, Bytes::from(text.to_owned())).await
    }

    #[allow(clippy::missing_errors_doc)]
    pub async fn mo(&self, request: &MoRequest) -> Result<MoTaken, ClientError> {
        self.post("/mo", request).await
    }

    #[allow(clippy::missing_errors_doc)]
    pub async fn disconnect(&self, request: &Disconnect) -> Result<Disconnected, ClientError> {
        self.post("/disconnect", request).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).map_err(ClientError::Strange)?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let answer = self.0.ask(method, path, "application/json", body).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(ClientError::Strange);
        }
        let problem = serde_json::from_slice(&answer.body).unwrap_or_else(|_| Problem {
            error: format!("the carrier answers {}", answer.status),
            faults: Vec::new(),
        });
        Err(ClientError::Refused(problem))
    }
}
