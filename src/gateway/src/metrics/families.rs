//! The names.

use prometheus::{
    Counter, GaugeVec, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
};
use runtime::register::Register;

const ACCOUNT: &[&str] = &["account"];
const CONSUMER: &[&str] = &["consumer"];

/// All families of accounts, messages and the spool; those of connections are in [`super::connection`].
#[derive(Debug)]
pub struct Families {
    pub taken: IntCounterVec,
    pub not_taken: IntCounterVec,
    pub finished: IntCounterVec,
    pub pushed: IntCounterVec,
    pub answers: IntCounterVec,
    pub reports: IntCounterVec,
    pub report_delay: HistogramVec,
    pub push_delay: HistogramVec,
    pub mo: IntCounterVec,
    pub waiting: IntGaugeVec,
    pub queue_age: GaugeVec,
    pub unfinished: IntGaugeVec,
    pub under_way: IntGaugeVec,
    pub rate_limit: GaugeVec,
    pub slowed: IntGaugeVec,
    pub alarm: IntGaugeVec,
    pub spool_events: IntGauge,
    pub spool_failures: IntCounter,
    pub spool_batches: IntCounter,
    pub spool_commit_seconds: Counter,
    pub spool_events_limit: IntGauge,
    pub consumer_connected: IntGaugeVec,
    pub consumer_unacknowledged: IntGaugeVec,
    pub consumers_forgotten: IntCounterVec,
    pub link_ready: IntGauge,
    pub link_verdicts: IntCounterVec,
    pub orphaned_messages: IntGauge,
    pub orphaned_fragments: IntGauge,
    pub clock_jumps: IntCounter,
}

impl Families {
    /// Registers every family.
    ///
    /// # Errors
    /// When two families share a name.
    pub fn new(registry: &Registry) -> prometheus::Result<Self> {
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let register = Register { registry, namespace: "gateway" };
        let build = register.int_gauges("build_info", "Always 1; the version is a label.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            taken: register.counters(
                "messages_taken_total",
                "Messages taken: durable, and acknowledged to whoever handed them in.",
                ACCOUNT,
            )?,
            not_taken: register.counters(
                "messages_not_taken_total",
                "Messages handed in and not taken, by reason; a duplicate was taken before.",
                &["reason"],
            )?,
            finished: register.counters(
                "messages_finished_total",
                "Messages whose outcome is known, by outcome.",
                &["account", "outcome"],
            )?,
            pushed: register.counters(
                "parts_pushed_total",
                "Parts submitted, by why: first, retry after an answer, uncertain (may make a duplicate).",
                &["account", "attempt"],
            )?,
            answers: register.counters(
                "answers_total",
                "Answers to submits, by the carrier's code and what it means.",
                &["account", "code", "disposition"],
            )?,
            reports: register.counters(
                "reports_total",
                "Reports, by state and by whether this gateway knows the message.",
                &["account", "state", "known"],
            )?,
            report_delay: register.histograms(
                "report_delay_seconds",
                "From the answer to a submit to its report.",
                ACCOUNT,
                vec![0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0],
            )?,
            push_delay: register.histograms(
                "push_delay_seconds",
                "From taking a message to pushing its first part.",
                ACCOUNT,
                vec![0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0],
            )?,
            mo: register.counters(
                "mo_total",
                "Users' messages: whole, incomplete (parts did not come in time), repeated, unreadable.",
                &["account", "kind"],
            )?,
            waiting: register.int_gauges("queue_messages", "Messages that wait for their turn.", ACCOUNT)?,
            queue_age: register.gauges(
                "queue_age_seconds",
                "How long the oldest message that waits for its turn has been here.",
                ACCOUNT,
            )?,
            unfinished: register.int_gauges(
                "unfinished_messages",
                "Messages whose outcome is not known yet.",
                ACCOUNT,
            )?,
            under_way: register.int_gauges("parts_under_way", "Parts submitted and not answered.", ACCOUNT)?,
            rate_limit: register.gauges(
                "rate_limit",
                "Parts a second that the account may send now; 0 = no limit.",
                ACCOUNT,
            )?,
            slowed: register.int_gauges(
                "slowed",
                "1 while the account is slower because the carrier asked for it.",
                ACCOUNT,
            )?,
            alarm: register.int_gauges(
                "alarm",
                "1 while somebody should look: link (a connection is down), answers (too many refusals or silences).",
                &["account", "kind"],
            )?,
            spool_events: register.int_gauge(
                "spool_events",
                "Events in the spool that no UAOP has acknowledged.",
            )?,
            spool_failures: register.counter(
                "spool_failures_total",
                "Writes to the spool that failed; they are tried again, and nothing new is taken meanwhile.",
            )?,
            spool_batches: register.counter("spool_batches_total", "Commits of the spool.")?,
            spool_commit_seconds: register
                .seconds("spool_commit_seconds_total", "Time that the spool's commits took, all together.")?,
            spool_events_limit: register.int_gauge(
                "spool_events_limit",
                "Events that a consumer may lack; one that lacks more is not waited for.",
            )?,
            consumer_connected: register.int_gauges(
                "consumer_connected",
                "1 while a consumer of events (a UAOP) reads: within the last two minutes.",
                CONSUMER,
            )?,
            consumer_unacknowledged: register.int_gauges(
                "consumer_unacknowledged_events",
                "Events that a consumer has not acknowledged.",
                CONSUMER,
            )?,
            consumers_forgotten: register.counters(
                "consumers_forgotten_total",
                "Consumers that are not waited for any more, by reason: gone, behind.",
                &["reason"],
            )?,
            link_ready: register.int_gauge(
                "link_ready",
                "1 while UAOPs on the link are told that messages are taken.",
            )?,
            link_verdicts: register.counters(
                "link_verdicts_total",
                "Verdicts on messages that UAOPs offered over the link: taken, duplicate, later, refused.",
                &["verdict"],
            )?,
            orphaned_messages: register.int_gauge(
                "orphaned_messages",
                "Messages of earlier runs that wait in the spool and that no account can take.",
            )?,
            orphaned_fragments: register.int_gauge(
                "orphaned_fragments",
                "Parts of users' messages that wait in the spool for an account that is not there any more.",
            )?,
            clock_jumps: register.counter(
                "clock_jumps_total",
                "Times that the host's time of day jumped by more than a minute.",
            )?,
        })
    }
}
