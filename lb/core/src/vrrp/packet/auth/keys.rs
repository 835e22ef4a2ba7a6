//! The secrets that the routers share.

use std::fmt;
use std::num::NonZeroU8;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use thiserror::Error;

const LEAST_LEN: usize = 32;
const MOST_LEN: usize = 64;

/// By which a packet names its key, 1 to 255.
pub type KeyId = NonZeroU8;

/// Why there is no such key or keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("a key has 32 to 64 bytes, not {0}")]
    Length(usize),
    #[error("the key id {0} is used twice")]
    Twice(KeyId),
    #[error("there is no key {0} to sign with")]
    NoActive(KeyId),
}

/// A shared secret of 32 to 64 bytes.
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    hmac: Hmac<Sha256>,
}

impl Key {
    /// # Errors
    /// The secret is too short or too long.
    pub fn new(id: KeyId, secret: &[u8]) -> Result<Self, KeyError> {
        if !(LEAST_LEN..=MOST_LEN).contains(&secret.len()) {
            return Err(KeyError::Length(secret.len()));
        }
        let hmac = Hmac::new_from_slice(secret).map_err(|_| KeyError::Length(secret.len()))?;
        Ok(Self { id, hmac })
    }

    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn hmac(&self) -> Hmac<Sha256> {
        self.hmac.clone()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, ..)", self.id)
    }
}

/// The keys that are accepted, one of which signs: a new key is added everywhere before it signs anywhere.
#[derive(Clone, Debug)]
pub struct Keyring {
    active: Key,
    others: Vec<Key>,
}

impl Keyring {
    /// # Errors
    /// Two keys have the same id, or none is `active`.
    pub fn new(keys: Vec<Key>, active: KeyId) -> Result<Self, KeyError> {
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].iter().any(|earlier| earlier.id == key.id) {
                return Err(KeyError::Twice(key.id));
            }
        }
        let (mut chosen, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.id == active);
        let active = chosen.pop().ok_or(KeyError::NoActive(active))?;
        Ok(Self { active, others })
    }

    pub(super) fn active(&self) -> &Key {
        &self.active
    }

    pub(super) fn get(&self, id: u8) -> Option<&Key> {
        [&self.active].into_iter().chain(&self.others).find(|key| key.id.get() == id)
    }
}
