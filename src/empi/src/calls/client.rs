//! One call to a bank, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::Messenger;
use crate::clock::Clock;
use crate::signature::{Signed, Signer};

/// So long connections are kept that nobody needs.
const IDLE: Duration = Duration::from_secs(60);
/// What is read of an answer, so that its connection can serve again.
const ANSWER: usize = 64 << 10;

/// Makes the connections of all calls. Redirects are not followed, and no proxy of the environment is used: what is signed goes
/// where the file says.
///
/// # Errors
/// The roots of trust cannot be used.
pub fn client() -> anyhow::Result<Client> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .no_proxy()
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("smsline/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the client for calls to banks")
}

/// Calls one bank.
pub struct HttpMessenger {
    pub client: Client,
    pub url: Url,
    pub timeout: Duration,
    pub key: String,
    pub signer: Signer,
    pub clock: Clock,
}

#[async_trait]
impl Messenger for HttpMessenger {
    async fn deliver(&self, body: Vec<u8>) -> Result<(), String> {
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let (time, nonce) = (self.clock.now().0.to_string(), format!("{:032x}", rand::random::<u128>()));
        let signed = Signed { method: "POST", target: &target, time: &time, nonce: &nonce, body: &body };
        let request = self
            .client
            .post(self.url.clone())
            .timeout(self.timeout)
            .header(AUTHORIZATION, self.signer.header(&self.key, &signed))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        // its address may have a secret in it
        let mut response = request.send().await.map_err(|error| why(&error.without_url()))?;
        let status = response.status();
        let mut read = 0;
        while read < ANSWER {
            match response.chunk().await {
                Ok(Some(chunk)) => read += chunk.len(),
                Ok(None) | Err(_) => break,
            }
        }
        if status.is_success() { Ok(()) } else { Err(format!("HTTP status {}", status.as_u16())) }
    }
}

/// An error with its causes: the first says the least.
fn why(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
