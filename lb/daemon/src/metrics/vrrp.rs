//! Virtual routers. `docs/metrics.md` says which of keepalived's exporter's names each stands for.

use prometheus::{GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use runtime::register::Register;

/// Families of virtual routers.
#[derive(Debug)]
pub struct VrrpFamilies {
    pub(super) state: IntGaugeVec,
    pub(super) transitions: IntCounterVec,
    pub(super) priority: IntGaugeVec,
    pub(super) configured_priority: IntGaugeVec,
    pub(super) eligibility: IntGaugeVec,
    pub(super) adverts_sent: IntCounterVec,
    pub(super) adverts_received: IntCounterVec,
    pub(super) adverts_rejected: IntCounterVec,
    pub(super) releases_sent: IntCounterVec,
    pub(super) releases_received: IntCounterVec,
    pub(super) adverts_missed: IntCounterVec,
    pub(super) announcements: IntCounterVec,
    pub(super) addresses_lost: IntCounterVec,
    pub(super) address_errors: IntCounterVec,
    pub(super) conflicts: IntCounterVec,
    pub(super) split_brain: IntCounterVec,
    pub(super) lateness: HistogramVec,
    pub(super) take_over_at: GaugeVec,
    pub(super) take_over_took: GaugeVec,
    pub guard_fired: IntCounter,
    pub guard_restarts: IntCounter,
    pub notifications: IntCounterVec,
}

const ROUTER: &[&str] = &["router"];

impl VrrpFamilies {
    /// # Errors
    /// When two families share a name.
    pub(super) fn new(register: &Register<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            state: register.int_gauges(
                "vrrp_state",
                "State of a virtual router: 0 initialize, 1 backup, 2 active, 3 fault",
                ROUTER,
            )?,
            transitions: register.counters(
                "vrrp_transitions_total",
                "Changes of a virtual router's state, by the state it came to",
                &["router", "to"],
            )?,
            priority: register.int_gauges("vrrp_priority", "Priority that is advertised, or would be", ROUTER)?,
            configured_priority: register.int_gauges(
                "vrrp_configured_priority",
                "Priority of the configuration file",
                ROUTER,
            )?,
            eligibility: register.int_gauges(
                "vrrp_eligibility",
                "What this host can do: 0 must not have the addresses, 1 cannot serve, 2 degraded, 3 all",
                ROUTER,
            )?,
            adverts_sent: register.counters("vrrp_adverts_sent_total", "Advertisements sent", ROUTER)?,
            adverts_received: register.counters(
                "vrrp_adverts_received_total",
                "Advertisements received that passed every check",
                ROUTER,
            )?,
            adverts_rejected: register.counters(
                "vrrp_adverts_rejected_total",
                "Advertisements received that failed a check, by reason",
                &["router", "reason"],
            )?,
            releases_sent: register.counters(
                "vrrp_priority_zero_sent_total",
                "Advertisements sent that let the addresses go",
                ROUTER,
            )?,
            releases_received: register.counters(
                "vrrp_priority_zero_received_total",
                "Advertisements received that let the addresses go",
                ROUTER,
            )?,
            adverts_missed: register.counters(
                "vrrp_adverts_missed_total",
                "Advertisements of the active router that did not come, or that it did not send",
                ROUTER,
            )?,
            announcements: register.counters(
                "vrrp_announcements_sent_total",
                "Gratuitous ARP and unsolicited neighbour advertisements sent",
                ROUTER,
            )?,
            addresses_lost: register.counters(
                "vrrp_addresses_lost_total",
                "Virtual addresses that somebody else removed, and that were put back",
                ROUTER,
            )?,
            address_errors: register.counters(
                "vrrp_address_errors_total",
                "Virtual addresses that could not be installed or removed",
                ROUTER,
            )?,
            conflicts: register.counters(
                "vrrp_conflicts_total",
                "Claims of others for an address that this host had",
                ROUTER,
            )?,
            split_brain: register.counters(
                "vrrp_split_brain_total",
                "Advertisements of a second active router, heard while active",
                ROUTER,
            )?,
            lateness: register.histograms(
                "vrrp_timer_lateness_seconds",
                "How late the timers of a virtual router were served",
                ROUTER,
                vec![0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0],
            )?,
            take_over_at: register.gauges(
                "vrrp_last_take_over_timestamp_seconds",
                "When the router last became active, in seconds since 1970",
                ROUTER,
            )?,
            take_over_took: register.gauges(
                "vrrp_last_take_over_seconds",
                "From the decision to become active to the first announcement of the addresses, the last time",
                ROUTER,
            )?,
            guard_fired: register.counter(
                "vrrp_guard_fired_total",
                "How often the guard let go of addresses because this process gave no sign of life",
            )?,
            guard_restarts: register.counter(
                "vrrp_guard_restarts_total",
                "How often the guard process was started again",
            )?,
            notifications: register.counters(
                "vrrp_notifications_total",
                "Notifications of state changes, by way and result",
                &["router", "via", "result"],
            )?,
        })
    }

    /// The handles of one virtual router.
    pub fn router(&self, name: &str) -> RouterMetrics {
        let labels = &[name];
        RouterMetrics {
            state: self.state.with_label_values(labels),
            transitions: self.transitions.clone(),
            priority: self.priority.with_label_values(labels),
            configured_priority: self.configured_priority.with_label_values(labels),
            eligibility: self.eligibility.with_label_values(labels),
            adverts_sent: self.adverts_sent.with_label_values(labels),
            adverts_received: self.adverts_received.with_label_values(labels),
            adverts_rejected: self.adverts_rejected.clone(),
            releases_sent: self.releases_sent.with_label_values(labels),
            releases_received: self.releases_received.with_label_values(labels),
            adverts_missed: self.adverts_missed.with_label_values(labels),
            announcements: self.announcements.with_label_values(labels),
            addresses_lost: self.addresses_lost.with_label_values(labels),
            address_errors: self.address_errors.with_label_values(labels),
            conflicts: self.conflicts.with_label_values(labels),
            split_brain: self.split_brain.with_label_values(labels),
            lateness: self.lateness.with_label_values(labels),
            take_over_at: self.take_over_at.with_label_values(labels),
            take_over_took: self.take_over_took.with_label_values(labels),
        }
    }
}

/// What one virtual router counts.
#[derive(Debug)]
pub struct RouterMetrics {
    pub state: IntGauge,
    pub transitions: IntCounterVec,
    pub priority: IntGauge,
    pub configured_priority: IntGauge,
    pub eligibility: IntGauge,
    pub adverts_sent: IntCounter,
    pub adverts_received: IntCounter,
    pub adverts_rejected: IntCounterVec,
    pub releases_sent: IntCounter,
    pub releases_received: IntCounter,
    pub adverts_missed: IntCounter,
    pub announcements: IntCounter,
    pub addresses_lost: IntCounter,
    pub address_errors: IntCounter,
    pub conflicts: IntCounter,
    pub split_brain: IntCounter,
    pub lateness: Histogram,
    pub take_over_at: prometheus::Gauge,
    pub take_over_took: prometheus::Gauge,
}
