//! What no section can see alone: names, and addresses to listen on.

use std::net::SocketAddr;

use settings::{Faults, Node, Problem, Value};

use super::Config;

/// Notes what is wrong between sections.
pub(super) fn check(config: &Config, tree: &Node, faults: &Faults) {
    unique(faults, tree, "accounts", "account");
    unique(faults, tree, "classes", "class");
    listen_apart(config, tree, faults);
}

/// The items of a list that have names.
fn named<'a>(tree: &'a Node, key: &str) -> Vec<(&'a str, &'a Node)> {
    match tree.get(key).map(|list| &list.value) {
        Some(Value::List(items)) => {
            items.iter().filter_map(|item| item.name().map(|name| (name, item))).collect()
        }
        _ => Vec::new(),
    }
}

fn unique(faults: &Faults, tree: &Node, key: &str, what: &str) {
    let items = named(tree, key);
    for (position, (name, node)) in items.iter().enumerate() {
        if items[..position].iter().any(|(earlier, _)| earlier == name) {
            let problem = Problem::new(format!("another {what} is called `{name}`"), "choose another name");
            faults.at(node.get("name").unwrap_or(node), problem);
        }
    }
}

/// No two listeners on one address and port.
fn listen_apart(config: &Config, tree: &Node, faults: &Faults) {
    let mut taken: Vec<(SocketAddr, String)> =
        config.metrics.iter().map(|address| (*address, "`metrics.listen`".to_owned())).collect();
    if let Some(address) = config.link {
        let node = tree.get("link").and_then(|link| link.get("listen").or(Some(link)));
        apart(address, "`link.listen`".to_owned(), node, &mut taken, faults);
    }
    for account in &config.accounts {
        let Some(listen) = &account.listen else { continue };
        let section = named(tree, "accounts").into_iter().find(|(name, _)| *name == account.name.as_str());
        let node = section.and_then(|(_, node)| node.get("listen")?.get("address"));
        apart(listen.address, format!("account `{}`", account.name), node, &mut taken, faults);
    }
}

fn apart(
    address: SocketAddr,
    owner: String,
    node: Option<&Node>,
    taken: &mut Vec<(SocketAddr, String)>,
    faults: &Faults,
) {
    let other = taken.iter().find(|(other, _)| overlap(address, *other));
    if let (Some((other, owner)), Some(node)) = (other, node) {
        let problem = format!("this overlaps with {other} of {owner}");
        faults.at(node, Problem::new(problem, "give one of them another address or port"));
    }
    taken.push((address, owner));
}

fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let same_host = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && one.is_ipv4() == other.is_ipv4() && same_host
}
