//! From "advertise this priority" to packets.

use std::net::IpAddr;
use std::time::Duration;

use lb_core::config::Authentication;
use lb_core::vrrp::packet::auth::{self, Authenticator, Context, Key, KeyError, Keyring, Mode};
use lb_core::vrrp::packet::{ChecksumForm, EncodeError, Encoding, encode, seal_ipv6};
use lb_core::vrrp::{Addresses, Advert, AdvertInterval, AuthV2, Endpoints, Priority, Version, Vrid};
use serde::{Deserialize, Serialize};

/// What the advertisements of one virtual router say but for the priority, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub vrid: Vrid,
    pub version: Version,
    pub interval: AdvertInterval,
    pub addresses: Addresses,
    pub source: IpAddr,
    /// The group of the source's family, or each unicast peer.
    pub destinations: Vec<IpAddr>,
    /// Of version 3 over IPv4.
    pub checksum: ChecksumForm,
    /// Of version 2.
    pub password: AuthV2,
    /// The HMAC trailer.
    pub authentication: Option<Authentication>,
}

/// What is sent to one destination.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Packet {
    pub destination: IpAddr,
    /// What follows the IP header.
    pub payload: Vec<u8>,
}

/// Makes the packets that one virtual router sends.
#[derive(Clone, Debug)]
pub struct Outgoing {
    settings: Settings,
    signer: Option<Signer>,
}

impl Outgoing {
    /// # Errors
    /// The keys make no keyring.
    pub fn new(settings: Settings) -> Result<Self, KeyError> {
        let signer = settings.signer()?;
        Ok(Self { settings, signer })
    }

    /// Other settings, of which signatures go on in order.
    ///
    /// # Errors
    /// As [`new`](Self::new); nothing has changed then.
    pub fn reconfigure(&mut self, settings: Settings) -> Result<(), KeyError> {
        let new = settings.signer()?;
        let signer = match (self.signer.take(), new) {
            (Some(signer), Some(new)) => Some(signer.followed_by(new)),
            (_, new) => new,
        };
        *self = Self { settings, signer };
        Ok(())
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One advertisement, as a packet for each destination. `priority` is `None` to let go; `wall` is the time since
    /// the epoch.
    ///
    /// # Errors
    /// The version or a destination's family cannot say it.
    pub fn advert(&mut self, priority: Option<Priority>, wall: Duration) -> Result<Vec<Packet>, EncodeError> {
        let mut packets = self.unsigned(priority)?;
        if let Some(signer) = &mut self.signer {
            packets.iter_mut().for_each(|packet| signer.sign(packet, wall));
        }
        Ok(packets)
    }

    /// As [`advert`](Self::advert), before it is signed.
    ///
    /// # Errors
    /// As [`advert`](Self::advert).
    pub fn unsigned(&self, priority: Option<Priority>) -> Result<Vec<Packet>, EncodeError> {
        let Settings { vrid, version, interval, ref addresses, source, checksum, password, .. } =
            self.settings;
        let advert = Advert { vrid, priority, interval, addresses: addresses.clone() };
        let packet = |&destination: &IpAddr| {
            let endpoints = Endpoints::new(source, destination).ok_or(EncodeError::Family)?;
            let encoding = match version {
                Version::V2 => Encoding::V2 { auth: password },
                Version::V3 => Encoding::V3 { endpoints, checksum },
            };
            Ok(Packet { destination, payload: encode(&advert, encoding)? })
        };
        self.settings.destinations.iter().map(packet).collect()
    }
}

impl Settings {
    /// Whether packets are signed, and how.
    pub fn signs(&self) -> Option<&Authentication> {
        self.authentication.as_ref().filter(|authentication| match authentication.mode {
            Mode::ReceiveOnly => false,
            Mode::Permissive | Mode::Enforce => true,
        })
    }

    pub fn context(&self) -> Context {
        Context { version: self.version, vrid: self.vrid, source: self.source }
    }

    fn signer(&self) -> Result<Option<Signer>, KeyError> {
        let Some(authentication) = self.signs() else { return Ok(None) };
        let settings = auth_settings(authentication)?;
        Ok(Some(Signer::new(self.context(), settings)))
    }
}

/// For an [`Authenticator`], be it to sign or to verify.
///
/// # Errors
/// The keys make no keyring.
pub fn auth_settings(authentication: &Authentication) -> Result<auth::Settings, KeyError> {
    let &Authentication { ref keys, mode, anti_replay } = authentication;
    let active = keys.first().map(|key| key.id).ok_or(KeyError::Length(0))?;
    let keys = keys.iter().map(|key| Key::new(key.id, &key.secret.0)).collect::<Result<_, _>>()?;
    Ok(auth::Settings { keys: Keyring::new(keys, active)?, mode, anti_replay })
}

/// Signs the packets of one virtual router and source, each with a later sequence number than the one before.
///
/// Numbers come from the clock: of two signers of one source each is believed, if it signs after the other.
#[derive(Clone, Debug)]
pub struct Signer {
    context: Context,
    settings: auth::Settings,
    authenticator: Authenticator,
}

impl Signer {
    pub fn new(context: Context, settings: auth::Settings) -> Self {
        let authenticator = Authenticator::new(settings.clone());
        Self { context, settings, authenticator }
    }

    fn followed_by(mut self, Self { context, settings, .. }: Self) -> Self {
        self.authenticator.reconfigure(settings.clone());
        Self { context, settings, authenticator: self.authenticator }
    }

    /// Appends the trailer, which an IPv6 checksum covers as well. `wall` is the time since the epoch.
    pub fn sign(&mut self, packet: &mut Packet, wall: Duration) {
        self.authenticator.sign(&self.context, &mut packet.payload, wall);
        if let Some(endpoints @ Endpoints::V6 { .. }) =
            Endpoints::new(self.context.source, packet.destination)
        {
            seal_ipv6(&mut packet.payload, endpoints);
        }
    }
}
