//! What the center counts.

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use runtime::register::Register;

/// All families.
#[derive(Debug)]
pub struct Families {
    pub records: IntCounterVec,
    pub facts: IntCounter,
    pub known: IntCounter,
    pub orphaned: IntCounter,
    pub finished: IntCounter,
    pub overdue: IntCounter,
    pub set_aside: IntCounterVec,
    pub user_states: IntCounterVec,
    pub join_seconds: Histogram,
    pub failures: IntCounterVec,
    pub published: IntCounterVec,
    pub lag: IntGaugeVec,
    pub messages: IntGauge,
    pub open: IntGauge,
    pub orphans: IntGauge,
    pub aside: IntGauge,
    pub outbox: IntGauge,
    pub waiting: IntGauge,
    pub alarms: IntGaugeVec,
    pub own: IntCounterVec,
    pub requests: IntCounterVec,
    pub servers: IntGaugeVec,
}

impl Families {
    /// Registers every family.
    ///
    /// # Errors
    /// When two families share a name.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let register = Register { registry, namespace: "smsline_center" };
        let build = register.int_gauges("build_info", "Always 1; the version is a label.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            records: register.counters(
                "records_total",
                "Records read from the bus, by topic.",
                &["topic"],
            )?,
            facts: register.counter("facts_total", "Facts joined, known ones included.")?,
            known: register.counter(
                "facts_known_total",
                "Facts that were known already: of the second UAOP, or told again.",
            )?,
            orphaned: register.counter(
                "facts_orphaned_total",
                "Reports whose message was not known when they came; most are joined when it is.",
            )?,
            finished: register
                .counter("finished_total", "Messages whose end became known, or known better.")?,
            overdue: register
                .counter("overdue_total", "Messages given up because no report came in time.")?,
            set_aside: register.counters(
                "set_aside_total",
                "Records that cannot be understood, or that have no owner; they are kept.",
                &["topic"],
            )?,
            user_states: register.counters(
                "user_states_total",
                "Users that a carrier says were cancelled, stopped or are normal again.",
                &["carrier", "condition"],
            )?,
            join_seconds: register.histogram(
                "join_seconds",
                "How long the store takes to join a batch of facts.",
                vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0],
            )?,
            failures: register.counters(
                "failures_total",
                "Failures of the store or the bus; what was to be done is tried again.",
                &["of"],
            )?,
            published: register.counters(
                "published_total",
                "Reports and users' messages published for EMPIs.",
                &["empi", "kind"],
            )?,
            lag: register.int_gauges(
                "lag_seconds",
                "How old the oldest record is that was read and is not joined; 0 = nothing waits.",
                &["reader"],
            )?,
            messages: register.int_gauge("messages", "Messages that are kept.")?,
            open: register.int_gauge("open_messages", "Messages without an end.")?,
            orphans: register.int_gauge("orphans", "Reports whose message is not known.")?,
            aside: register.int_gauge("set_aside_records", "Records that are kept aside.")?,
            outbox: register
                .int_gauge("outbox", "Reports and users' messages that are not published yet.")?,
            waiting: register
                .int_gauge("waiting_messages", "Messages of the center's own that no UAOP has taken yet.")?,
            alarms: register.int_gauges("alarms", "Alarms that are raised.", &["what", "severity"])?,
            own: register.counters(
                "own_messages_total",
                "Messages of the center's own, by what became of them: ordered, handed, refused.",
                &["outcome"],
            )?,
            requests: register.counters(
                "requests_refused_total",
                "Requests to the API that were refused, by why.",
                &["reason"],
            )?,
            servers: register.int_gauges("uaop_up", "1 while a UAOP can be given messages.", &["server"])?,
        })
    }
}
