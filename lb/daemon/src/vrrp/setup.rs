//! From the configuration to what a machine and its edge need.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lb_core::config::{Authentication, VirtualRouter};
use lb_core::vrrp::packet::auth::{self, AntiReplay, Key, Keyring, Mode};
use lb_core::vrrp::packet::{ChecksumForm, Expected, TTL};
use lb_core::vrrp::{Addresses, AuthV2, Family, Settings, Version};

use super::adverts::{GROUP_V4, GROUP_V6};
use super::outgoing::{Signing, Spec};

pub(super) fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}

pub(super) fn settings(
    router: &VirtualRouter,
    addresses: Addresses,
    source: IpAddr,
    grouped: bool,
) -> Settings {
    Settings {
        version: router.version,
        priority: router.priority,
        interval: router.advert_interval,
        down_adverts: router.down_adverts,
        preempt: router.preempt,
        addresses,
        source,
        grouped,
        announce: router.announce.again,
    }
}

pub(super) fn expected(router: &VirtualRouter, addresses: &Addresses) -> Expected {
    Expected {
        version: router.version,
        vrid: router.vrid,
        interval: router.advert_interval,
        least_ttl: if router.peers.is_empty() { TTL } else { router.least_ttl },
        // who does not follow the rule cannot ask others to
        link_local_first: addresses.starts_link_local(),
        auth: router.password,
    }
}

/// What advertisements of one family are made of, when they come from `source`.
pub(super) fn spec(router: &VirtualRouter, family: Family, source: IpAddr) -> Spec {
    let peers: Vec<IpAddr> = router.peers_of(family).collect();
    let destinations = match (peers.is_empty(), family) {
        (false, _) => peers,
        (true, Family::V4) => vec![GROUP_V4.into()],
        (true, Family::V6) => vec![GROUP_V6.into()],
    };
    Spec {
        version: match router.version {
            Version::V2 => 2,
            Version::V3 => 3,
        },
        vrid: router.vrid.get(),
        interval: router.advert_interval.get(),
        addresses: router.addresses_of(family).map(|address| address.addr()).collect(),
        source,
        destinations,
        message_only: router.checksum == ChecksumForm::MessageOnly,
        password: match router.password {
            AuthV2::None => None,
            AuthV2::Password(password) => Some(password.bytes()),
        },
        signing: router.authentication.as_ref().and_then(signing),
    }
}

fn signing(authentication: &Authentication) -> Option<Signing> {
    let key = authentication.keys.first()?;
    let window = match authentication.anti_replay {
        AntiReplay::Time(window) => Some(window.get().as_secs()),
        AntiReplay::Monotonic => None,
    };
    let signing = Signing { key: key.id, secret: key.secret.0.clone(), window };
    (authentication.mode != Mode::ReceiveOnly).then_some(signing)
}

/// `None` when nothing is authenticated; the configuration's keys are good ones.
pub(super) fn authentication(router: &VirtualRouter) -> Option<auth::Settings> {
    let authentication = router.authentication.as_ref()?;
    let keys: Result<Vec<Key>, _> =
        authentication.keys.iter().map(|key| Key::new(key.id, &key.secret.0)).collect();
    let active = authentication.keys.first()?.id;
    let keys = Keyring::new(keys.ok()?, active).ok()?;
    let (mode, anti_replay) = (authentication.mode, authentication.anti_replay);
    Some(auth::Settings { keys, mode, anti_replay })
}
