//! From "send an advertisement of this priority" to packets: for the thread of the virtual routers, and for the
//! guard, which may have to say a last word in its place.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use lb_core::vrrp::packet::auth::{self, AntiReplay, Authenticator, Context, Key, Keyring, Mode, Window};
use lb_core::vrrp::packet::{self, Advert, ChecksumForm, Encoding, Password};
use lb_core::vrrp::{Addresses, AdvertInterval, AuthV2, Endpoints, Family, Priority, Version, Vrid};
use serde::{Deserialize, Serialize};

/// All that the advertisements of one virtual router are made of, in a form that can be handed to another process.
#[derive(Clone, Deserialize, Serialize)]
pub struct Spec {
    pub version: u8,
    pub vrid: u8,
    pub interval: Duration,
    pub addresses: Vec<IpAddr>,
    pub source: IpAddr,
    /// The multicast group, or unicast peers.
    pub destinations: Vec<IpAddr>,
    /// Version 3 over IPv4: the checksum covers no pseudo header.
    pub message_only: bool,
    pub password: Option<[u8; 8]>,
    pub signing: Option<Signing>,
}

/// What it takes to sign.
#[derive(Clone, Deserialize, Serialize)]
pub struct Signing {
    pub key: NonZeroU8,
    pub secret: Vec<u8>,
    /// Seconds; `None` = sequence numbers need only grow.
    pub window: Option<u64>,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spec").field("vrid", &self.vrid).field("source", &self.source).finish_non_exhaustive()
    }
}

/// Makes the packets of one virtual router.
#[derive(Debug)]
pub struct Outgoing {
    version: Version,
    vrid: Vrid,
    interval: AdvertInterval,
    addresses: Addresses,
    source: IpAddr,
    destinations: Vec<IpAddr>,
    checksum: ChecksumForm,
    password: AuthV2,
    authenticator: Option<Authenticator>,
}

impl Outgoing {
    /// `None` for a spec that describes no virtual router.
    pub fn new(spec: &Spec) -> Option<Self> {
        let version = match spec.version {
            2 => Version::V2,
            _ => Version::V3,
        };
        let password = match &spec.password {
            None => AuthV2::None,
            Some(bytes) => AuthV2::Password(Password::new(bytes)?),
        };
        Some(Self {
            version,
            vrid: Vrid::try_from(spec.vrid).ok()?,
            interval: AdvertInterval::new(version, spec.interval).ok()?,
            addresses: Addresses::new(spec.addresses.clone()).ok()?,
            source: spec.source,
            destinations: spec.destinations.clone(),
            checksum: if spec.message_only { ChecksumForm::MessageOnly } else { ChecksumForm::PseudoHeader },
            password,
            authenticator: match &spec.signing {
                None => None,
                Some(signing) => Some(signing.authenticator()?),
            },
        })
    }

    /// The same, but for what `spec` says; the sequence of what was signed goes on.
    pub fn update(&mut self, spec: &Spec) {
        let Some(new) = Self::new(spec) else { return };
        let sequence = self.authenticator.take().filter(|_| new.authenticator.is_some());
        *self = new;
        if let (Some(mut before), Some(signing)) =
            (sequence, spec.signing.as_ref().and_then(Signing::settings))
        {
            before.reconfigure(signing);
            self.authenticator = Some(before);
        }
    }

    /// What goes to each destination. `wall` is the time since the epoch.
    pub fn advert(&mut self, priority: Option<Priority>, wall: Duration) -> Vec<(IpAddr, Vec<u8>)> {
        let Self { vrid, interval, source, version, .. } = *self;
        let advert = Advert { vrid, priority, interval, addresses: self.addresses.clone() };
        let context = Context { version, vrid, source };
        let mut packets = Vec::with_capacity(self.destinations.len());
        for destination in &self.destinations {
            let Some(endpoints) = Endpoints::new(source, *destination) else { continue };
            let encoding = match version {
                Version::V2 => Encoding::V2 { auth: self.password },
                Version::V3 => Encoding::V3 { endpoints, checksum: self.checksum },
            };
            let Ok(mut packet) = packet::encode(&advert, encoding) else { continue };
            if let Some(authenticator) = &mut self.authenticator {
                authenticator.sign(&context, &mut packet, wall);
                if endpoints.family() == Family::V6 {
                    packet::seal_ipv6(&mut packet, endpoints);
                }
            }
            packets.push((*destination, packet));
        }
        packets
    }
}

