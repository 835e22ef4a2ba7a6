//! `track:` of a virtual router.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use settings::{Faults, Node, Problem, Section, Setting, Value, between, not_zero};

use super::Interface;
use crate::config::read::value::plain_name;
use crate::config::{Host, Listener, Track, Tracked, TrackedCommand, TrackedPool};

/// Without `pools`, those of the listeners that serve the addresses.
pub(super) fn track(
    section: Option<Section<'_>>,
    addresses: &[IpNet],
    listeners: &[Listener],
    host: &dyn Host,
) -> Track {
    let served = || served_pools(addresses, listeners);
    let Some(mut section) = section else { return Track { pools: served(), ..Track::default() } };
    let faults = section.faults();
    let pools = match section.node("pools") {
        None => served(),
        Some(node) if node.value == Value::Text("off".to_owned()) => Vec::new(),
        Some(_) => section.items("pools").into_iter().filter_map(|node| pool(node, faults)).collect(),
    };
    let interfaces = section.items("interfaces").into_iter();
    let commands = section.items("commands").into_iter();
    let files = section.items("files").into_iter();
    let track = Track {
        pools,
        interfaces: interfaces
            .filter_map(|node| tracked::<Interface>(node, "name", faults))
            .map(|Tracked { what, weight }| Tracked { what: what.0, weight })
            .collect(),
        commands: commands.filter_map(|node| tracked_command(Section::open(node, faults)?, host)).collect(),
        files: files.filter_map(|node| tracked(node, "file", faults)).collect(),
    };
    section.finish();
    track
}

fn served_pools(addresses: &[IpNet], listeners: &[Listener]) -> Vec<TrackedPool> {
    let mut pools: Vec<TrackedPool> = Vec::new();
    for listener in listeners {
        let serves = listener.binds.iter().any(|bind| {
            let ip = bind.ip();
            addresses
                .iter()
                .map(IpNet::addr)
                .any(|virtual_| ip == virtual_ || ip.is_unspecified() && ip.is_ipv4() == virtual_.is_ipv4())
        });
        if serves && pools.iter().all(|pool| pool.pool != listener.pool) {
            pools.push(TrackedPool { pool: listener.pool.clone(), quorum: 1 });
        }
    }
    pools
}

/// A pool's name, or a section with it.
fn pool(node: &Node, faults: &Faults) -> Option<TrackedPool> {
    let Value::Map(_) = node.value else {
        return bare(node, faults).map(|pool| TrackedPool { pool, quorum: 1 });
    };
    let mut section = Section::open(node, faults)?;
    let pool = section.required("name");
    let quorum = section.checked("quorum", 1, between(1, 1000));
    section.finish();
    Some(TrackedPool { pool: pool?, quorum })
}

/// The thing, or a section that has it under `key`.
fn tracked<T: Setting>(node: &Node, key: &'static str, faults: &Faults) -> Option<Tracked<T>> {
    let Value::Map(_) = node.value else {
        return bare(node, faults).map(|what| Tracked { what, weight: None });
    };
    let mut section = Section::open(node, faults)?;
    let what = section.required(key);
    let weight = weight(&mut section);
    section.finish();
    Some(Tracked { what: what?, weight })
}

fn bare<T: Setting>(node: &Node, faults: &Faults) -> Option<T> {
    T::read(node).map_err(|problem| faults.at(node, problem)).ok()
}

fn weight(section: &mut Section<'_>) -> Option<i16> {
    section.checked_or_off("weight", None, |weight| match weight {
        0 => Err(Problem::new("a weight of 0 does nothing", "write `off`, or a number from -253 to 253")),
        _ => between(-253, 253)(weight),
    })
}

fn tracked_command(mut section: Section<'_>, host: &dyn Host) -> Option<Tracked<TrackedCommand>> {
    let name: Option<String> = section.required("name");
    if let Some(Err(problem)) = name.as_deref().map(plain_name) {
        section.fault("name", problem);
    }
    let command = command(&mut section, host);
    if command.is_none() {
        section.missing("command", "add `command: [PROGRAM, ARGUMENT …]`");
    }
    let interval = section.checked("interval", Duration::from_secs(1), not_zero);
    let timeout = section.checked("timeout", interval, not_zero);
    let rise = section.checked("rise", 1, between(1, 1000));
    let fall = section.checked("fall", 1, between(1, 1000));
    let weight = weight(&mut section);
    section.finish();
    let what = TrackedCommand { name: name?, command: command?, interval, timeout, rise, fall };
    Some(Tracked { what, weight })
}

/// `command:`, a program and its arguments.
pub(super) fn command(section: &mut Section<'_>, host: &dyn Host) -> Option<Vec<String>> {
    let words: Vec<String> = section.list("command");
    let program = words.first()?;
    let checked = if program.starts_with('/') {
        host.program(&PathBuf::from(program))
    } else {
        Err(Problem::new("a program is named by its whole path", "write `command: [/PATH/PROGRAM, …]`"))
    };
    if let Err(problem) = checked {
        section.fault("command", problem);
    }
    Some(words)
}
