//! The last word of a virtual router, for another process to say.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU8;

use lb_core::config::Authentication;
use lb_core::vrrp::packet::EncodeError;
use lb_core::vrrp::packet::auth::{self, AntiReplay, Context, Key, Keyring, Mode, Window};
use lb_core::vrrp::{Version, Vrid};
use serde::{Deserialize, Serialize};

use super::outgoing::{Outgoing, Packet, Signer};

/// Priority 0 of one virtual router, unsigned, and what it takes to sign it when it is said.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Farewell {
    pub source: IpAddr,
    pub packets: Vec<Packet>,
    signing: Option<Signing>,
}

#[derive(Clone, Deserialize, Serialize)]
struct Signing {
    version: u8,
    vrid: NonZeroU8,
    key: NonZeroU8,
    secret: Vec<u8>,
    /// Seconds; `None`: sequence numbers need only grow.
    window: Option<u64>,
}

impl Outgoing {
    /// What is to be said when this process cannot say it.
    ///
    /// # Errors
    /// As [`advert`](Self::advert).
    pub fn farewell(&self) -> Result<Farewell, EncodeError> {
        let settings = self.settings();
        let signing =
            settings.signs().and_then(|authentication| Signing::new(&settings.context(), authentication));
        Ok(Farewell { source: settings.source, packets: self.unsigned(None)?, signing })
    }
}

impl Farewell {
    /// `None`: nothing is signed.
    ///
    /// # Errors
    /// It was made by no [`Outgoing`].
    pub fn signer(&self) -> Result<Option<Signer>, &'static str> {
        let signer = |signing: &Signing| {
            let context = Context {
                version: match signing.version {
                    2 => Version::V2,
                    3 => Version::V3,
                    _ => return None,
                },
                vrid: Vrid::try_from(signing.vrid.get()).ok()?,
                source: self.source,
            };
            Some(Signer::new(context, signing.settings()?))
        };
        self.signing.as_ref().map(|signing| signer(signing).ok_or("it cannot be signed so")).transpose()
    }
}

impl Signing {
    /// `None` when there is no key, and so no [`Outgoing`] with it.
    fn new(context: &Context, authentication: &Authentication) -> Option<Self> {
        let key = authentication.keys.first()?;
        Some(Self {
            version: match context.version {
                Version::V2 => 2,
                Version::V3 => 3,
            },
            vrid: NonZeroU8::new(context.vrid.get())?,
            key: key.id,
            secret: key.secret.0.clone(),
            window: match authentication.anti_replay {
                AntiReplay::Time(window) => Some(window.get().as_secs()),
                AntiReplay::Monotonic => None,
            },
        })
    }

    fn settings(&self) -> Option<auth::Settings> {
        let keys = Keyring::new(vec![Key::new(self.key, &self.secret).ok()?], self.key).ok()?;
        let anti_replay = match self.window {
            Some(seconds) => AntiReplay::Time(Window::from_secs(seconds).ok()?),
            None => AntiReplay::Monotonic,
        };
        Some(auth::Settings { keys, mode: Mode::Enforce, anti_replay })
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signing(key {}, ..)", self.key)
    }
}
