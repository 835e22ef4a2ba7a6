//! What a UAOP does with a gateway: HTTP over its Unix socket, a JSON value a line.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use domain::{Event, Submission};
use serde::Deserialize;
use serde_json::Value;

use crate::http::{self, Response};

/// For each read and write. A long poll answers sooner.
const PATIENCE: Duration = Duration::from_secs(30);

/// The way into a gateway.
#[derive(Clone, Debug)]
pub struct Uplink {
    socket: PathBuf,
}

/// What the gateway says to one line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Taken {
    /// Of a line that is a submission.
    pub uaop_id: Option<String>,
    /// The number of a line that is none.
    pub line: Option<u64>,
    pub taken: Verdict,
    /// Of a duplicate that is finished.
    pub outcome: Option<String>,
    /// Of a refusal.
    pub reason: Option<String>,
    /// Of a refusal: whether to try later.
    pub again: Option<bool>,
}

/// Whether a message is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Now, and for good.
    New,
    /// It was before.
    Duplicate,
    Refused,
}

/// An event with its number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Told {
    pub id: u64,
    #[serde(flatten)]
    pub event: Event,
}

impl Uplink {
    pub(super) fn new(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// Hands messages in; what the gateway says to each, in their order.
    ///
    /// # Errors
    /// There is no answer: nobody knows what was taken.
    pub fn submit(&self, batch: &[Submission]) -> Result<Vec<Taken>> {
        let mut lines = String::new();
        for submission in batch {
            lines += &serde_json::to_string(submission)?;
            lines.push('\n');
        }
        let answers = self.submit_lines(&lines)?;
        ensure!(answers.len() == batch.len(), "{} lines, {} answers", batch.len(), answers.len());
        Ok(answers)
    }

    /// As [`Uplink::submit`], for lines that may be no submissions.
    ///
    /// # Errors
    /// As [`Uplink::submit`].
    pub fn submit_lines(&self, lines: &str) -> Result<Vec<Taken>> {
        let response = self.request("POST", "/messages", lines)?;
        ensure!(response.status == 200, "the gateway answers {}: {}", response.status, response.body);
        read_lines(&response.body)
    }

    /// Events with numbers above `after`, which acknowledges all up to there for `consumer`; waits for the first one for
    /// up to `wait_seconds`.
    ///
    /// # Errors
    /// There is no answer.
    pub fn events(&self, consumer: &str, after: u64, most: usize, wait_seconds: u64) -> Result<Vec<Told>> {
        let path = format!("/events?consumer={consumer}&after={after}&most={most}&wait={wait_seconds}");
        let response = self.request("GET", &path, "")?;
        ensure!(response.status == 200, "{path} answers {}: {}", response.status, response.body);
        read_lines(&response.body)
    }

    /// How the gateway stands.
    ///
    /// # Errors
    /// There is no answer.
    pub fn status(&self) -> Result<Value> {
        let response = self.request("GET", "/status", "")?;
        ensure!(response.status == 200, "/status answers {}: {}", response.status, response.body);
        serde_json::from_str(&response.body).with_context(|| format!("/status answers {}", response.body))
    }

    /// Any request.
    ///
    /// # Errors
    /// There is no answer.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<Response> {
        let stream = UnixStream::connect(&self.socket)
            .with_context(|| format!("no connection to {}", self.socket.display()))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        http::exchange(stream, "gateway", method, path, body)
    }
}

fn read_lines<T: serde::de::DeserializeOwned>(body: &str) -> Result<Vec<T>> {
    let read = |line| serde_json::from_str(line).with_context(|| format!("the gateway says {line}"));
    body.lines().map(read).collect()
}
