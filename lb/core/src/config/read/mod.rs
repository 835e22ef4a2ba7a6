//! Reads each section of the file; one file per section. Defaults stand here, and only here.

mod check;
mod listener;
mod names;
mod pool;
mod server;
mod value;
mod vrrp;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use settings::{Faults, Node, Section, not_zero, socket_path};

pub use pool::on_return;

use super::{Admin, Config, Host, Log, LogFormat, Metrics, Resolver, Stop};

/// Reads the whole tree. Where something is wrong, a fault is noted and a default stands in, so that
/// the rest can be checked too.
pub(super) fn config(tree: &Node, faults: &Faults, host: &dyn Host) -> Config {
    let mut config = Config {
        workers: None,
        log: log(None, host),
        stop: stop(None),
        metrics: None,
        admin: admin(None),
        resolver: resolver(None),
        listeners: Vec::new(),
        pools: Vec::new(),
        virtual_routers: Vec::new(),
    };
    let Some(mut top) = Section::open(tree, faults) else { return config };
    config.workers = match top.node("workers") {
        Some(node) if node.value == settings::Value::Text("auto".to_owned()) => None,
        Some(_) => top.optional("workers"),
        None => None,
    };
    config.log = log(top.section("log"), host);
    config.stop = stop(top.section("stop"));
    config.metrics = top.section("metrics").and_then(metrics);
    config.admin = admin(top.section("admin"));
    config.resolver = resolver(top.section("resolver"));
    config.listeners = sections(&mut top, "listeners", listener::listener);
    config.pools = sections(&mut top, "pools", |section| pool::pool(section, host));
    config.virtual_routers =
        items(&mut top, "vrrp", |section| vrrp::router(section, &config.listeners, host));
    top.finish();
    config
}

/// Reads a list of sections, at least one.
fn sections<T>(top: &mut Section<'_>, key: &'static str, read: impl Fn(Section<'_>) -> Option<T>) -> Vec<T> {
    if top.items(key).is_empty() {
        top.missing(key, &format!("add at least one item under `{key}:`"));
    }
    items(top, key, read)
}

/// Reads a list of sections.
fn items<T>(top: &mut Section<'_>, key: &'static str, read: impl Fn(Section<'_>) -> Option<T>) -> Vec<T> {
    let faults = top.faults();
    top.items(key).into_iter().filter_map(|node| read(Section::open(node, faults)?)).collect()
}

fn log(section: Option<Section<'_>>, host: &dyn Host) -> Log {
    let mut log = Log { format: LogFormat::Text, level: "info".to_owned(), access: true };
    let Some(mut section) = section else { return log };
    log.format =
        section.choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)], log.format);
    log.level = section.checked("level", log.level, |filter: &String| host.log_filter(filter));
    log.access = section.or("access", log.access);
    section.finish();
    log
}

fn stop(section: Option<Section<'_>>) -> Stop {
    let mut stop = Stop { drain: Duration::from_secs(30) };
    let Some(mut section) = section else { return stop };
    stop.drain = section.or("drain", stop.drain);
    section.finish();
    stop
}

fn metrics(mut section: Section<'_>) -> Option<Metrics> {
    let listen: Option<SocketAddr> = section.required("listen");
    section.finish();
    listen.map(|listen| Metrics { listen })
}

fn admin(section: Option<Section<'_>>) -> Admin {
    let mut admin = Admin { socket: PathBuf::from("/run/lb/lb.sock") };
    let Some(mut section) = section else { return admin };
    admin.socket = section.checked("socket", admin.socket, |path| socket_path(path));
    section.finish();
    admin
}

fn resolver(section: Option<Section<'_>>) -> Resolver {
    let mut resolver =
        Resolver { servers: Vec::new(), interval: Duration::from_secs(10), timeout: Duration::from_secs(2) };
    let Some(mut section) = section else { return resolver };
    resolver.servers = section.list("servers");
    resolver.interval = section.checked("interval", resolver.interval, not_zero);
    resolver.timeout = section.checked("timeout", resolver.timeout, not_zero);
    section.finish();
    resolver
}
