//! Tells one change: runs the program and calls the webhook, side by side, each within the time limit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use lb_core::config::Notify;
use tokio::time::timeout;

use super::Change;
use super::alert::{self, Alert};
use super::webhook::Webhooks;
use crate::control::Timeline;
use crate::metrics::Metrics;
use crate::probe::{self, ProbeError};
use crate::vrrp::Kind;

/// Carries out, and notes what came of it.
#[derive(Debug)]
pub struct Carrier {
    timeline: Arc<Timeline>,
    metrics: Arc<Metrics>,
    webhooks: Webhooks,
    node: String,
    /// What a webhook was told last that is not over.
    firing: BTreeMap<Arc<str>, Alert>,
}

/// Why somebody was not told.
#[derive(Debug)]
enum Failure {
    Timeout(Duration),
    Failed(String),
}

impl Carrier {
    pub fn new(timeline: Arc<Timeline>, metrics: Arc<Metrics>, node: String) -> Self {
        Self { timeline, metrics, webhooks: Webhooks::default(), node, firing: BTreeMap::new() }
    }

    /// Forgets what the last configuration meant: roots of trust are read again.
    pub fn renew(&mut self) {
        self.webhooks = Webhooks::default();
    }

    /// Takes no longer than `notify.timeout`.
    pub async fn deliver(&mut self, change: &Change, notify: &Notify) {
        let body = notify.webhook.is_some().then(|| self.message(change));
        let command = async {
            if let Some(command) = &notify.command {
                self.attempt("command", change, notify.timeout, run(command, change)).await;
            }
        };
        let webhook = async {
            if let (Some(url), Some(body)) = (&notify.webhook, body) {
                self.attempt("webhook", change, notify.timeout, self.webhooks.post(url, body)).await;
            }
        };
        tokio::join!(command, webhook);
    }

    fn message(&mut self, change: &Change) -> Vec<u8> {
        let at = SystemTime::now().checked_sub(change.at.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH);
        let at = Timestamp::try_from(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let message = alert::message(change, at, &self.node, self.firing.remove(&change.router));
        if let Some(alert) = message.firing() {
            self.firing.insert(Arc::clone(&change.router), alert.clone());
        }
        // maps with text for keys can be written
        serde_json::to_vec(&message).unwrap_or_default()
    }

    async fn attempt(
        &self,
        via: &str,
        change: &Change,
        limit: Duration,
        work: impl Future<Output = Result<(), ProbeError>>,
    ) {
        let began = Instant::now();
        let result = match timeout(limit, work).await {
            Ok(Ok(())) => Ok(began.elapsed()),
            Ok(Err(ProbeError::Local(error))) => Err(Failure::Failed(error)),
            Ok(Err(error)) => Err(Failure::Failed(error.to_string())),
            Err(_) => Err(Failure::Timeout(limit)),
        };
        let (router, state) = (&*change.router, change.state);
        let (label, text) = match result {
            Ok(took) => ("ok", format!("{via}: told of {state} in {:.1} ms", took.as_secs_f64() * 1e3)),
            Err(failure) => {
                let (label, why) = match failure {
                    Failure::Timeout(limit) => {
                        ("timeout", format!("not done within {}", settings::format_duration(limit)))
                    }
                    Failure::Failed(error) => ("failed", error),
                };
                tracing::warn!(router, via, %state, error = why, "notification failed");
                (label, format!("{via}: NOT told of {state}: {why}"))
            }
        };
        self.metrics.vrrp.notifications.with_label_values(&[router, via, label]).inc();
        self.timeline.record(Instant::now(), Kind::Notification, router, text);
    }
}

/// Runs the program with what keepalived's scripts get: `INSTANCE NAME STATE PRIORITY`.
async fn run(command: &[String], change: &Change) -> Result<(), ProbeError> {
    let Some((program, args)) = command.split_first() else { return Ok(()) };
    let (state, priority) = (change.state.to_string(), change.priority.to_string());
    let more = ["INSTANCE", &*change.router, &state, &priority].map(str::to_owned);
    let args: Vec<String> = args.iter().cloned().chain(more).collect();
    let environment = [
        ("LB_ROUTER", &*change.router),
        ("LB_STATE", &state),
        ("LB_PRIORITY", &priority),
        ("LB_REASON", &change.reason),
    ];
    probe::run_command(Path::new(program), &args, &environment).await
}
