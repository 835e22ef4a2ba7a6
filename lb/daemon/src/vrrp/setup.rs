//! From the configuration to what a machine and its edge need.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lb_core::config::VirtualRouter;
use lb_core::vrrp::packet::auth::{self, Authenticator, Key, Keyring};
use lb_core::vrrp::packet::{Expected, TTL};
use lb_core::vrrp::{Addresses, Family, Settings};

use super::adverts::Outgoing;

/// Where adverts go that are for every router of the network.
const GROUP_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));
const GROUP_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12));

pub(super) fn unspecified(family: Family) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}

pub(super) fn settings(router: &VirtualRouter, addresses: Addresses, source: IpAddr, grouped: bool) -> Settings {
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

pub(super) fn expected(router: &VirtualRouter, family: Family) -> Expected {
    let starts_link_local = |family| {
        router.addresses_of(family).next().is_some_and(|first| match first.addr() {
            IpAddr::V4(_) => true,
            IpAddr::V6(first) => first.is_unicast_link_local(),
        })
    };
    Expected {
        version: router.version,
        vrid: router.vrid,
        interval: router.advert_interval,
        least_ttl: if router.peers.is_empty() { TTL } else { router.least_ttl },
        // who does not follow the rule cannot ask others to
        link_local_first: family == Family::V6 && starts_link_local(family),
        auth: router.password,
    }
}

pub(super) fn outgoing(router: &VirtualRouter, addresses: Addresses, source: IpAddr) -> Outgoing {
    let family = addresses.family();
    let peers: Vec<IpAddr> = router.peers_of(family).collect();
    let destinations = match (peers.is_empty(), family) {
        (false, _) => peers,
        (true, Family::V4) => vec![GROUP_V4],
        (true, Family::V6) => vec![GROUP_V6],
    };
    Outgoing {
        source,
        destinations,
        vrid: router.vrid,
        version: router.version,
        interval: router.advert_interval,
        addresses,
        checksum: router.checksum,
        password: router.password,
        authenticator: authenticator(router),
    }
}

/// `None` when nothing is authenticated; the configuration's keys are good ones.
pub(super) fn authenticator(router: &VirtualRouter) -> Option<Authenticator> {
    let authentication = router.authentication.as_ref()?;
    let keys: Result<Vec<Key>, _> =
        authentication.keys.iter().map(|key| Key::new(key.id, &key.secret.0)).collect();
    let active = authentication.keys.first()?.id;
    let keys = Keyring::new(keys.ok()?, active).ok()?;
    let (mode, anti_replay) = (authentication.mode, authentication.anti_replay);
    Some(Authenticator::new(auth::Settings { keys, mode, anti_replay }))
}
