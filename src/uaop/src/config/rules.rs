//! What no section can see alone.

use settings::{Faults, Node, Problem, Value};

use super::Config;
use super::routes::name_of;

/// Notes what is wrong between sections.
pub(super) fn check(config: &Config, tree: &Node, faults: &Faults) {
    for (key, what) in [("gateways", "gateway"), ("classes", "class")] {
        unique(faults, tree, key, what);
    }
    let Some(metrics) = config.metrics else { return };
    let (one, other) = (config.listen, metrics);
    let same_host = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    if one.port() == other.port() && one.port() != 0 && same_host {
        let problem = Problem::new(
            "`link.listen` and `metrics.listen` overlap",
            "give one of them another address or port",
        );
        faults.missing(tree.path.key("link"), problem);
    }
}

fn unique(faults: &Faults, tree: &Node, key: &str, what: &str) {
    let Some(Node { value: Value::List(items), .. }) = tree.get(key) else { return };
    for (position, item) in items.iter().enumerate() {
        let Some(name) = item.name() else { continue };
        if items[..position].iter().any(|earlier| earlier.name() == Some(name)) {
            let problem = Problem::new(format!("another {what} is called `{name}`"), "choose another name");
            faults.at(name_of(item), problem);
        }
    }
}
