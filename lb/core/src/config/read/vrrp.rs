//! `vrrp:`.

mod authentication;
mod track;

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use ipnet::IpNet;
use settings::{Node, Problem, Section, Setting, Value, between, not_zero};

use super::value::plain_name;
use crate::config::{Announce, Host, Listener, Notify, VirtualRouter, family_of};
use crate::vrrp::packet::{ChecksumForm, Password, TTL};
use crate::vrrp::{
    AdvertInterval, AnnounceAgain, AuthV2, DOWN_ADVERTS, Family, Preempt, Priority, UNABLE_MAX, Version, Vrid,
};

/// High, because a Backup waits the longer the lower its priority is.
const DEFAULT_PRIORITY: Priority = Priority::OWNER.minus(5);

pub(super) fn router(
    mut section: Section<'_>,
    listeners: &[Listener],
    host: &dyn Host,
) -> Option<VirtualRouter> {
    let name: Option<String> = section.required("name");
    if let Some(Err(problem)) = name.as_deref().map(plain_name) {
        section.fault("name", problem);
    }
    let interface = section.required::<Interface>("interface").map(|interface| interface.0);
    let vrid: Option<Vrid> = section.required("vrid");
    let version = section.or("version", Version::V3);
    let priority = section.checked("priority", DEFAULT_PRIORITY, able);
    let advert_interval = advert_interval(&mut section, version);
    let down_adverts = section.checked("down_adverts", DOWN_ADVERTS.get(), between(2, 100));
    let preempt = preempt(&mut section);
    let addresses = addresses(&mut section, version);
    let sources = sources(&mut section);
    let peers: Vec<IpAddr> = section.list("unicast_peers");
    let least_ttl = section.checked("unicast_min_ttl", TTL, between(1, TTL));
    let forms = [("rfc5798", ChecksumForm::PseudoHeader), ("rfc9568", ChecksumForm::MessageOnly)];
    let checksum = section.choice("checksum", &forms, ChecksumForm::default());
    let password = password(&mut section, version);
    let authentication = section
        .section("authentication")
        .and_then(|section| authentication::authentication(section, advert_interval, host));
    let group: Option<String> = section.optional("group");
    if let Some(Err(problem)) = group.as_deref().map(plain_name) {
        section.fault("group", problem);
    }
    let announce = announce(section.section("announce"));
    let track = track::track(section.section("track"), &addresses, listeners, host);
    let notify = section.section("notify").and_then(|section| notify(section, host));
    let virtual_mac = section.or("virtual_mac", false);
    section.finish();
    Some(VirtualRouter {
        name: name?,
        interface: interface?,
        vrid: vrid?,
        version,
        priority,
        advert_interval,
        down_adverts: NonZeroU8::new(down_adverts).unwrap_or(DOWN_ADVERTS),
        preempt,
        addresses,
        sources,
        peers,
        least_ttl,
        checksum,
        password,
        authentication,
        group,
        announce,
        track,
        notify,
        virtual_mac,
    })
}

/// A name as the kernel has them.
#[derive(Clone, Debug)]
struct Interface(String);

impl Setting for Interface {
    const EXPECTED: &'static str = "the name of an interface, such as eth0";

    fn read(node: &Node) -> Result<Self, Problem> {
        let name = String::read(node)?;
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
        if name.len() <= 15 && name.chars().all(plain) && name != "." && name != ".." {
            Ok(Self(name))
        } else {
            Err(Problem::new(
                "this is not the name of an interface",
                "use up to 15 letters, digits and - _ .",
            ))
        }
    }
}

impl Setting for Vrid {
    const EXPECTED: &'static str = "a number from 1 to 255, the same on all routers of these addresses";

    fn read(node: &Node) -> Result<Self, Problem> {
        small(node).and_then(|number| Self::try_from(number).ok()).ok_or_else(|| {
            Problem::new("this is not a virtual router id", format!("write {}", Self::EXPECTED))
        })
    }
}

impl Setting for Version {
    const EXPECTED: &'static str = "2 or 3";

    fn read(node: &Node) -> Result<Self, Problem> {
        match small(node) {
            Some(2) => Ok(Self::V2),
            Some(3) => Ok(Self::V3),
            Some(_) | None => Err(Problem::new("this version of VRRP is not known", "write 2 or 3")),
        }
    }
}

impl Setting for Priority {
    const EXPECTED: &'static str = "a number from 11 to 255";

    fn read(node: &Node) -> Result<Self, Problem> {
        small(node)
            .and_then(|number| Self::try_from(number).ok())
            .ok_or_else(|| Problem::new("this is not a priority", format!("write {}", Self::EXPECTED)))
    }
}

fn small(node: &Node) -> Option<u8> {
    match node.value {
        Value::Int(number) => u8::try_from(number).ok(),
        Value::Null | Value::Bool(_) | Value::Float(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            None
        }
    }
}

fn able(priority: &Priority) -> Result<(), Problem> {
    if priority.is_able() {
        return Ok(());
    }
    let problem = format!("priorities up to {UNABLE_MAX} say \"I cannot serve\" to the other routers");
    Err(Problem::new(problem, format!("write {}", Priority::EXPECTED)))
}

