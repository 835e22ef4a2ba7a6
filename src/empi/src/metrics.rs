//! The names.

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use runtime::register::Register;

/// All families.
#[derive(Debug)]
pub struct Families {
    pub requests: IntCounterVec,
    pub not_admitted: IntCounterVec,
    pub messages: IntCounterVec,
    pub accept: Histogram,
    pub connections: IntGauge,
    pub polls: IntGauge,
    pub handed: IntCounterVec,
    pub waiting: IntGauge,
    pub taken_over: IntCounter,
    pub items: IntCounterVec,
    pub set_aside: IntCounter,
    pub calls: IntCounterVec,
    pub calls_waiting: IntGauge,
    pub call: Histogram,
    pub server_up: IntGaugeVec,
    pub tier: IntGauge,
    pub switches: IntCounter,
    pub store_up: IntGauge,
    pub bus_up: IntGauge,
    pub alarms: IntGauge,
    pub forgotten: IntCounter,
    pub clock_jumps: IntCounter,
}

impl Families {
    /// Registers every family.
    ///
    /// # Errors
    /// When two families share a name.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let register = Register { registry, namespace: "smsline_empi" };
        let build = register.int_gauges("build_info", "Always 1; the version is a label.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            requests: register.counters(
                "requests_total",
                "Requests of banks that showed who they are, by `ok` or the code of what was wrong.",
                &["bank", "code"],
            )?,
            not_admitted: register.counters(
                "requests_not_admitted_total",
                "Requests that were not let in, by code.",
                &["code"],
            )?,
            messages: register.counters(
                "messages_total",
                "Messages, one for each recipient, by `accepted`, `duplicate` or the code of what was wrong.",
                &["bank", "outcome"],
            )?,
            accept: register.histogram(
                "accept_seconds",
                "From a whole request to its answer: its messages are durable.",
                vec![0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0],
            )?,
            connections: register.int_gauge("connections", "Connections of banks.")?,
            polls: register.int_gauge("polls", "Requests that wait for reports.")?,
            handed: register.counters(
                "handed_total",
                "Messages that do not wait any more, by outcome: taken by a UAOP, refused, expired.",
                &["outcome"],
            )?,
            waiting: register.int_gauge("waiting_messages", "Accepted messages that no UAOP has taken.")?,
            taken_over: register.counter(
                "taken_over_messages_total",
                "Messages taken over from another node of the same store that was not seen any more.",
            )?,
            items: register.counters(
                "items_total",
                "Reports by state, and users' messages (`mo`), that came on the topic; repetitions too.",
                &["kind"],
            )?,
            set_aside: register.counter(
                "records_set_aside_total",
                "Records on the topic that cannot be understood; they hold nothing up.",
            )?,
            calls: register.counters(
                "calls_total",
                "Calls to banks, by outcome: done, failed, given_up.",
                &["bank", "outcome"],
            )?,
            calls_waiting: register.int_gauge("waiting_calls", "Calls to banks that are not done.")?,
            call: register.histogram(
                "call_seconds",
                "How long calls to banks took, all in all.",
                vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
            )?,
            server_up: register.int_gauges("uaop_up", "1 while the UAOP is usable.", &["server"])?,
            tier: register.int_gauge("tier", "The tier of UAOPs that is used; 0 = none.")?,
            switches: register.counter("switches_total", "Times that another tier came into use.")?,
            store_up: register.int_gauge("store_up", "1 while the store answers.")?,
            bus_up: register.int_gauge("bus_up", "1 while the bus answers.")?,
            alarms: register.int_gauge("alarms", "Alarms of this process that are raised.")?,
            forgotten: register
                .counter("forgotten_total", "Messages, reports and users' messages whose time was over.")?,
            clock_jumps: register.counter(
                "clock_jumps_total",
                "Times that the host's time of day jumped by more than a minute.",
            )?,
        })
    }
}
