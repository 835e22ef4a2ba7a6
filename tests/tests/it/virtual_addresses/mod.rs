//! Virtual addresses on a pair of lb, and what may happen to them.

mod forms;
mod guard;
mod network;
mod operation;
mod packets;
mod refusals;
mod reload;
mod tracking;

use std::net::IpAddr;

use serde_json::Value;
use testkit::lb::Lb;
use testkit::pair::{PORT, Pair, Side, VIP, VIP6};

use crate::scene::{SOON, soon, status};

/// Something that a test does to the scene.
type Act<'a> = &'a dyn Fn();

const VIPS: [IpAddr; 2] = [VIP, VIP6];

/// A daemon on each host. All being well, the addresses are on lb-a.
struct Scene {
    a: Lb,
    b: Lb,
    pair: Pair,
}

impl Scene {
    /// The virtual routers have these settings more.
    fn new(of_a: &str, of_b: &str) -> Self {
        Self::on(Pair::new().unwrap(), of_a, of_b)
    }

    fn on(pair: Pair, of_a: &str, of_b: &str) -> Self {
        let a = pair.start_lb(Side::A, &file(&pair, 250, of_a)).unwrap();
        wait_on(&pair, Side::A);
        let b = pair.start_lb(Side::B, &file(&pair, 240, of_b)).unwrap();
        let scene = Self { a, b, pair };
        scene.wait_backup(Side::B);
        scene
    }

    fn lb(&self, side: Side) -> &Lb {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    /// Waits until this host has the addresses and the other has none.
    fn wait_on(&self, side: Side) {
        wait_on(&self.pair, side);
    }

    /// Waits until that host listens to the other one.
    fn wait_backup(&self, side: Side) {
        let lb = self.lb(side);
        wait_router(lb, |router| router["state"] == "backup" && !router["active_peer"].is_null());
        const RECEIVED: &str = "lb_vrrp_adverts_received_total";
        // some of each family
        let enough = lb.metrics().unwrap().sum(RECEIVED, &[]) + 4.0;
        lb.wait_metric(RECEIVED, &[], SOON, |received| received >= enough).unwrap();
    }

    /// Waits until that host, which is Active, has advertised ten times more: enough for the other to answer.
    fn wait_adverts(&self, side: Side, meanwhile: impl Fn()) {
        let lb = self.lb(side);
        let sent = || lb.metrics().unwrap().sum("lb_vrrp_adverts_sent_total", &[]);
        // of both families
        let enough = sent() + 20.0;
        soon("ten advertisements", || {
            meanwhile();
            (sent() >= enough).then_some(())
        });
    }

    /// Changes of state of both hosts.
    fn transitions(&self) -> f64 {
        [&self.a, &self.b].map(|lb| lb.metrics().unwrap().sum("lb_vrrp_transitions_total", &[])).iter().sum()
    }
}

/// A configuration that serves the pair's servers at the virtual addresses. Ten advertisements must be missed until
/// silence counts: what comes sooner has another reason.
fn file(pair: &Pair, priority: u8, more: &str) -> String {
    let separator = if more.is_empty() { "" } else { ", " };
    plain_file(pair)
        + &format!(
            "vrrp:
  - {{ name: vip, interface: eth0, vrid: 51, priority: {priority}, advert_interval: 50ms, down_adverts: 10,
      addresses: [ \"{VIP}/24\", \"{VIP6}/64\" ]{separator}{more} }}
"
        )
}

/// The same without virtual routers.
fn plain_file(pair: &Pair) -> String {
    let [first, second] = pair.server_addresses();
    format!(
        "workers: 1
log: {{ access: false }}
listeners:
  - {{ name: bank, bind: [ \"{VIP}:{PORT}\", \"[{VIP6}]:{PORT}\" ], pool: empi }}
pools:
  - name: empi
    check: {{ interval: 100ms, timeout: 5s, rise: 1, fall: 1 }}
    servers: [ {{ name: s1, address: \"{first}\" }}, {{ name: s2, address: \"{second}\" }} ]
"
    )
}

fn wait_on(pair: &Pair, side: Side) {
    for vip in VIPS {
        pair.wait_holder(vip, side).unwrap();
    }
}

/// The virtual router in `lb status`; null if there is none.
fn router(lb: &Lb) -> Value {
    status(lb)["virtual_routers"].as_array().unwrap().first().cloned().unwrap_or_default()
}

fn wait_router(lb: &Lb, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let found = testkit::wait::until("a state of the virtual router", SOON, || {
        last = router(lb);
        wanted(&last).then(|| last.clone())
    });
    found.unwrap_or_else(|error| panic!("{error}; at last: {last:#}; {:#?}", told(lb)))
}

fn wait_state(lb: &Lb, state: &str) -> Value {
    wait_router(lb, |router| router["state"] == state)
}

/// `KIND TEXT` of each entry of the timeline.
fn told(lb: &Lb) -> Vec<String> {
    let entries: Vec<Value> = serde_json::from_str(&lb.ctl(&["timeline", "--json"]).unwrap()).unwrap();
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    entries.iter().map(|entry| word(entry, "kind") + " " + &word(entry, "text")).collect()
}

/// Waits until the timeline has an entry with this part.
fn wait_told(lb: &Lb, part: &str) {
    let mut last = Vec::new();
    let found = testkit::wait::until(part, SOON, || {
        last = told(lb);
        last.iter().any(|entry| entry.contains(part)).then_some(())
    });
    found.unwrap_or_else(|error| panic!("{error}: {last:#?}"));
}
