//! The metrics; `/counts` is made of the same numbers.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use runtime::register::Register;
use serde::{Deserialize, Serialize};

/// All families.
#[derive(Debug)]
pub struct Families {
    pub registry: Registry,
    pub logins_refused: IntCounterVec,
    submits: IntCounterVec,
    answers: IntCounterVec,
    unanswered: IntCounterVec,
    duplicates: IntCounterVec,
    reports: IntCounterVec,
    mo: IntCounterVec,
    oddities: IntCounterVec,
    cut: IntCounterVec,
    waiting: IntGaugeVec,
    connections: IntGaugeVec,
}

/// The handles of one account.
#[derive(Debug)]
pub struct Counters {
    name: String,
    answers: IntCounterVec,
    /// The counter of each code seen.
    codes: Mutex<BTreeMap<u32, IntCounter>>,
    pub submits: IntCounter,
    pub unanswered: IntCounter,
    pub duplicates: IntCounter,
    pub reports: Deliveries,
    pub mo: Deliveries,
    pub oddities: IntCounter,
    pub cut: IntCounter,
    pub waiting: IntGauge,
    pub connections: IntGauge,
}

/// The counters of reports, or of MO.
#[derive(Debug)]
pub struct Deliveries {
    /// Due one day, each once.
    pub made: IntCounter,
    pub lost: IntCounter,
    pub duplicated: IntCounter,
    pub sent: IntCounter,
    /// Of those sent, not for the first time.
    pub repeated: IntCounter,
    pub refused: IntCounter,
    pub acknowledged: IntCounter,
}

/// One account's numbers since the carrier started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All that came, those that the session refused alone too: beyond the window, under a sequence in use, not to be read.
    /// Of these the record has nothing.
    pub submits: u64,
    /// Those with code 0, answered or not.
    pub accepted: u64,
    /// Answers by code, those that were not sent too.
    pub codes: BTreeMap<u32, u64>,
    /// Taken, and left without an answer.
    pub unanswered: u64,
    /// Taken messages of the same destination and content as an earlier one.
    pub duplicate_submits: u64,
    pub reports: DeliveryCounts,
    pub mo: DeliveryCounts,
    /// Connections that were cut on purpose.
    pub cut: u64,
    /// What peers should not do, and sessions live through.
    pub oddities: u64,
    /// Reports and MO that wait for a connection.
    pub waiting: i64,
    pub connections: i64,
}

/// See [`Deliveries`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCounts {
    pub made: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub sent: u64,
    pub repeated: u64,
    pub refused: u64,
    pub acknowledged: u64,
}

const ACCOUNT: &[&str] = &["account"];
const EVENT: &[&str] = &["account", "event"];

impl Families {
    /// Registers every family.
    ///
    /// # Errors
    /// When two share a name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let r = Register { registry: &registry, namespace: "carrier" };
        Ok(Self {
            logins_refused: r.counters(
                "logins_refused_total",
                "Logins that were refused",
                &["protocol", "reason"],
            )?,
            submits: r.counters("submits_total", "Submits that came", ACCOUNT)?,
            answers: r.counters("answers_total", "Answers to submits", &["account", "code"])?,
            unanswered: r.counters("unanswered_total", "Submits left without an answer", ACCOUNT)?,
            duplicates: r.counters(
                "duplicate_submits_total",
                "Taken messages of the same destination and content as an earlier one",
                ACCOUNT,
            )?,
            reports: r.counters("reports_total", "What happened to reports", EVENT)?,
            mo: r.counters("mo_total", "What happened to messages of users", EVENT)?,
            oddities: r.counters("oddities_total", "What peers should not do", ACCOUNT)?,
            cut: r.counters("connections_cut_total", "Connections cut on purpose", ACCOUNT)?,
            waiting: r.int_gauges("waiting", "Reports and MO that wait for a connection", ACCOUNT)?,
            connections: r.int_gauges("connections", "Connections that are logged in", ACCOUNT)?,
            registry,
        })
    }

    /// The handles of an account.
    #[must_use]
    pub fn account(&self, name: &str) -> Counters {
        let label = &[name];
        Counters {
            name: name.to_owned(),
            answers: self.answers.clone(),
            codes: Mutex::default(),
            submits: self.submits.with_label_values(label),
            unanswered: self.unanswered.with_label_values(label),
            duplicates: self.duplicates.with_label_values(label),
            reports: deliveries(&self.reports, name),
            mo: deliveries(&self.mo, name),
            oddities: self.oddities.with_label_values(label),
            cut: self.cut.with_label_values(label),
            waiting: self.waiting.with_label_values(label),
            connections: self.connections.with_label_values(label),
        }
    }
}

impl Counters {
    /// Counts an answer.
    pub fn answer(&self, code: u32) {
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes
            .entry(code)
            .or_insert_with(|| self.answers.with_label_values(&[self.name.as_str(), &code.to_string()]))
            .inc();
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let codes: BTreeMap<u32, u64> = codes.iter().map(|(code, counter)| (*code, counter.get())).collect();
        Counts {
            submits: self.submits.get(),
            accepted: codes.get(&0).copied().unwrap_or_default(),
            codes,
            unanswered: self.unanswered.get(),
            duplicate_submits: self.duplicates.get(),
            reports: self.reports.counts(),
            mo: self.mo.counts(),
            cut: self.cut.get(),
            oddities: self.oddities.get(),
            waiting: self.waiting.get(),
            connections: self.connections.get(),
        }
    }
}

impl Deliveries {
    fn counts(&self) -> DeliveryCounts {
        DeliveryCounts {
            made: self.made.get(),
            lost: self.lost.get(),
            duplicated: self.duplicated.get(),
            sent: self.sent.get(),
            repeated: self.repeated.get(),
            refused: self.refused.get(),
            acknowledged: self.acknowledged.get(),
        }
    }
}

fn deliveries(family: &IntCounterVec, account: &str) -> Deliveries {
    let counter = |event| family.with_label_values(&[account, event]);
    Deliveries {
        made: counter("made"),
        lost: counter("lost"),
        duplicated: counter("duplicated"),
        sent: counter("sent"),
        repeated: counter("repeated"),
        refused: counter("refused"),
        acknowledged: counter("acknowledged"),
    }
}
