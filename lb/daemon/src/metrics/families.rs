//! The names.

use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::vrrp::VrrpFamilies;
use super::{ListenerMetrics, ServerMetrics};
use crate::end::EndReason;
use runtime::register::Register;

/// All metric families.
#[derive(Debug)]
pub struct Metrics {
    pub registry: Registry,

    pub reloads: IntCounterVec,
    pub last_reload: IntGauge,

    pub listener_accepted: IntCounterVec,
    pub listener_refused: IntCounterVec,
    pub listener_accept_errors: IntCounterVec,
    pub listener_ended: IntCounterVec,
    pub listener_received: IntCounterVec,
    pub listener_sent: IntCounterVec,
    pub listener_duration: HistogramVec,
    pub listener_live: IntGaugeVec,

    pub pool_usable: IntGaugeVec,
    pub pool_active_tier: IntGaugeVec,
    pub pool_tier_load: IntGaugeVec,
    pub pool_unusable: IntCounterVec,

    pub server_usable: IntGaugeVec,
    pub server_state: IntGaugeVec,
    pub server_weight: GaugeVec,
    pub server_live: IntGaugeVec,
    pub server_connections: IntCounterVec,
    pub server_connect_failures: IntCounterVec,
    pub server_early_resets: IntCounterVec,
    pub server_received: IntCounterVec,
    pub server_sent: IntCounterVec,
    pub server_connect_duration: HistogramVec,
    pub server_checks: IntCounterVec,
    pub server_check_duration: GaugeVec,
    pub server_transitions: IntCounterVec,
    pub server_ejections: IntCounterVec,
    pub server_lookups: IntCounterVec,

    pub vrrp: VrrpFamilies,
}

const LISTENER: &[&str] = &["listener"];
const POOL: &[&str] = &["pool"];
const SERVER: &[&str] = &["pool", "server"];

impl Metrics {
    /// Registers every family.
    ///
    /// # Errors
    /// When two families share a name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let register = Register { registry: &registry, namespace: "lb" };
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = register.int_gauges("build_info", "Always 1; the version is a label", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            reloads: register.counters(
                "config_reloads_total",
                "Reloads asked for, by result",
                &["result"],
            )?,
            last_reload: register.int_gauge(
                "config_last_reload_success_timestamp_seconds",
                "When the configuration in force was applied, in seconds since 1970",
            )?,
            listener_accepted: register.counters(
                "listener_connections_total",
                "Connections accepted from clients",
                LISTENER,
            )?,
            listener_refused: register.counters(
                "listener_refused_total",
                "Connections refused by the listener's rules, by reason",
                &["listener", "reason"],
            )?,
            listener_accept_errors: register.counters(
                "listener_accept_errors_total",
                "Times that accepting failed and was paused, by reason",
                &["listener", "reason"],
            )?,
            listener_ended: register.counters(
                "listener_connections_ended_total",
                "Connections that ended, by reason code of the access record",
                &["listener", "reason"],
            )?,
            listener_received: register.counters(
                "listener_received_bytes_total",
                "Bytes received from clients, up to a second old for live connections",
                LISTENER,
            )?,
            listener_sent: register.counters(
                "listener_sent_bytes_total",
                "Bytes sent to clients, up to a second old for live connections",
                LISTENER,
            )?,
            listener_duration: register.histograms(
                "listener_connection_duration_seconds",
                "Time from accept to end of a connection",
                LISTENER,
                vec![0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0],
            )?,
            listener_live: register.int_gauges("listener_connections", "Live connections", LISTENER)?,
            pool_usable: register.int_gauges(
                "pool_usable_servers",
                "Servers that can take connections",
                POOL,
            )?,
            pool_active_tier: register.int_gauges(
                "pool_active_tier",
                "Priority of the tier in use; 0 when no server is usable",
                POOL,
            )?,
            pool_tier_load: register.int_gauges(
                "pool_tier_load_percent",
                "Share of new connections that each tier gets",
                &["pool", "tier"],
            )?,
            pool_unusable: register.counters(
                "pool_no_server_total",
                "Connections that found no server, by reason",
                &["pool", "reason"],
            )?,
            server_usable: register.int_gauges(
                "server_usable",
                "1 when the server can take connections, else 0",
                SERVER,
            )?,
            server_state: register.int_gauges(
                "server_state",
                "1 for the state that the server is in, 0 for the others",
                &["pool", "server", "state"],
            )?,
            server_weight: register.gauges(
                "server_effective_weight",
                "Weight in force: after slow start, agent and runtime changes",
                SERVER,
            )?,
            server_live: register.int_gauges(
                "server_connections",
                "Live connections to the server",
                SERVER,
            )?,
            server_connections: register.counters(
                "server_connections_total",
                "Connections made to the server",
                SERVER,
            )?,
            server_connect_failures: register.counters(
                "server_connect_failures_total",
                "Connects that failed, by reason",
                &["pool", "server", "reason"],
            )?,
            server_early_resets: register.counters(
                "server_early_resets_total",
                "Connections that the server reset right after connect, before it sent a byte",
                SERVER,
            )?,
            server_received: register.counters(
                "server_received_bytes_total",
                "Bytes received from the server, up to a second old for live connections",
                SERVER,
            )?,
            server_sent: register.counters(
                "server_sent_bytes_total",
                "Bytes sent to the server, up to a second old for live connections",
                SERVER,
            )?,
            server_connect_duration: register.histograms(
                "server_connect_duration_seconds",
                "Time that a connect to the server took",
                SERVER,
                vec![0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0],
            )?,
            server_checks: register.counters(
                "server_checks_total",
                "Active checks, by result",
                &["pool", "server", "result"],
            )?,
            server_check_duration: register.gauges(
                "server_check_duration_seconds",
                "Time that the last active check took",
                SERVER,
            )?,
            server_transitions: register.counters(
                "server_transitions_total",
                "Times that the server went up or down",
                &["pool", "server", "to"],
            )?,
            server_ejections: register.counters(
                "server_ejections_total",
                "Times that the server was ejected because of failing connections",
                SERVER,
            )?,
            server_lookups: register.counters(
                "server_lookups_total",
                "Look-ups of the server's name, by result",
                &["pool", "server", "result"],
            )?,
            vrrp: VrrpFamilies::new(&register)?,
            registry,
        })
    }

    pub fn listener(&self, name: &str) -> ListenerMetrics {
        let labels = &[name];
        ListenerMetrics {
            accepted: self.listener_accepted.with_label_values(labels),
            received_bytes: self.listener_received.with_label_values(labels),
            sent_bytes: self.listener_sent.with_label_values(labels),
            duration: self.listener_duration.with_label_values(labels),
            ended: EndReason::ALL
                .iter()
                .map(|reason| self.listener_ended.with_label_values(&[name, reason.code()]))
                .collect(),
        }
    }

    pub fn server(&self, pool: &str, server: &str) -> ServerMetrics {
        let labels = &[pool, server];
        ServerMetrics {
            connections: self.server_connections.with_label_values(labels),
            received_bytes: self.server_received.with_label_values(labels),
            sent_bytes: self.server_sent.with_label_values(labels),
            connect_duration: self.server_connect_duration.with_label_values(labels),
            early_resets: self.server_early_resets.with_label_values(labels),
        }
    }
}
