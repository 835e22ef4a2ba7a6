//! Virtual routers: what changes, and what of it leaves their state alone.

use std::time::Duration;

use super::written::{Entries, Written, differences};
use super::{Change, FieldChange};
use crate::config::{
    Announce, Authentication, KeyFile, Notify, Track, Tracked, TrackedCommand, TrackedPool, VirtualRouter,
};
use crate::vrrp::packet::ChecksumForm;
use crate::vrrp::packet::auth::{AntiReplay, Mode};
use crate::vrrp::{AnnounceAgain, AuthV2, Preempt, Version};

const SECRET: &str = "a secret";

pub(super) fn changes(old: &[VirtualRouter], new: &[VirtualRouter], changes: &mut Vec<Change>) {
    for router in new {
        let name = || router.name.clone();
        let Some(before) = old.iter().find(|candidate| candidate.name == router.name) else {
            let addresses = router.addresses.iter().map(ToString::to_string).collect();
            changes.push(Change::VirtualRouterAdded { router: name(), addresses });
            continue;
        };
        let replaced = differences(&identity(before), &identity(router)).into_iter();
        changes.extend(replaced.map(|field| Change::VirtualRouterReplaced { router: name(), field }));
        let changed = differences(&settings(before), &settings(router)).into_iter();
        changes.extend(changed.map(|field| Change::VirtualRouterChanged { router: name(), field }));
        // the file looks the same, and what it hides is another
        let same_keys = before.authentication.as_ref().map(authentication)
            == router.authentication.as_ref().map(authentication);
        let both = before.password != AuthV2::None && router.password != AuthV2::None;
        for (name, is_other) in [
            ("authentication.keys", same_keys && before.authentication != router.authentication),
            ("password", both && before.password != router.password),
        ] {
            if is_other {
                let (from, to) = (SECRET.to_owned(), "another one".to_owned());
                let field = FieldChange { name: name.to_owned(), from, to };
                changes.push(Change::VirtualRouterChanged { router: router.name.clone(), field });
            }
        }
    }
    for router in old.iter().filter(|router| new.iter().all(|candidate| candidate.name != router.name)) {
        changes.push(Change::VirtualRouterRemoved { router: router.name.clone() });
    }
}

impl VirtualRouter {
    /// Whether one becomes the other without leaving its state.
    #[must_use]
    pub fn is_same_router(&self, other: &Self) -> bool {
        self.name == other.name && identity(self) == identity(other)
    }
}

fn identity(router: &VirtualRouter) -> Entries {
    let version = match router.version {
        Version::V2 => "2",
        Version::V3 => "3",
    };
    let families: Vec<_> = router.families().collect();
    vec![
        ("interface", Written::word(&router.interface)),
        ("vrid", Written::word(router.vrid.get())),
        ("version", Written::word(version)),
        ("source", Written::list(&router.sources)),
        ("unicast_peers", Written::list(&router.peers)),
        ("unicast_min_ttl", Written::word(router.least_ttl)),
        ("checksum", Written::word(checksum(router.checksum))),
        ("group", Written::or_off(router.group.as_deref())),
        ("virtual_mac", Written::word(router.virtual_mac)),
        ("families", Written::list(&families)),
    ]
}

