//! The HMAC trailer of `draft-cassen-vrrp-auth-hmac`, as keepalived 2.4 sends it, of both versions.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +---------------+---------------+-------------------------------+
//! |    type 1     |    key id     |          reserved, 0          |
//! +---------------+---------------+-------------------------------+
//! |                 sequence: seconds of the epoch                |
//! +-------------------------------+-------------------------------+
//! |   sequence: 1/2^16 seconds    |       sequence: counter       |
//! +-------------------------------+-------------------------------+
//! |            HMAC-SHA256, its first 16 of 32 bytes              |
//! +---------------------------------------------------------------+
//! ```
//! The HMAC covers a pseudo header `family(4|6) version vrid 0 source(16, left-aligned)`, the message with its
//! checksum read as zero, the trailer up to the HMAC, and 16 zero bytes. It does not cover the destination, so
//! one signed advertisement serves every unicast peer.

mod keys;
mod replay;

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

pub use self::keys::{Key, KeyError, KeyId, Keyring};
pub use self::replay::{AntiReplay, Window, WindowError};
use self::replay::{Marks, Sequence};
use super::checksum::OFFSET as CHECKSUM;
use super::{Received, Version, Vrid};

/// A trailer's length, in bytes.
pub const TRAILER_LEN: usize = 28;

const TYPE: u8 = 1;
/// Of a trailer up to its HMAC.
const PREFIX_LEN: usize = 12;
const HMAC_LEN: usize = 16;

/// How far a roll-out has come. Each step leaves routers of the step before and after able to talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Sign nothing, accept what is unsigned, check what is signed.
    ReceiveOnly,
    /// Sign, but accept what is unsigned.
    Permissive,
    /// Sign, and accept nothing unsigned.
    #[default]
    Enforce,
}

/// How a virtual router authenticates.
#[derive(Clone, Debug)]
pub struct Settings {
    pub keys: Keyring,
    pub mode: Mode,
    pub anti_replay: AntiReplay,
}

/// Which virtual router a packet is of, and who sent it: an HMAC is good for no other.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    pub version: Version,
    pub vrid: Vrid,
    pub source: IpAddr,
}

/// Of a packet that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Somebody with our key sent it, and it is fresh.
    Authentic {
        /// By how many seconds our clock is ahead of the sender's; worth a warning from half a window on.
        clock_ahead: i32,
    },
    /// It has no trailer, and the mode still allows that.
    Unsigned,
}

/// Why a packet is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthRejected {
    #[error("it is not signed")]
    Missing,
    #[error("its trailer is malformed")]
    Malformed,
    #[error("it is signed with the unknown key {0}")]
    UnknownKey(u8),
    #[error("it is signed wrongly: another key, or forged")]
    BadHmac,
    #[error("our clock is {clock_ahead} s ahead of its time, out of the window")]
    Stale { clock_ahead: i32 },
    #[error("it is a replay")]
    Replay,
}

impl AuthRejected {
    /// For metrics: one of few.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Missing => "auth_missing",
            Self::Malformed => "auth_malformed",
            Self::UnknownKey(_) => "auth_unknown_key",
            Self::BadHmac => "auth_bad_hmac",
            Self::Stale { .. } => "auth_stale",
            Self::Replay => "auth_replay",
        }
    }
}

/// Signs what one virtual router sends and checks what it receives.
#[derive(Clone, Debug)]
pub struct Authenticator {
    settings: Settings,
    sent: Option<Sequence>,
    seen: Marks,
}

impl Authenticator {
    pub fn new(settings: Settings) -> Self {
        Self { settings, sent: None, seen: Marks::default() }
    }

    /// New keys, mode or window. What was seen and sent stays known.
    pub fn reconfigure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Appends a trailer, if the mode says so. A packet over IPv6 has to be
    /// [sealed](super::seal_ipv6) afterwards. `wall` is the time since the epoch.
    pub fn sign(&mut self, context: &Context, message: &mut Vec<u8>, wall: Duration) {
        match self.settings.mode {
            Mode::ReceiveOnly => return,
            Mode::Permissive | Mode::Enforce => {}
        }
        let sequence = self.settings.anti_replay.next(self.sent, wall);
        self.sent = Some(sequence);
        let key = self.settings.keys.active();
        let mut prefix = [0; PREFIX_LEN];
        prefix[0] = TYPE;
        prefix[1] = key.id().get();
        prefix[4..].copy_from_slice(&sequence.to_bytes());
        let hmac = hmac(key, context, message, &prefix).finalize().into_bytes();
        message.extend(prefix);
        message.extend(&hmac[..HMAC_LEN]);
    }

    /// `wall` is the time since the epoch.
    ///
    /// # Errors
    /// The packet is unsigned although it must not be, or it has not come from a holder of a key just now.
    pub fn verify(
        &mut self,
        context: &Context,
        received: &Received<'_>,
        wall: Duration,
    ) -> Result<Verdict, AuthRejected> {
        let Some(trailer) = received.trailer else {
            return match self.settings.mode {
                Mode::ReceiveOnly | Mode::Permissive => Ok(Verdict::Unsigned),
                Mode::Enforce => Err(AuthRejected::Missing),
            };
        };
        let &[ext_type, key_id, reserved_high, reserved_low, ref rest @ ..] = trailer;
        if ext_type != TYPE || (reserved_high, reserved_low) != (0, 0) {
            return Err(AuthRejected::Malformed);
        }
        let Some((sequence, tag)) = rest.split_first_chunk() else {
            return Err(AuthRejected::Malformed);
        };
        let sequence = Sequence::from_bytes(*sequence);
        // Before the HMAC, so that a flood of old captures costs no digests.
        let clock_ahead = self.settings.anti_replay.check_fresh(sequence, wall)?;
        let key = self.settings.keys.get(key_id).ok_or(AuthRejected::UnknownKey(key_id))?;
        hmac(key, context, received.message, &trailer[..PREFIX_LEN])
            .verify_truncated_left(tag)
            .map_err(|_| AuthRejected::BadHmac)?;
        // After the HMAC: nothing forged may move a mark.
        if !self.seen.advance(context.source, sequence, self.settings.anti_replay, wall) {
            return Err(AuthRejected::Replay);
        }
        Ok(Verdict::Authentic { clock_ahead })
    }
}

fn hmac(key: &Key, context: &Context, message: &[u8], prefix: &[u8]) -> Hmac<Sha256> {
    let mut hmac = key.hmac();
    let (family, source) = match context.source {
        IpAddr::V4(source) => {
            let mut left_aligned = [0; 16];
            left_aligned[..4].copy_from_slice(&source.octets());
            (4, left_aligned)
        }
        IpAddr::V6(source) => (6, source.octets()),
    };
    let version = match context.version {
        Version::V2 => 2,
        Version::V3 => 3,
    };
    hmac.update(&[family, version, context.vrid.get(), 0]);
    hmac.update(&source);
    // Over IPv6 the kernel writes the checksum after the signature.
    hmac.update(&message[..CHECKSUM]);
    hmac.update(&[0; 2]);
    hmac.update(&message[CHECKSUM + 2..]);
    hmac.update(prefix);
    hmac.update(&[0; HMAC_LEN]);
    hmac
}
