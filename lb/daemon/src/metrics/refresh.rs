//! Gauges are brought up to date when somebody asks for them.

use lb_core::pool::{ServerStatus, State, Status};

use super::Metrics;
use super::forget::{Present, forget};

/// Sets every gauge; what is gone goes from the gauges and the counters too.
pub fn refresh<'a>(
    metrics: &Metrics,
    pools: impl Iterator<Item = Status>,
    listeners: impl Iterator<Item = (&'a str, u32)>,
    virtual_routers: impl Iterator<Item = &'a str>,
) {
    let routers = virtual_routers.map(str::to_owned).collect();
    let mut present = Present { routers, ..Present::default() };
    metrics.listener_live.reset();
    for (name, live) in listeners {
        metrics.listener_live.with_label_values(&[name]).set(i64::from(live));
        present.listeners.insert(name.to_owned());
    }
    for gauge in [
        &metrics.pool_usable,
        &metrics.pool_active_tier,
        &metrics.pool_tier_load,
        &metrics.server_usable,
        &metrics.server_state,
        &metrics.server_live,
    ] {
        gauge.reset();
    }
    metrics.server_weight.reset();
    for pool in pools {
        refresh_pool(metrics, &pool);
        present.servers.extend(pool.servers.into_iter().map(|server| (pool.name.clone(), server.name)));
        present.pools.insert(pool.name);
    }
    forget(metrics, &present);
}

fn refresh_pool(metrics: &Metrics, pool: &Status) {
    let name = pool.name.as_str();
    metrics.pool_usable.with_label_values(&[name]).set(i64::try_from(pool.usable).unwrap_or(i64::MAX));
    metrics.pool_active_tier.with_label_values(&[name]).set(i64::from(pool.active_tier.unwrap_or(0)));
    for tier in &pool.tiers {
        let labels = [name, &tier.priority.to_string()];
        metrics.pool_tier_load.with_label_values(&labels).set(i64::from(tier.load_percent));
    }
    // a retired server may share its name with the one that replaced it: the connections are counted together,
    // the state is that of the one which the file has
    let (retired, configured): (Vec<_>, Vec<_>) =
        pool.servers.iter().partition(|server| server.state == State::Retired);
    for server in retired.into_iter().chain(configured) {
        refresh_server(metrics, name, server);
    }
}

fn refresh_server(metrics: &Metrics, pool: &str, server: &ServerStatus) {
    let labels = [pool, server.name.as_str()];
    let usable = server.state == State::Up;
    metrics.server_usable.with_label_values(&labels).set(i64::from(usable));
    metrics.server_weight.with_label_values(&labels).set(server.effective_weight);
    metrics.server_live.with_label_values(&labels).add(i64::from(server.live));
    for (state, word) in STATES {
        let value = i64::from(server.state == state);
        metrics.server_state.with_label_values(&[pool, server.name.as_str(), word]).set(value);
    }
}

const STATES: [(State, &str); 6] = [
    (State::Up, "up"),
    (State::Draining, "draining"),
    (State::Ejected, "ejected"),
    (State::Down, "down"),
    (State::Maint, "maint"),
    (State::Retired, "retired"),
];
