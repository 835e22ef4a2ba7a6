//! Who may come in: keys, signatures, sources, rates.
//!
//! A request is read whole, then believed only if its signature is right; whatever is told about a key is told after that.

pub mod claim;
mod client;
mod nonces;
pub mod quota;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::config::{Config, Key, Secret};
use crate::problem::{Code, Problem};
use crate::signature::{Signed, Signer};
use claim::Claim;
pub use client::{Client, Purpose};
use nonces::{Nonces, Unfresh};

/// How far a bank's clock may be from ours.
const SKEW: Duration = Duration::from_secs(300);
/// Of one key; 32 bytes each.
const NONCES: usize = 1_000_000;
/// Lines in the log about requests that are not let in, a second.
const LINES: NonZeroU32 = NonZeroU32::new(5).expect("this is not zero");

/// The door.
pub struct Door {
    clients: Vec<Arc<Client>>,
    keys: HashMap<String, SigningKey>,
    /// By their hash: how long a look-up takes tells nothing about a token.
    tokens: HashMap<[u8; 32], Arc<Client>>,
    /// Whose signature is verified if there is no such key: that takes as long.
    nobody: Signer,
    clock: Clock,
    lines: DefaultDirectRateLimiter,
}

struct SigningKey {
    signer: Signer,
    nonces: Mutex<Nonces>,
    client: Arc<Client>,
}

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    pub body: &'a [u8],
    pub source: IpAddr,
}

impl Door {
    /// # Errors
    /// A key cannot be used.
    pub fn new(config: &Config, clock: Clock) -> anyhow::Result<Self> {
        let (mut clients, mut keys, mut tokens) = (Vec::new(), HashMap::new(), HashMap::new());
        for bank in &config.banks {
            let client = Arc::new(Client::new(bank, &config.time_zone));
            for key in &bank.keys {
                let client = Arc::clone(&client);
                match key {
                    Key::Signed { name, secret } => {
                        let signer = Signer::new(secret).context("a secret cannot be used")?;
                        let nonces = Mutex::new(Nonces::new(NONCES));
                        keys.insert(name.clone(), SigningKey { signer, nonces, client });
                    }
                    Key::Token(token) => drop(tokens.insert(Sha256::digest(&token.0).into(), client)),
                }
            }
            clients.push(client);
        }
        let nobody = Signer::new(&Secret(format!("{:032x}", rand::random::<u128>())));
        let nobody = nobody.context("a secret cannot be used")?;
        let lines = RateLimiter::direct(Quota::per_second(LINES));
        Ok(Self { clients, keys, tokens, nobody, clock, lines })
    }

    /// All banks.
    #[must_use]
    pub fn clients(&self) -> &[Arc<Client>] {
        &self.clients
    }

    /// Lets a request in, and counts it against its bank's rate.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, claim: &Claim<'_>, request: &Request<'_>) -> Result<Arc<Client>, Problem> {
        let (client, fresh) = self.believe(claim, request)?;
        let admitted =
            client.comes_from(request.source).and(fresh).and_then(|()| client.charge(NonZeroU32::MIN));
        match admitted {
            Ok(()) => Ok(Arc::clone(client)),
            Err(problem) => {
                self.tell(problem.code, request.source, Some(&client.bank));
                Err(problem)
            }
        }
    }

    /// A line in the log, unless there are too many of them.
    pub fn tell(&self, code: Code, source: IpAddr, bank: Option<&domain::Bank>) {
        if self.lines.check().is_ok() {
            let bank = bank.map_or("unknown", domain::Bank::as_str);
            tracing::warn!(%source, bank, reason = code.word(), "a request was not let in");
        }
    }

    /// Whose request it is; and whether it is one that did not come before.
    fn believe(
        &self,
        claim: &Claim<'_>,
        request: &Request<'_>,
    ) -> Result<(&Arc<Client>, Result<(), Problem>), Problem> {
        let unknown = || {
            self.tell(Code::Unauthenticated, request.source, None);
            Problem::new(
                Code::Unauthenticated,
                "the key is not known, or the signature is not of this request",
            )
        };
        match *claim {
            Claim::Token(token) => {
                let hash: [u8; 32] = Sha256::digest(token).into();
                self.tokens.get(&hash).map(|client| (client, Ok(()))).ok_or_else(unknown)
            }
            Claim::Signed { key, time, millis, nonce, signature } => {
                let known = self.keys.get(key);
                let signed = Signed {
                    method: request.method,
                    target: request.target,
                    time,
                    nonce,
                    body: request.body,
                };
                let signer = known.map_or(&self.nobody, |key| &key.signer);
                let right = signer.verify(&signed, signature);
                let key = known.filter(|_| right).ok_or_else(unknown)?;
                Ok((&key.client, self.fresh(key, millis, nonce)))
            }
        }
    }

    fn fresh(&self, key: &SigningKey, time: u64, nonce: &str) -> Result<(), Problem> {
        let now = self.clock.now();
        let skewed = || {
            let message = format!("the request was signed at {time}; here it is {}", now.0);
            Err(Problem::new(Code::ClockSkew, message))
        };
        let oldest = now.earlier(SKEW).0;
        if time < oldest || time > now.later(SKEW).0 {
            return skewed();
        }
        match key.nonces.lock().unwrap_or_else(PoisonError::into_inner).note(time, nonce, oldest) {
            Ok(()) => Ok(()),
            Err(Unfresh::TooOld) => skewed(),
            Err(Unfresh::Replayed) => {
                Err(Problem::new(Code::Replayed, "a request with this time and nonce came before"))
            }
        }
    }
}
