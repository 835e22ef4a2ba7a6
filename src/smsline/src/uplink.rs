//! The gateway's uplink, from the other end.

use std::io;
use std::path::Path;
use std::time::Duration;

use gateway::uplink::Status;
use gateway::uplink::lines::Answer;
use runtime::http_client::{self, HttpClient, HttpError, Peer};
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Talks to a running gateway.
#[derive(Clone, Debug)]
pub struct Uplink(HttpClient);

/// Which events to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Acknowledges all up to `after`; none: looks only.
    pub consumer: Option<&'a str>,
    pub after: i64,
    pub most: usize,
    /// How long the gateway waits for an event if there is none.
    pub wait: Duration,
}

/// Why there is no good answer.
#[derive(Debug, Error)]
pub enum UplinkError {
    #[error(
        "no gateway answers on {0}: {1}; is it running, and may you open its socket? (--socket names another)"
    )]
    Unreachable(Peer, io::Error),
    #[error("the gateway did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the gateway broke off: {0}")]
    Broken(String),
    #[error("the gateway refuses: {0}")]
    Refused(String),
    #[error("the gateway gave an answer that this version does not understand: {0}")]
    Strange(String),
}

impl Uplink {
    pub fn new(socket: &Path) -> Self {
        Self(HttpClient::new(Peer::Unix(socket.to_owned()), PATIENCE))
    }

    /// Hands in submissions, one a line; there is an answer for each of these `lines`, in their order.
    ///
    /// # Errors
    /// It is not known what became of them.
    pub async fn submit(&self, body: Vec<u8>, lines: usize) -> Result<Vec<Answer>, UplinkError> {
        let text = good(self.0.post("/messages", "application/x-ndjson", body).await)?;
        let answers: Vec<Answer> = text.lines().map(parse).collect::<Result<_, _>>()?;
        if answers.len() == lines {
            Ok(answers)
        } else {
            Err(UplinkError::Strange(format!("{} answers to {lines} messages", answers.len())))
        }
    }

    /// Events, one a line.
    ///
    /// # Errors
    /// Why they are not told.
    pub async fn events(&self, question: Question<'_>) -> Result<String, UplinkError> {
        let Question { consumer, after, most, wait } = question;
        let consumer = consumer.map(|name| format!("&consumer={}", escape(name))).unwrap_or_default();
        let path = format!("/events?after={after}&most={most}&wait={}{consumer}", wait.as_secs());
        good(self.0.with_patience(wait + PATIENCE).get(&path).await)
    }

    /// # Errors
    /// Why the gateway does not say how it stands.
    pub async fn status(&self) -> Result<Status, UplinkError> {
        parse(&good(self.0.get("/status").await)?)
    }
}

impl UplinkError {
    /// Whether the gateway may just be starting.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unreachable(..) | Self::Silent(_) | Self::Broken(_) => true,
            Self::Refused(_) | Self::Strange(_) => false,
        }
    }
}

/// A JSON value.
///
/// # Errors
/// It is none of this type.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, UplinkError> {
    serde_json::from_str(text).map_err(|error| UplinkError::Strange(error.to_string()))
}

/// The text of an answer that is none of an error.
fn good(answer: Result<http_client::Answer, HttpError>) -> Result<String, UplinkError> {
    let answer = answer.map_err(|error| match error {
        HttpError::Unreachable(peer, error) => UplinkError::Unreachable(peer, error),
        HttpError::Silent(patience) => UplinkError::Silent(patience),
        HttpError::Broken(error) => UplinkError::Broken(error),
    })?;
    let text = String::from_utf8_lossy(&answer.body);
    if answer.status.is_success() {
        return Ok(text.into_owned());
    }
    let reason = text.trim();
    let reason = if reason.is_empty() { answer.status.to_string() } else { reason.to_owned() };
    Err(UplinkError::Refused(reason))
}

/// For a query: what is not plain becomes `%XX`.
fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_says_of_a_refusal_is_shown() {
        let status = http_client::StatusCode::CONFLICT;
        let body = "there is no event 9; start again from after=0\n".into();
        let error = good(Ok(http_client::Answer { status, body })).unwrap_err();
        assert_eq!(error.to_string(), "the gateway refuses: there is no event 9; start again from after=0");
        assert!(!error.is_away(), "it is not asked again");
    }

    #[test]
    fn a_name_in_a_query_stays_one() {
        assert_eq!(escape("uaop-1.a_b~"), "uaop-1.a_b~");
        assert_eq!(escape("a b&after=7 甲"), "a%20b%26after%3D7%20%E7%94%B2");
    }
}
