//! Series of listeners, pools and servers that are gone go too, or each new name would stay for ever.

use std::collections::{BTreeSet, HashMap};

use prometheus::core::{Collector, Metric, MetricVec, MetricVecBuilder};

use super::{Metrics, VrrpFamilies};

/// What there is now.
#[derive(Debug, Default)]
pub struct Present {
    pub listeners: BTreeSet<String>,
    pub pools: BTreeSet<String>,
    /// With their pools.
    pub servers: BTreeSet<(String, String)>,
    /// Virtual routers.
    pub routers: BTreeSet<String>,
}

/// Removes the series of what there is no more.
pub fn forget(metrics: &Metrics, present: &Present) {
    for family in [
        &metrics.listener_accepted,
        &metrics.listener_refused,
        &metrics.listener_accept_errors,
        &metrics.listener_ended,
        &metrics.listener_received,
        &metrics.listener_sent,
        &metrics.pool_unusable,
        &metrics.server_connections,
        &metrics.server_connect_failures,
        &metrics.server_early_resets,
        &metrics.server_received,
        &metrics.server_sent,
        &metrics.server_checks,
        &metrics.server_transitions,
        &metrics.server_ejections,
        &metrics.server_lookups,
    ] {
        prune(family, present);
    }
    prune(&metrics.listener_duration, present);
    prune(&metrics.server_connect_duration, present);
    prune(&metrics.server_check_duration, present);
    forget_routers(&metrics.vrrp, present);
}

fn forget_routers(vrrp: &VrrpFamilies, present: &Present) {
    for family in [&vrrp.state, &vrrp.priority, &vrrp.configured_priority, &vrrp.eligibility] {
        prune(family, present);
    }
    for family in [
        &vrrp.transitions,
        &vrrp.adverts_sent,
        &vrrp.adverts_received,
        &vrrp.adverts_rejected,
        &vrrp.adverts_missed,
        &vrrp.releases_sent,
        &vrrp.releases_received,
        &vrrp.announcements,
        &vrrp.addresses_lost,
        &vrrp.address_errors,
        &vrrp.conflicts,
        &vrrp.split_brain,
        &vrrp.notifications,
    ] {
        prune(family, present);
    }
    for family in [&vrrp.take_over_at, &vrrp.take_over_took] {
        prune(family, present);
    }
    prune(&vrrp.lateness, present);
}

fn prune<B>(family: &MetricVec<B>, present: &Present)
where
    B: MetricVecBuilder,
    MetricVec<B>: Collector,
    B::M: Metric,
{
    for series in family.collect().iter().flat_map(|family| family.get_metric()) {
        let labels: HashMap<&str, &str> =
            series.get_label().iter().map(|label| (label.name(), label.value())).collect();
        if !present.has(&labels) {
            // it fails only if somebody else was faster
            let _ = family.remove(&labels);
        }
    }
}

impl Present {
    fn has(&self, labels: &HashMap<&str, &str>) -> bool {
        let label = |name: &str| labels.get(name).map(|value| (*value).to_owned());
        match (label("listener"), label("pool"), label("server")) {
            (Some(listener), _, _) => self.listeners.contains(&listener),
            (None, Some(pool), Some(server)) => self.servers.contains(&(pool, server)),
            (None, Some(pool), None) => self.pools.contains(&pool),
            (None, None, _) => label("router").is_none_or(|router| self.routers.contains(&router)),
        }
    }
}