impl Signing {
    fn settings(&self) -> Option<auth::Settings> {
        let keys = Keyring::new(vec![Key::new(self.key, &self.secret).ok()?], self.key).ok()?;
        let anti_replay = match self.window {
            None => AntiReplay::Monotonic,
            Some(seconds) => AntiReplay::Time(Window::from_secs(seconds).ok()?),
        };
        Some(auth::Settings { keys, mode: Mode::Enforce, anti_replay })
    }

    fn authenticator(&self) -> Option<Authenticator> {
        self.settings().map(Authenticator::new)
    }
}

#[cfg(test)]
mod tests {
    use lb_core::vrrp::packet::{Datagram, Expected, TTL};

    use super::*;

    fn spec() -> Spec {
        Spec {
            version: 3,
            vrid: 51,
            interval: Duration::from_secs(1),
            addresses: vec!["192.0.2.100".parse().unwrap()],
            source: "198.51.100.10".parse().unwrap(),
            destinations: vec!["224.0.0.18".parse().unwrap(), "192.0.2.10".parse().unwrap()],
            message_only: false,
            password: None,
            signing: None,
        }
    }

    fn packets(spec: &Spec) -> Vec<Vec<u8>> {
        let priority = Priority::try_from(200).unwrap();
        let advert = Outgoing::new(spec).unwrap().advert(Some(priority), Duration::from_secs(1));
        advert.into_iter().map(|(_, packet)| packet).collect()
    }

    const HEAD: [u8; 6] = [0x31, 0x33, 0xc8, 0x01, 0x00, 0x64];

    #[test]
    fn each_destination_has_its_checksum() {
        let of_group = [&HEAD[..], &[0x39, 0x35, 192, 0, 2, 100]].concat();
        let of_peer = [&HEAD[..], &[0x57, 0x3d, 192, 0, 2, 100]].concat();
        assert_eq!(packets(&spec()), [of_group, of_peer]);
        let message_only = [&HEAD[..], &[0x44, 0x02, 192, 0, 2, 100]].concat();
        let spec = Spec { message_only: true, ..spec() };
        assert_eq!(packets(&spec), [message_only.clone(), message_only]);
    }

    #[test]
    fn ipv6_and_version_2() {
        let six = Spec {
            addresses: vec!["fe80::100".parse().unwrap()],
            source: "fe80::10".parse().unwrap(),
            destinations: vec!["ff02::12".parse().unwrap()],
            ..spec()
        };
        assert_eq!(packets(&six)[0][6..8], [0x08, 0xb8]);
        let two = Spec { version: 2, password: Some(*b"1234\0\0\0\0"), ..spec() };
        assert_eq!(packets(&two)[0][..8], [0x21, 0x33, 0xc8, 0x01, 0x01, 0x01, 0xee, 0xfe]);
    }

    #[test]
    fn what_another_process_signs_later_is_no_replay() {
        let mut signed = spec();
        signed.signing = Some(Signing { key: NonZeroU8::MIN, secret: vec![7; 32], window: Some(5) });
        // as it arrives in the guard
        let handed: Spec = serde_json::from_str(&serde_json::to_string(&signed).unwrap()).unwrap();
        let (mut here, mut there) = (Outgoing::new(&signed).unwrap(), Outgoing::new(&handed).unwrap());
        let mut verifier = signed.signing.as_ref().unwrap().authenticator().unwrap();
        let mut accepts = |packets: Vec<(IpAddr, Vec<u8>)>, wall| {
            let (destination, packet) = &packets[0];
            let endpoints = Endpoints::new(signed.source, *destination).unwrap();
            let datagram = Datagram { endpoints, ttl: TTL, payload: packet };
            let version = Version::V3;
            let expected = Expected {
                version,
                vrid: Vrid::try_from(51).unwrap(),
                interval: AdvertInterval::SECOND,
                least_ttl: TTL,
                link_local_first: false,
                auth: AuthV2::None,
            };
            let received = packet::decode(&datagram, &expected).unwrap();
            let context = Context { version, vrid: expected.vrid, source: signed.source };
            verifier.verify(&context, &received, wall).is_ok()
        };
        let millis = Duration::from_millis;
        let packets = here.advert(None, millis(100_000));
        assert!(accepts(packets, millis(100_000)));
        let packets = there.advert(None, millis(100_001));
        assert!(accepts(packets.clone(), millis(100_001)));
        assert!(!accepts(packets, millis(100_002)), "a replay");
    }

    #[test]
    fn a_spec_shows_no_secret() {
        let signing = Some(Signing { key: NonZeroU8::MIN, secret: vec![0x5e; 32], window: None });
        let text = format!("{:?}", Spec { signing, password: Some(*b"password"), ..spec() });
        assert!(!text.contains("94") && !text.contains("password"), "{text}");
    }
}
