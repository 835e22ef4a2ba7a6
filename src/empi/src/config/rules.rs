//! What no section can see alone: names, keys, addresses to listen on.

use settings::{Faults, Node, Problem, Value};

use super::{Config, Key};

/// Notes what is wrong between sections.
pub(super) fn check(config: &Config, tree: &Node, faults: &Faults) {
    let banks = items(tree.get("banks"));
    let mut names = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    for (bank, node) in config.banks.iter().zip(&banks) {
        if names.contains(&&bank.name) {
            let problem = Problem::new("another bank has this name", "choose another name");
            faults.at(node.get("name").unwrap_or(node), problem);
        }
        names.push(&bank.name);
        for (key, node) in bank.keys.iter().zip(items(node.get("keys"))) {
            let (word, what) = match key {
                Key::Signed { name, .. } => (name.as_str(), "key"),
                Key::Token(token) => (token.0.as_str(), "token"),
            };
            if keys.contains(&word) {
                let problem = Problem::new("this stands here twice", "each key belongs to one bank");
                faults.at(node.get(what).unwrap_or(node), problem);
            }
            keys.push(word);
        }
        if bank.callback.is_some() && bank.signing_key().is_none() {
            let problem = Problem::new(
                "calls to this bank cannot be signed",
                "give it a key with a secret, or remove `callback`",
            );
            faults.at(node.get("callback").unwrap_or(node), problem);
        }
    }
    if let Some(metrics) = config.metrics
        && metrics.port() == config.http.listen.port()
        && metrics.port() != 0
        && let Some(node) = tree.get("metrics").or_else(|| tree.get("http"))
    {
        let problem = Problem::new("the API listens on this port", "give one of them another port");
        faults.at(node.get("listen").unwrap_or(node), problem);
    }
}

fn items(list: Option<&Node>) -> Vec<&Node> {
    match list.map(|list| &list.value) {
        Some(Value::List(items)) => items.iter().collect(),
        Some(Value::Map(_)) => list.into_iter().collect(),
        _ => Vec::new(),
    }
}