fn settings(router: &VirtualRouter) -> Entries {
    let VirtualRouter {
        name: _,
        interface: _,
        vrid: _,
        version: _,
        sources: _,
        peers: _,
        least_ttl: _,
        checksum: _,
        group: _,
        virtual_mac: _,
        priority,
        advert_interval,
        down_adverts,
        preempt,
        addresses,
        authentication: authenticated,
        password,
        announce: announced,
        track: tracked,
        notify: notified,
    } = router;
    let (preempts, delay) = match *preempt {
        Preempt::Never => (false, Duration::ZERO),
        Preempt::AtOnce => (true, Duration::ZERO),
        Preempt::After(delay) => (true, delay),
    };
    vec![
        ("priority", Written::word(priority)),
        ("advert_interval", Written::time(advert_interval.get())),
        ("down_adverts", Written::word(down_adverts)),
        ("preempt", Written::word(preempts)),
        ("preempt_delay", Written::time(delay)),
        ("addresses", Written::list(addresses)),
        ("password", Written::or_off((*password != AuthV2::None).then_some(SECRET))),
        ("authentication", Written::part(authenticated.as_ref().map(authentication))),
        ("announce", Written::Section(announce(*announced))),
        ("track", Written::Section(track(tracked))),
        ("notify", Written::part(notified.as_ref().map(notify))),
    ]
}

fn checksum(form: ChecksumForm) -> &'static str {
    match form {
        ChecksumForm::MessageOnly => "rfc9568",
        ChecksumForm::PseudoHeader => "rfc5798",
    }
}

fn authentication(authentication: &Authentication) -> Entries {
    let Authentication { keys, mode, anti_replay } = authentication;
    let key = |KeyFile { id, file, secret: _ }: &KeyFile| format!("{{ id: {id}, file: {} }}", file.display());
    let mode = match mode {
        Mode::ReceiveOnly => "receive_only",
        Mode::Permissive => "permissive",
        Mode::Enforce => "enforce",
    };
    let anti_replay = match anti_replay {
        AntiReplay::Time(window) => Written::time(window.get()),
        AntiReplay::Monotonic => Written::word("monotonic"),
    };
    vec![
        ("keys", Written::list(&keys.iter().map(key).collect::<Vec<_>>())),
        ("mode", Written::word(mode)),
        ("anti_replay", anti_replay),
    ]
}

fn announce(Announce { count, again: AnnounceAgain { after, every } }: Announce) -> Entries {
    vec![
        ("count", Written::word(count)),
        ("again_after", Written::time_or_off(after)),
        ("every", Written::time_or_off(every)),
    ]
}

fn track(Track { pools, interfaces, commands, files }: &Track) -> Entries {
    let pool = |TrackedPool { pool, quorum }: &TrackedPool| match quorum {
        1 => pool.clone(),
        _ => format!("{{ name: {pool}, quorum: {quorum} }}"),
    };
    let pools: Vec<String> = pools.iter().map(pool).collect();
    vec![
        ("pools", if pools.is_empty() { Written::or_off::<&str>(None) } else { Written::list(&pools) }),
        ("interfaces", weighted(interfaces, "name", String::clone)),
        ("commands", Written::list(&commands.iter().map(command).collect::<Vec<_>>())),
        ("files", weighted(files, "file", |file| file.display().to_string())),
    ]
}

fn weighted<T>(items: &[Tracked<T>], key: &str, show: impl Fn(&T) -> String) -> Written {
    let item = |item: &Tracked<T>| match item.weight {
        None => show(&item.what),
        Some(weight) => format!("{{ {key}: {}, weight: {weight} }}", show(&item.what)),
    };
    Written::list(&items.iter().map(item).collect::<Vec<_>>())
}

fn command(Tracked { what, weight }: &Tracked<TrackedCommand>) -> Written {
    let TrackedCommand { name, command, interval, timeout, rise, fall } = what;
    Written::Section(vec![
        ("name", Written::word(name)),
        ("command", Written::list(command)),
        ("interval", Written::time(*interval)),
        ("timeout", Written::time(*timeout)),
        ("rise", Written::word(rise)),
        ("fall", Written::word(fall)),
        ("weight", Written::or_off(*weight)),
    ])
}

fn notify(Notify { command, webhook, timeout }: &Notify) -> Entries {
    vec![
        ("command", Written::or_off(command.as_ref().map(|words| format!("[{}]", words.join(", "))))),
        ("webhook", Written::or_off(webhook.as_deref())),
        ("timeout", Written::time(*timeout)),
    ]
}
