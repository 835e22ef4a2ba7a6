//! The names.

use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use runtime::register::Register;

const GATEWAY: &[&str] = &["gateway"];
const TOPIC: &[&str] = &["topic"];

/// All families of this role.
#[derive(Debug)]
pub struct Metrics {
    pub ready: IntGauge,
    pub offers: IntCounterVec,
    pub offers_under_way: IntGauge,
    pub offer_seconds: Histogram,
    pub messages: IntCounterVec,
    pub uncertain_resends: IntCounter,
    pub gateway_up: IntGaugeVec,
    pub gateway_ready: IntGaugeVec,
    pub submit_seconds: HistogramVec,
    pub lines_lost: IntCounterVec,
    pub route_tier: IntGaugeVec,
    pub events: IntCounterVec,
    pub events_set_aside: IntCounterVec,
    pub bus_up: IntGauge,
    pub published: IntCounterVec,
    pub publish_seconds: HistogramVec,
    pub publish_failures: IntCounterVec,
    pub alarms: IntCounterVec,
    pub alarms_dropped: IntCounter,
}

impl Metrics {
    /// Registers every family.
    ///
    /// # Errors
    /// When two families share a name.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let register = Register { registry, namespace: "smsline_uaop" };
        let build = register.int_gauges("build_info", "Always 1; the version is a label.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let buckets = || vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
        Ok(Self {
            ready: register.int_gauge("ready", "1 while EMPIs are told to use this UAOP.")?,
            offers: register.counters("offers_total", "Offers answered, by outcome.", &["outcome"])?,
            offers_under_way: register.int_gauge("offers_under_way", "Offers without an answer.")?,
            offer_seconds: register.histogram(
                "offer_seconds",
                "From a batch of offers to its answers.",
                buckets(),
            )?,
            messages: register.counters(
                "messages_total",
                "Messages offered to a gateway, by what it said.",
                &["gateway", "verdict"],
            )?,
            uncertain_resends: register.counter(
                "uncertain_resends_total",
                "Messages sent by another gateway though one that may have them could not be asked; each may make a duplicate.",
            )?,
            gateway_up: register.int_gauges("gateway_up", "1 while the gateway is connected.", GATEWAY)?,
            gateway_ready: register.int_gauges("gateway_ready", "1 while the gateway takes messages.", GATEWAY)?,
            submit_seconds: register.histograms(
                "submit_seconds",
                "From offering messages to a gateway to its verdicts.",
                GATEWAY,
                buckets(),
            )?,
            lines_lost: register.counters(
                "lines_lost_total",
                "Batches whose line was lost before the verdicts.",
                GATEWAY,
            )?,
            route_tier: register.int_gauges(
                "route_tier",
                "The tier of gateways that the route uses; 0 = none takes messages.",
                &["carrier", "class"],
            )?,
            events: register.counters("events_total", "Events of gateways that are durable on the bus.", GATEWAY)?,
            events_set_aside: register.counters(
                "events_set_aside_total",
                "Events of gateways that nobody can read; they are not passed on.",
                GATEWAY,
            )?,
            bus_up: register.int_gauge("bus_up", "1 while the bus answers and takes records.")?,
            published: register.counters("published_total", "Records that are durable on the bus.", TOPIC)?,
            publish_seconds: register.histograms(
                "publish_seconds",
                "From handing records to the bus to their being durable.",
                TOPIC,
                buckets(),
            )?,
            publish_failures: register.counters(
                "publish_failures_total",
                "Tries to publish that failed; they are repeated.",
                TOPIC,
            )?,
            alarms: register.counters("alarms_total", "Alarms raised.", &["what"])?,
            alarms_dropped: register.counter(
                "alarms_dropped_total",
                "Alarms that nobody was told, because the bus was away for too long.",
            )?,
        })
    }
}

#[cfg(test)]
impl Metrics {
    pub fn for_test() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self::new(&Registry::new()).unwrap())
    }
}
