//! How the center stands: what `/readyz` and `/metrics` say.

use std::sync::{Arc, Mutex, PoisonError};

use domain::alarm::Severity;
use prometheus::Registry;
use runtime::endpoint::Watched;

use crate::clock::Clock;
use crate::intake::Lane;
use crate::metrics::Families;
use crate::own::Own;

/// What it needs, and whether that answers.
#[derive(Debug)]
pub struct Standing {
    pub lanes: Vec<Arc<Lane>>,
    /// Of the store and the bus.
    answers: Mutex<[Result<(), String>; 2]>,
}

impl Standing {
    pub fn new(lanes: Vec<Arc<Lane>>) -> Self {
        let not_yet = |who: &str| Err(format!("{who} was not asked yet"));
        Self { lanes, answers: Mutex::new([not_yet("the store"), not_yet("the bus")]) }
    }

    pub fn set(&self, store: Result<(), String>, bus: Result<(), String>) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = [store, bus];
    }

    /// # Errors
    /// All that is not as it should be, one a line.
    pub fn ready(&self) -> Result<(), String> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut not: Vec<String> =
            answers.iter().filter_map(|answer| answer.as_ref().err().cloned()).collect();
        let idle = self.lanes.iter().filter(|lane| !lane.reading());
        not.extend(idle.map(|lane| format!("{} are not read", lane.name)));
        if not.is_empty() { Ok(()) } else { Err(not.join("\n")) }
    }
}

/// As JSON and metrics have it.
pub const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// What Prometheus and load balancers ask.
pub struct Endpoint {
    pub registry: Registry,
    pub families: Arc<Families>,
    pub standing: Arc<Standing>,
    pub clock: Clock,
    pub own: Option<Own>,
}

impl Watched for Endpoint {
    fn registry(&self) -> &Registry {
        let now = self.clock.now();
        for lane in &self.standing.lanes {
            let lag = i64::try_from(lane.lag(now)).unwrap_or(i64::MAX);
            self.families.lag.with_label_values(&[lane.name]).set(lag);
        }
        for server in self.own.iter().flat_map(Own::servers) {
            let up = i64::from(server.usable);
            self.families.servers.with_label_values(&[&server.name]).set(up);
        }
        &self.registry
    }

    fn ready(&self) -> Result<(), String> {
        self.standing.ready()
    }
}
