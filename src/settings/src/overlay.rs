//! One file for several nodes: what differs is laid over what they share.

use crate::node::{Node, Value};

impl Node {
    /// Lays `over` upon this tree. Sections merge key by key; lists of named items merge item by item, by name;
    /// anything else replaces what was there. Every node keeps the path at which it stands in the file.
    #[must_use]
    pub fn overlay(self, over: &Self) -> Self {
        match (self.value, &over.value) {
            (Value::Map(base), Value::Map(entries)) => {
                Self { path: self.path, value: Value::Map(overlay_map(base, entries)) }
            }
            (Value::List(base), Value::List(items)) if all_named(&base) && all_named(items) => {
                Self { path: self.path, value: Value::List(overlay_list(base, items)) }
            }
            (_, _) => over.clone(),
        }
    }
}

fn overlay_map(mut base: Vec<(String, Node)>, entries: &[(String, Node)]) -> Vec<(String, Node)> {
    for (key, over) in entries {
        match base.iter().position(|(k, _)| k == key) {
            Some(position) => {
                let (key, node) = base.remove(position);
                base.insert(position, (key, node.overlay(over)));
            }
            None => base.push((key.clone(), over.clone())),
        }
    }
    base
}

fn overlay_list(mut base: Vec<Node>, items: &[Node]) -> Vec<Node> {
    for over in items {
        match base.iter().position(|node| node.name() == over.name()) {
            Some(position) => {
                let node = base.remove(position);
                base.insert(position, node.overlay(over));
            }
            None => base.push(over.clone()),
        }
    }
    base
}

fn all_named(items: &[Node]) -> bool {
    items.iter().all(|item| item.name().is_some())
}