/// A second in version 2, which has no less; a tenth in version 3.
fn advert_interval(section: &mut Section<'_>, version: Version) -> AdvertInterval {
    let default = match version {
        Version::V2 => AdvertInterval::SECOND,
        Version::V3 => AdvertInterval::TENTH,
    };
    let Some(interval) = section.optional::<Duration>("advert_interval") else { return default };
    AdvertInterval::new(version, interval).unwrap_or_else(|error| {
        let advice = match version {
            Version::V2 => "write whole seconds, or use version 3",
            Version::V3 => "write a multiple of 10ms",
        };
        section.fault("advert_interval", Problem::new(error.to_string(), advice));
        default
    })
}

fn preempt(section: &mut Section<'_>) -> Preempt {
    let preempts = section.or("preempt", true);
    let delay = section.checked("preempt_delay", Duration::ZERO, |_| Ok(()));
    match (preempts, delay.is_zero()) {
        (true, true) => Preempt::AtOnce,
        (true, false) => Preempt::After(delay),
        (false, true) => Preempt::Never,
        (false, false) => {
            let problem = "with `preempt: false` there is nothing to delay";
            section.fault("preempt_delay", Problem::new(problem, "remove one of the two"));
            Preempt::Never
        }
    }
}

fn addresses(section: &mut Section<'_>, version: Version) -> Vec<IpNet> {
    let addresses: Vec<IpNet> = section.list("addresses");
    if section.node("addresses").is_none() {
        section.missing("addresses", "add `addresses: [\"ADDRESS/LENGTH\"]`");
    }
    let complain = |problem: String, advice: &str| section.fault("addresses", Problem::new(problem, advice));
    for (position, address) in addresses.iter().enumerate() {
        let ip = address.addr();
        if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
            complain(format!("{ip} cannot be a virtual address"), "use a unicast address");
        }
        if addresses[..position].iter().any(|earlier| earlier.addr() == ip) {
            complain(format!("{ip} stands here twice"), "remove one of the two");
        }
    }
    if version == Version::V2 && addresses.iter().any(|address| address.addr().is_ipv6()) {
        complain("version 2 has no IPv6".to_owned(), "use version 3");
    }
    for family in [Family::V4, Family::V6] {
        if addresses.iter().filter(|address| family_of(address.addr()) == family).count() > 255 {
            complain(
                "an advertisement carries up to 255 addresses".to_owned(),
                "use a second virtual router",
            );
        }
    }
    addresses
}

fn sources(section: &mut Section<'_>) -> Vec<IpAddr> {
    let sources: Vec<IpAddr> = section.list("source");
    for family in [Family::V4, Family::V6] {
        if sources.iter().filter(|source| family_of(**source) == family).count() > 1 {
            let problem =
                Problem::new("there are two sources of one family", "write one, or one of each family");
            section.fault("source", problem);
        }
    }
    sources
}

fn password(section: &mut Section<'_>, version: Version) -> AuthV2 {
    let Some(text) = section.optional::<String>("password") else { return AuthV2::None };
    // its value is not to be shown
    let fault = |problem: &str, advice: &str| {
        section.faults().missing(section.path().key("password"), Problem::new(problem, advice));
    };
    if version != Version::V2 {
        fault("version 3 has no password", "use `authentication`, or version 2");
    }
    Password::new(text.as_bytes()).map_or_else(
        || {
            fault("a password has at most 8 bytes", "write a shorter one");
            AuthV2::None
        },
        AuthV2::Password,
    )
}

fn announce(section: Option<Section<'_>>) -> Announce {
    let mut announce = Announce { count: 5, again: AnnounceAgain::default() };
    let Some(mut section) = section else { return announce };
    let AnnounceAgain { after, every } = announce.again;
    announce.count = section.checked("count", announce.count, between(1, 100));
    announce.again.after = section.checked_or_off("again_after", after, not_zero);
    announce.again.every = section.checked_or_off("every", every, not_zero);
    section.finish();
    announce
}

fn notify(mut section: Section<'_>, host: &dyn Host) -> Option<Notify> {
    let command = track::command(&mut section, host);
    let webhook = section.optional::<Webhook>("webhook").map(|webhook| webhook.0);
    let timeout = section.checked("timeout", Duration::from_secs(10), not_zero);
    if command.is_none() && webhook.is_none() {
        section.missing("command", "add `command: [PROGRAM, ARGUMENT …]`, or `webhook: \"http://…\"`");
    }
    section.finish();
    Some(Notify { command, webhook, timeout })
}

#[derive(Clone, Debug)]
struct Webhook(String);

impl Setting for Webhook {
    const EXPECTED: &'static str = "a URL such as http://alerts.example:9095/hook";

    fn read(node: &Node) -> Result<Self, Problem> {
        let problem = || Problem::new("this is not a URL of HTTP", format!("write {}", Self::EXPECTED));
        let url = String::read(node).map_err(|_| problem())?;
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or("");
        let host = rest.split('/').next().unwrap_or("");
        let is_plain = url.chars().all(|c| c.is_ascii_graphic()) && !host.contains('@');
        if is_plain && !host.is_empty() { Ok(Self(url)) } else { Err(problem()) }
    }
}
