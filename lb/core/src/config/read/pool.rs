//! `pools:`.

use std::net::IpAddr;
use std::time::Duration;

use settings::{Part, Problem, Section, Setting, Value, between, not_zero};

use super::value::plain_name;
use super::{check, server};
use crate::config::{
    Balance, Connect, Egress, Host, OnDown, OnReturn, Passive, Persistence, Pool, ProxyVersion, Rate,
    SpillOver, Tiers,
};

pub(super) fn pool(mut section: Section<'_>, host: &dyn Host) -> Option<Pool> {
    let name: Option<String> = section.required("name");
    if let Some(Err(problem)) = name.as_deref().map(plain_name) {
        section.fault("name", problem);
    }
    let balance = section.choice(
        "balance",
        &[
            ("round_robin", Balance::RoundRobin),
            ("least_connections", Balance::LeastConnections),
            ("random_two", Balance::RandomTwo),
            ("source_hash", Balance::SourceHash),
        ],
        Balance::RoundRobin,
    );
    let tiers = match section.part("spill_over") {
        Part::Absent | Part::Off => Tiers::Classic,
        Part::Given(section) => Tiers::SpillOver(spill_over(section)),
    };
    let persistence = section.section("persistence").map(persistence);
    let check_node = section.node("check");
    let own_check = check::pool_check(section.part("check"), host);
    let agent = section.section("agent").and_then(check::agent);
    let passive = passive(section.part("passive"));
    let connect = connect(section.section("connect"));
    let on_down =
        section.choice("on_down", &[("keep", OnDown::Keep), ("close", OnDown::Close)], OnDown::Close);
    let on_return = on_return(&mut section);
    let proxy_protocol = proxy_version(&mut section);
    let egress = egress(&mut section);
    let slow_start = section.or_off("slow_start", None);
    let queue_timeout = section.or("queue_timeout", Duration::ZERO);
    let sorry_server = section.optional("sorry_server");
    let items = section.items("servers");
    if items.is_empty() {
        section.missing("servers", "add at least one server");
    }
    let faults = section.faults();
    let servers = items
        .into_iter()
        .filter_map(|node| server::server(Section::open(node, faults)?, check_node, own_check.as_ref(), host))
        .collect();
    section.finish();
    Some(Pool {
        name: name?,
        balance,
        tiers,
        persistence,
        check: own_check,
        agent,
        passive,
        connect,
        on_down,
        on_return,
        proxy_protocol,
        egress,
        slow_start,
        queue_timeout,
        sorry_server,
        servers,
    })
}

/// `proxy_protocol: v1|v2`, of pools and checks.
pub(super) fn proxy_version(section: &mut Section<'_>) -> Option<ProxyVersion> {
    let versions = [("off", None), ("v1", Some(ProxyVersion::V1)), ("v2", Some(ProxyVersion::V2))];
    section.choice("proxy_protocol", &versions, None)
}

fn spill_over(mut section: Section<'_>) -> SpillOver {
    let spill_over = SpillOver {
        overprovisioning_percent: section.checked("overprovisioning_percent", 140, between(100, 1000)),
        panic_threshold_percent: section.checked("panic_threshold_percent", 0, between(0, 100)),
    };
    section.finish();
    spill_over
}

fn persistence(mut section: Section<'_>) -> Persistence {
    let persistence = Persistence {
        timeout: section.checked("timeout", Duration::from_secs(360), not_zero),
        prefix_v4: section.checked("prefix_v4", 32, between(1, 32)),
        prefix_v6: section.checked("prefix_v6", 128, between(1, 128)),
    };
    section.finish();
    persistence
}

fn passive(part: Part<'_>) -> Option<Passive> {
    let mut passive = Passive {
        failures: 3,
        window: Duration::from_secs(10),
        ejection: Duration::from_secs(10),
        max_ejection: Duration::from_secs(300),
        early_reset: Duration::from_millis(100),
    };
    match part {
        Part::Absent => Some(passive),
        Part::Off => None,
        Part::Given(mut section) => {
            passive.failures = section.checked("failures", passive.failures, between(1, 1000));
            passive.window = section.checked("window", passive.window, not_zero);
            passive.ejection = section.checked("ejection", passive.ejection, not_zero);
            passive.max_ejection = section.checked("max_ejection", passive.max_ejection, not_zero);
            passive.early_reset =
                section.or_off("early_reset", Some(passive.early_reset)).unwrap_or_default();
            if passive.max_ejection < passive.ejection {
                let advice = "raise `max_ejection` or lower `ejection`";
                section.fault("max_ejection", Problem::new("this is shorter than `ejection`", advice));
            }
            section.finish();
            Some(passive)
        }
    }
}

fn connect(section: Option<Section<'_>>) -> Connect {
    // a lost SYN is sent again after 1 s: one attempt outlives that
    let mut connect = Connect { timeout: Duration::from_millis(1500), budget: Duration::from_secs(5) };
    let Some(mut section) = section else { return connect };
    connect.timeout = section.checked("timeout", connect.timeout, not_zero);
    connect.budget = section.checked("budget", connect.budget.max(connect.timeout), not_zero);
    if connect.budget < connect.timeout {
        let advice = "raise `budget` or lower `timeout`";
        section.fault("budget", Problem::new("the budget is shorter than one attempt", advice));
    }
    section.finish();
    connect
}

/// `on_return: stay|close|drain` or `on_return: { drain: "100/s", jitter_percent: 20 }`; `Stay` where it is not there.
pub fn on_return(section: &mut Section<'_>) -> OnReturn {
    let is_section = section.node("on_return").is_some_and(|node| matches!(node.value, Value::Map(_)));
    if !is_section {
        let rate = Rate { count: 10, per: Duration::from_secs(1) };
        let drain = OnReturn::Drain { rate, jitter_percent: 20 };
        let words = [("stay", OnReturn::Stay), ("close", OnReturn::Close), ("drain", drain)];
        return section.choice("on_return", &words, OnReturn::Stay);
    }
    let Some(mut section) = section.section("on_return") else { return OnReturn::Stay };
    let rate = section.required("drain");
    let jitter_percent = section.checked("jitter_percent", 20, between(0, 100));
    section.finish();
    rate.map_or(OnReturn::Stay, |rate| OnReturn::Drain { rate, jitter_percent })
}

/// `egress: ADDRESS|transparent`.
fn egress(section: &mut Section<'_>) -> Egress {
    section.or("egress", Egress::Auto)
}

impl Setting for Egress {
    const EXPECTED: &'static str = "auto, transparent, or an address such as 192.0.2.101";

    fn read(node: &settings::Node) -> Result<Self, Problem> {
        match &node.value {
            Value::Text(word) if word == "auto" => Ok(Self::Auto),
            Value::Text(word) if word == "transparent" => Ok(Self::Transparent),
            _ => IpAddr::read(node).map(Self::Address).map_err(|_| {
                Problem::new("this is not an egress address", format!("write {}", Self::EXPECTED))
            }),
        }
    }
}
