//! The configuration: what a file means, what is wrong with it, what a reload would change.
//!
//! Text → tree of one node ([`settings`]) → `read` (one file per section) → `rules` (what no section can see
//! alone) → [`Config`]. Two of them → [`Plan`].

mod diff;
mod host;
mod model;
mod read;
mod rules;
#[cfg(test)]
mod tests;

use host::AnyHost;
use settings::{Fault, Faults, Node, Path, Problem, Section, Value};

pub use diff::{Change, FieldChange, Plan};
pub use host::Host;
pub use model::*;
pub use read::on_return;
pub use rules::overlap;

/// Reads `text` as the configuration of `node` (the name under `nodes:` whose part is laid over the rest; it is
/// not needed when the file has no `nodes:`).
///
/// # Errors
/// Every fault of the file, in the file's order.
pub fn compile(text: &str, node: Option<&str>) -> Result<Config, Vec<Fault>> {
    compile_for(text, node, &AnyHost)
}

/// As [`compile`], for a file that `host` is to carry out.
///
/// # Errors
/// As [`compile`], and what the host has not.
pub fn compile_for(text: &str, node: Option<&str>, host: &dyn Host) -> Result<Config, Vec<Fault>> {
    let root = settings::parse(text).map_err(|fault| vec![*fault])?;
    let faults = Faults::default();
    let tree = for_node(root, node, &faults);
    let config = read::config(&tree, &faults, host);
    rules::check(&config, &tree, &faults);
    finish(text, faults.into_vec()).map(|()| config)
}

/// The names under `nodes:`; empty when the file serves one host, or is not readable.
#[must_use]
pub fn node_names(text: &str) -> Vec<String> {
    settings::parse(text).map(|root| names(&root)).unwrap_or_default()
}

/// Checks `text` for every node that it names.
///
/// # Errors
/// Every fault of the file, each once, in the file's order.
pub fn check_all(text: &str) -> Result<(), Vec<Fault>> {
    check_all_for(text, &AnyHost)
}

/// As [`check_all`], on a `host` that stands for all of them.
///
/// # Errors
/// As [`check_all`], and what the host has not.
pub fn check_all_for(text: &str, host: &dyn Host) -> Result<(), Vec<Fault>> {
    let names = node_names(text);
    if names.is_empty() {
        return compile_for(text, None, host).map(|_| ());
    }
    let mut faults: Vec<Fault> = Vec::new();
    for name in names {
        faults.extend(compile_for(text, Some(&name), host).err().unwrap_or_default());
    }
    finish(text, faults)
}

fn finish(text: &str, faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
    if faults.is_empty() {
        return Ok(());
    }
    // a pool's check is read again for each server that changes it, and the file again for each node
    let mut once: Vec<Fault> = Vec::with_capacity(faults.len());
    for fault in settings::in_order(text, faults) {
        if !once.contains(&fault) {
            once.push(fault);
        }
    }
    Err(once)
}

fn names(root: &Node) -> Vec<String> {
    match root.get("nodes").map(|nodes| &nodes.value) {
        Some(Value::Map(entries)) => entries.iter().map(|(name, _)| name.clone()).collect(),
        _ => Vec::new(),
    }
}

/// The tree as `node` sees it.
fn for_node(mut root: Node, node: Option<&str>, faults: &Faults) -> Node {
    let Value::Map(entries) = &mut root.value else { return root };
    let Some(position) = entries.iter().position(|(key, _)| key == "nodes") else { return root };
    let (_, nodes) = entries.remove(position);
    if nodes.value == Value::Null || Section::open(&nodes, faults).is_none() {
        return root;
    }
    let Value::Map(parts) = nodes.value else { return root };
    let known: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    let Some((_, part)) = parts.iter().find(|(name, _)| Some(name.as_str()) == node) else {
        let here = node.map_or_else(|| "no node was named".to_owned(), |name| format!("this node is {name}"));
        let problem = format!("{here}, and `nodes:` has {}", known.join(", "));
        let advice = "add it under `nodes:`, or choose one with --node";
        faults.missing(Path::default().key("nodes"), Problem::new(problem, advice));
        return root;
    };
    match part.value {
        Value::Null => root,
        _ => root.overlay(part),
    }
}
