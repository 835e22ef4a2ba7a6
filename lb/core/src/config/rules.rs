//! What no section can see alone: names, references, overlaps, sums.

mod virtual_routers;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use settings::{Faults, Node, Problem, Value};

use super::{Config, Pool};

/// Notes what is wrong between sections.
pub(super) fn check(config: &Config, tree: &Node, faults: &Faults) {
    unique(faults, &places(tree, "listeners"), "listener");
    unique(faults, &places(tree, "pools"), "pool");
    pools_exist(config, tree, faults);
    no_overlap(config, tree, faults);
    virtual_routers::check(config, tree, faults);
    for (pool, node) in located(&config.pools, |pool| &pool.name, tree, "pools") {
        unique(faults, &places(node, "servers"), "server of this pool");
        weights(pool, node, faults);
        addresses(pool, node, faults);
    }
}

/// The named items of a list, with their names.
fn places<'a>(node: &'a Node, key: &str) -> Vec<(&'a str, &'a Node)> {
    match node.get(key).map(|list| &list.value) {
        Some(Value::List(items)) => {
            items.iter().filter_map(|item| item.name().map(|name| (name, item))).collect()
        }
        _ => Vec::new(),
    }
}

/// Each item with its node; of two items with one name, the first is the first in the file.
fn located<'a, 't, T>(
    items: &'a [T],
    name: impl Fn(&T) -> &str,
    tree: &'t Node,
    key: &str,
) -> Vec<(&'a T, &'t Node)> {
    let mut places = places(tree, key);
    let mut take = |wanted: &str| {
        let position = places.iter().position(|(candidate, _)| *candidate == wanted)?;
        Some(places.remove(position).1)
    };
    items.iter().filter_map(|item| Some((item, take(name(item))?))).collect()
}

fn unique(faults: &Faults, items: &[(&str, &Node)], what: &str) {
    for (position, (name, node)) in items.iter().enumerate() {
        if items[..position].iter().any(|(earlier, _)| earlier == name) {
            let problem = Problem::new(format!("another {what} is called `{name}`"), "choose another name");
            faults.at(node.get("name").unwrap_or(node), problem);
        }
    }
}

fn pools_exist(config: &Config, tree: &Node, faults: &Faults) {
    let known: Vec<&str> = config.pools.iter().map(|pool| pool.name.as_str()).collect();
    for (listener, node) in located(&config.listeners, |listener| &listener.name, tree, "listeners") {
        if known.contains(&listener.pool.as_str()) {
            continue;
        }
        let problem = format!("no pool is called `{}`", listener.pool);
        let advice = format!("define it under `pools:`, or use one of {}", known.join(", "));
        place(faults, node, "pool", Problem::new(problem, advice));
    }
}

fn place(faults: &Faults, section: &Node, key: &str, problem: Problem) {
    match section.get(key) {
        Some(value) => faults.at(value, problem),
        None => faults.missing(section.path.clone(), problem),
    }
}

/// No two listeners, and no listener and the metrics endpoint, on one address and port.
fn no_overlap(config: &Config, tree: &Node, faults: &Faults) {
    let mut taken: BTreeMap<u16, Vec<(SocketAddr, String)>> = BTreeMap::new();
    if let Some(metrics) = config.metrics {
        taken.entry(metrics.listen.port()).or_default().push((metrics.listen, "`metrics.listen`".to_owned()));
    }
    for (listener, node) in located(&config.listeners, |listener| &listener.name, tree, "listeners") {
        let mut reported = false;
        for bind in &listener.binds {
            let at_port = taken.entry(bind.port()).or_default();
            let other = at_port.iter().find(|(other, _)| overlap(*bind, *other));
            if let (Some((address, owner)), false) = (other, reported) {
                let problem = format!("{bind} overlaps with {address} of {owner}");
                let advice = "give one of them another address or port";
                place(faults, node, "bind", Problem::new(problem, advice));
                reported = true;
            }
            at_port.push((*bind, format!("listener `{}`", listener.name)));
        }
    }
}

/// Whether one address takes from the other: the kernel lets both listen only as parts of one program. IPv6 sockets
/// are IPv6 only.
#[must_use]
pub fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
        && a.port() == b.port()
        && (a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified())
}

fn weights(pool: &Pool, node: &Node, faults: &Faults) {
    if !pool.servers.is_empty() && pool.servers.iter().all(|server| server.weight == 0) {
        let problem = "every server of this pool has weight 0: none would get a connection";
        let advice = "give at least one server a weight of 1 or more";
        place(faults, node, "servers", Problem::new(problem, advice));
    }
}

fn addresses(pool: &Pool, node: &Node, faults: &Faults) {
    let servers = located(&pool.servers, |server| &server.name, node, "servers");
    for (position, (server, node)) in servers.into_iter().enumerate() {
        if server.name == "sorry_server" {
            let problem = "this name is the sorry server's";
            place(faults, node, "name", Problem::new(problem, "choose another name"));
        }
        let earlier = pool.servers[..position].iter().find(|other| other.address == server.address);
        if let Some(other) = earlier {
            let problem = format!("server `{}` has the same address", other.name);
            let advice = "one server per address; use `weight` to give it a larger share";
            place(faults, node, "address", Problem::new(problem, advice));
        }
    }
}
