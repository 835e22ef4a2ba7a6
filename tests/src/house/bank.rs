//! The bank's side of an EMPI.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Submission;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::http::{self, Response};
use crate::place::Place;
use crate::wait;

/// How long the line may be away for a bank that tries again.
const AWAY: Duration = Duration::from_secs(60);

/// A system of a bank with its key. Whatever goes wrong on the way, it sends the same request again.
#[derive(Clone, Debug)]
pub struct Bank {
    place: Place,
    server: SocketAddr,
    key: String,
    secret: String,
    /// What it has sent, by its reference.
    sent: BTreeMap<String, Submission>,
    /// What was accepted, by the id on the platform: the reference.
    accepted: BTreeMap<String, String>,
    /// The longest that one request took, and how many had to be sent again.
    longest: Duration,
    repeated: u64,
}

impl Bank {
    /// One that asks `server`, mostly the virtual address of the EMPIs.
    #[must_use]
    pub fn new(place: Place, server: SocketAddr, key: &str, secret: &str) -> Self {
        let (key, secret) = (key.to_owned(), secret.to_owned());
        let (sent, accepted) = (BTreeMap::new(), BTreeMap::new());
        Self { place, server, key, secret, sent, accepted, longest: Duration::ZERO, repeated: 0 }
    }

    /// Sends messages in one request, again and again until each is accepted. The reference is the letter's id.
    ///
    /// # Errors
    /// One is refused, or the line is away for too long.
    pub fn submit(&mut self, letters: Vec<Submission>) -> Result<()> {
        let body = json!({ "messages": letters.iter().map(message).collect::<Vec<_>>() }).to_string();
        for letter in letters {
            self.sent.insert(letter.uaop_id.to_string(), letter);
        }
        let started = Instant::now();
        let mut last = String::new();
        let mut tries = 0;
        let answered = wait::until("the bank's messages to be accepted", AWAY, || {
            tries += 1;
            match self.request("POST", "/v1/messages", &body) {
                Ok(response) if response.status == 200 => Some(response.body),
                Ok(response) => {
                    last = format!("{}: {}", response.status, response.body);
                    None
                }
                Err(error) => {
                    last = format!("{error:#}");
                    None
                }
            }
        });
        let answer = answered.with_context(|| format!("the last answer: {last}"))?;
        self.longest = self.longest.max(started.elapsed());
        self.repeated += tries - 1;
        self.note(&serde_json::from_str(&answer)?)
    }

    fn note(&mut self, answer: &Value) -> Result<()> {
        let results = answer["results"].as_array().with_context(|| format!("no results in {answer}"))?;
        for result in results {
            let reference = result["reference"].as_str().unwrap_or_default();
            ensure!(
                self.sent.contains_key(reference),
                "an answer about a message that was not sent: {result}"
            );
            match result["status"].as_str() {
                Some("accepted" | "duplicate") => {
                    let ids = result["recipients"].as_array().into_iter().flatten();
                    let ids = ids.filter_map(|recipient| recipient["uaop_id"].as_str());
                    let ids = ids.map(|id| (id.to_owned(), reference.to_owned()));
                    self.accepted.extend(ids);
                }
                _ => bail!("refused: {result}"),
            }
        }
        Ok(())
    }

    /// One signed request.
    ///
    /// # Errors
    /// There is no answer.
    pub fn request(&self, method: &str, path: &str, body: &str) -> Result<Response> {
        let authorization = sign(&self.key, &self.secret, method, path, body);
        self.place
            .run(|| http::request(self.server, method, path, &[("Authorization", &authorization)], body))
    }

    /// A signed question.
    ///
    /// # Errors
    /// There is no answer, or not the one that was hoped for.
    pub fn ask(&self, path: &str) -> Result<Value> {
        let response = self.request("GET", path, "")?;
        ensure!(response.status == 200, "{path}: {}: {}", response.status, response.body);
        Ok(serde_json::from_str(&response.body)?)
    }

    /// What was accepted: the id on the platform, and the message.
    pub fn accepted(&self) -> impl Iterator<Item = (&str, &Submission)> {
        self.accepted.iter().filter_map(|(id, reference)| Some((id.as_str(), self.sent.get(reference)?)))
    }

    /// How many were accepted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.accepted.len()
    }

    /// The longest time in which messages were accepted, repetitions included.
    #[must_use]
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Requests that were sent again.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }
}

fn message(letter: &Submission) -> Value {
    json!({
        "reference": letter.uaop_id,
        "to": letter.to,
        "text": letter.text,
        "class": letter.class,
        "report": letter.report,
    })
}

/// The header that proves who asks.
#[must_use]
pub fn sign(key: &str, secret: &str, method: &str, path: &str, body: &str) -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let nonce = nonce(time);
    let time = time.as_millis();
    let text = format!("{method}\n{path}\n{time}\n{nonce}\n{}", hex(&Sha256::digest(body)));
    let signature = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map(|mut mac| {
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    });
    let signature = signature.unwrap_or_default();
    format!(r#"SMSLINE-HMAC-SHA256 key="{key}", time="{time}", nonce="{nonce}", signature="{signature}""#)
}

fn nonce(time: Duration) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}-{}", std::process::id(), time.as_nanos(), MADE.fetch_add(1, Ordering::Relaxed))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // a String takes everything
        let _ = write!(text, "{byte:02x}");
        text
    })
}
