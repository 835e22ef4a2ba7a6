//! `lb` with one listener `l` and one pool `p`, as most tests need it, and what its operator sees.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use testkit::backend::Backend;
use testkit::lb::Lb;
use testkit::ports::{self, Port};
use testkit::{usage, wait};

/// For what happens at once on a machine that is not busy.
pub const SOON: Duration = Duration::from_secs(20);

/// A running daemon.
pub struct Daemon {
    pub lb: Lb,
    /// Of the listener.
    pub address: SocketAddr,
    files: u64,
    _port: Port,
}

impl Daemon {
    /// `listener` and `pool` are further keys, `servers` a list, all in YAML's flow style.
    pub fn start(listener: &str, pool: &str, servers: &str) -> Self {
        let port = ports::reserve().unwrap();
        let lb = Lb::start(&config(port.address(), listener, pool, servers)).unwrap();
        Self::serving(lb, port.address(), port)
    }

    /// One that a test has configured as a whole; `address` is its listener's, and `port` is held as long.
    pub fn serving(lb: Lb, address: SocketAddr, port: Port) -> Self {
        let files = usage::of_tree(lb.pid()).unwrap().files;
        Self { lb, address, files, _port: port }
    }

    /// The access records so far, in the order of the ends of the connections.
    pub fn records(&self) -> Vec<Value> {
        let log = self.lb.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["target"] == "access").collect()
    }

    /// Waits until there are so many records.
    pub fn wait_records(&self, count: usize) -> Vec<Value> {
        let enough = || Some(self.records()).filter(|records| records.len() >= count);
        wait::until(&format!("{count} access records"), SOON, enough).unwrap()
    }

    /// Waits for the next record after `known` ones, and holds its reason against the counter of that reason.
    pub fn wait_reason(&self, known: usize, reason: &str) -> Value {
        let record = self.wait_records(known + 1).swap_remove(known);
        assert_eq!(record["reason"], reason, "{record}");
        let labels = [("listener", "l"), ("reason", reason)];
        let count = self.lb.metrics().unwrap().sum("lb_listener_connections_ended_total", &labels);
        assert!(count >= 1.0, "the record {record} is not counted");
        record
    }

    /// Waits until a metric has this value.
    pub fn wait_for(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.lb.wait_metric(name, labels, SOON, |now| (now - value).abs() < 1e-9).unwrap();
    }

    /// A metric now.
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.lb.metrics().unwrap().sum(name, labels)
    }

    /// A server of the pool, as `lb status --json` shows it.
    pub fn server(&self, name: &str) -> Value {
        let status: Value = serde_json::from_str(&self.lb.ctl(&["status", "--json"]).unwrap()).unwrap();
        let servers = status["pools"][0]["servers"].as_array().unwrap();
        servers.iter().find(|server| server["name"] == name).unwrap().clone()
    }

    /// Waits until a server is in this state.
    pub fn wait_state(&self, server: &str, state: &str) {
        self.wait_for("lb_server_state", &[("server", server), ("state", state)], 1.0);
    }

    /// Waits until no connection is left and no more files are open than at the start.
    pub fn wait_clean(&self) {
        self.wait_for("lb_listener_connections", &[], 0.0);
        self.wait_for("lb_server_connections", &[], 0.0);
        let files = || usage::of_tree(self.lb.pid()).unwrap().files;
        let what = || format!("{} open files, there are {}:\n{}", self.files, files(), self.lb.log());
        wait::until("no file left open", SOON, || (files() <= self.files).then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {}", what()));
    }
}

/// The configuration of [`Daemon::start`].
pub fn config(listen: SocketAddr, listener: &str, pool: &str, servers: &str) -> String {
    format!(
        "log: {{ format: json }}
listeners: [ {{ name: l, bind: \"{listen}\", pool: p, {listener} }} ]
pools: [ {{ name: p, servers: [ {servers} ], {pool} }} ]
"
    )
}

/// One item of `servers:`, with further keys.
pub fn server(name: &str, address: SocketAddr, more: &str) -> String {
    format!("{{ name: {name}, address: \"{address}\", {more} }}")
}

/// The only server `a` of a pool.
pub fn only(backend: &Backend) -> String {
    server("a", backend.address(), "")
}
