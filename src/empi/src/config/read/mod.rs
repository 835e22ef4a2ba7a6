//! From the tree to [`Config`]; a fault is noted and reading goes on with the default.

mod bank;
mod secret;
mod value;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use domain::{Class, EmpiId};
use link::PoolSettings;
use runtime::config::{Host, listen, log, time_zone};
use settings::{Faults, Name, Node, Problem, Section, between, not_zero};

use super::{Bank, Config, Http};
use value::plain;

pub(super) fn config(tree: &Node, faults: &Faults, host: &dyn Host) -> Option<Config> {
    let mut top = Section::open(tree, faults)?;
    let empi = top.required("empi").map(|name: Name<EmpiId>| name.0);
    let node = node(&mut top, host);
    let site = top
        .required("site")
        .filter(|site: &String| plain(site).map_err(|problem| top.fault("site", problem)).is_ok());
    let http = http(top.section("http"));
    let metrics = listen(top.part("metrics"), SocketAddr::from((Ipv4Addr::LOCALHOST, 9313)));
    let log = log(top.section("log"), host);
    let store = store::Place::read(&mut top);
    let bus = bus::Place::read(&mut top);
    let uaops = PoolSettings::read(&mut top, "uaops");
    let time_zone = time_zone(&mut top, host);
    let waiting = top.or("waiting", WAITING).get();
    let keep = top.checked("keep", Duration::from_secs(90 * 86_400), not_zero);
    let most_parts = top.checked("most_parts", 10, between(1, u8::MAX));
    let classes = classes(&mut top);
    let banks = banks(&mut top, host);
    top.finish();
    Some(Config {
        empi: empi?,
        node: node?,
        site: site?,
        http,
        metrics,
        log,
        store: store?,
        bus: bus?,
        uaops: uaops?,
        time_zone: time_zone?,
        waiting: u64::try_from(waiting).ok()?,
        keep,
        most_parts,
        classes,
        banks,
    })
}

const WAITING: NonZeroUsize = NonZeroUsize::new(1_000_000).expect("this is not zero");
const CONNECTIONS: NonZeroUsize = NonZeroUsize::new(10_000).expect("this is not zero");
const LARGEST: NonZeroUsize = NonZeroUsize::new(1 << 20).expect("this is not zero");

fn node(top: &mut Section<'_>, host: &dyn Host) -> Option<String> {
    match top.optional::<String>("node").or_else(|| if top.has("node") { None } else { host.name() }) {
        Some(name) => plain(&name).map_err(|problem| top.fault("node", problem)).is_ok().then_some(name),
        None if top.has("node") => None,
        None => {
            top.missing("node", "this host has no name: add `node: …`, unique among the EMPIs");
            None
        }
    }
}

fn http(section: Option<Section<'_>>) -> Http {
    let mut http = Http {
        listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
        proxy_protocol: Vec::new(),
        connections: CONNECTIONS.get(),
        head: Duration::from_secs(10),
        body: Duration::from_secs(20),
        largest: LARGEST.get(),
        drain: Duration::from_secs(2),
    };
    let Some(mut section) = section else { return http };
    http.listen = section.or("listen", http.listen);
    http.proxy_protocol = section.list("proxy_protocol");
    http.connections = section.or("connections", CONNECTIONS).get();
    http.head = section.checked("head", http.head, not_zero);
    http.body = section.checked("body", http.body, not_zero);
    http.largest = section.or("largest", LARGEST).get();
    http.drain = section.or("drain", http.drain);
    section.finish();
    http
}

fn classes(top: &mut Section<'_>) -> BTreeSet<Class> {
    let classes: BTreeSet<Class> =
        top.list("classes").into_iter().map(|class: Name<Class>| class.0).collect();
    if classes.is_empty() && top.has("classes") {
        let problem = Problem::new("no message could have a class", "name at least one, or remove the line");
        top.fault("classes", problem);
    }
    if !classes.is_empty() {
        return classes;
    }
    ["verification", "notice", "marketing"].iter().filter_map(|class| class.parse().ok()).collect()
}

fn banks(top: &mut Section<'_>, host: &dyn Host) -> Vec<Bank> {
    let nodes = top.items("banks");
    if nodes.is_empty() {
        top.missing("banks", "add at least one item under `banks:`");
    }
    let faults = top.faults();
    nodes.into_iter().filter_map(|node| bank::bank(Section::open(node, faults)?, host)).collect()
}
