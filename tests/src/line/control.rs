//! The carrier's control port.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use domain::text::coding::decode;
use domain::text::{Coding, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::protocol::ACCOUNT;
use crate::http::{self, Response};
use crate::metrics::Metrics;

/// Messages asked for at once.
const PAGE: usize = 1_000;

/// The carrier as whoever tests against it sees it; everything is about the account of the kit.
#[derive(Clone, Copy, Debug)]
pub struct CarrierControl {
    address: SocketAddr,
}

/// One message to one number, as the carrier wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recorded {
    /// From 1.
    pub n: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    pub connection: u32,
    pub sequence: String,
    /// In hexadecimal; none if it was not taken.
    pub message_id: Option<String>,
    pub source: String,
    pub destination: String,
    pub coding: u8,
    pub part: u8,
    pub parts: u8,
    /// In hexadecimal, with the user data header.
    pub content: String,
    /// 0 for taken.
    pub code: u32,
    pub answered: bool,
    /// `none`, `lost`, a state, or a state and ` twice`.
    pub report: String,
    pub duplicates: u32,
}

impl Recorded {
    /// The text of this part.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes: Vec<u8> = self
            .content
            .as_bytes()
            .chunks(2)
            .filter_map(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())
            .collect();
        let content = if self.parts > 1 { header::read(&bytes).content } else { &bytes };
        decode(content, Coding::from_number(self.coding))
    }

    /// Where it goes, without the country code.
    #[must_use]
    pub fn number(&self) -> &str {
        self.destination.strip_prefix("86").unwrap_or(&self.destination)
    }
}

#[derive(Deserialize)]
struct Account {
    name: String,
    connections: Vec<Connection>,
}

/// A connection that is logged in.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Connection {
    pub id: u32,
    pub peer: SocketAddr,
    /// One that the carrier opened.
    pub dialled: bool,
}

/// The account's numbers since the carrier started.
#[derive(Clone, Debug, Deserialize)]
pub struct Counts {
    pub submits: u64,
    pub accepted: u64,
    pub codes: BTreeMap<u32, u64>,
    pub unanswered: u64,
    pub duplicate_submits: u64,
    pub reports: DeliveryCounts,
    pub mo: DeliveryCounts,
    pub cut: u64,
    pub oddities: u64,
    pub waiting: i64,
    pub connections: i64,
}

/// Of reports, or of MO.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct DeliveryCounts {
    pub made: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub sent: u64,
    pub repeated: u64,
    pub refused: u64,
    pub acknowledged: u64,
}

impl DeliveryCounts {
    /// Whether all that is due was acknowledged, as often as it is to be.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.acknowledged >= self.made + self.duplicated - self.lost
    }
}

impl CarrierControl {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// The account's numbers.
    ///
    /// # Errors
    /// There is no answer.
    pub fn counts(&self) -> Result<Counts> {
        let mut all: BTreeMap<String, Counts> = self.read("/counts")?;
        all.remove(ACCOUNT).context("the carrier does not count the account")
    }

    /// All messages so far, in the order in which they came.
    ///
    /// # Errors
    /// There is no answer.
    pub fn messages(&self) -> Result<Vec<Recorded>> {
        let mut all: Vec<Recorded> = Vec::new();
        loop {
            let after = all.last().map_or(0, |message| message.n);
            let page: Vec<Recorded> = self.read(&format!("/messages?after={after}&limit={PAGE}"))?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// The account's connections that are logged in.
    ///
    /// # Errors
    /// There is no answer.
    pub fn connections(&self) -> Result<Vec<Connection>> {
        let accounts: Vec<Account> = self.read("/accounts")?;
        let account = accounts.into_iter().find(|account| account.name == ACCOUNT);
        Ok(account.context("the carrier does not know the account")?.connections)
    }

    /// A user writes.
    ///
    /// # Errors
    /// The carrier refuses it.
    pub fn mo(&self, from: &str, to: &str, text: &str) -> Result<()> {
        self.send("/mo", &json!({ "account": ACCOUNT, "from": from, "to": to, "text": text }))
    }

    /// Cuts all connections of the account: `close`, `reset` or `terminate`.
    ///
    /// # Errors
    /// The carrier refuses it.
    pub fn disconnect(&self, how: &str) -> Result<()> {
        self.send("/disconnect", &json!({ "account": ACCOUNT, "how": how }))
    }

    /// Changes the account's behaviour, in YAML's flow style; what is not named is as in the file.
    ///
    /// # Errors
    /// The carrier refuses it.
    pub fn behaviour(&self, behaviour: &str) -> Result<()> {
        let path = format!("/accounts/{ACCOUNT}/behaviour");
        checked(&path, http::put(self.address, &path, behaviour)?).map(drop)
    }

    /// Looks at `/metrics`.
    ///
    /// # Errors
    /// There is no answer, or not Prometheus' text format.
    pub fn metrics(&self) -> Result<Metrics> {
        Metrics::parse(&self.get("/metrics")?.body)
    }

    /// Gets a path.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, path: &str) -> Result<Response> {
        http::get(self.address, path)
    }

    fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response = checked(path, self.get(path)?)?;
        serde_json::from_str(&response.body).with_context(|| format!("{path} answers {}", response.body))
    }

    fn send(&self, path: &str, body: &Value) -> Result<()> {
        checked(path, http::post(self.address, path, &body.to_string())?).map(drop)
    }
}

fn checked(path: &str, response: Response) -> Result<Response> {
    ensure!((200..300).contains(&response.status), "{path} answers {}: {}", response.status, response.body);
    Ok(response)
}
