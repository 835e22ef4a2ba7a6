//! Runs the checks and agents of one pool, and its timers.

mod probes;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::{Address, Egress};
use lb_core::health::AgentReply;
use lb_core::pool::{AdminState, CheckResult, Event, Pool, Question, ServerId, ServerView};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use crate::probe::{ProbeError, Prober, Target};
use crate::service::{PoolEvents, SharedPool};
use probes::{Answer, Done, Job, Kind, Probe, Probes};

/// Runs until it is aborted.
pub(super) async fn watch(
    pool: Arc<SharedPool>,
    prober: watch::Receiver<Arc<Prober>>,
    events: UnboundedSender<PoolEvents>,
) {
    let mut watch = Watch::new(prober);
    loop {
        let attention = pool.attention.notified();
        let now = Instant::now();
        let news = pool.with(|pool| pool.tick(now));
        send(&pool, news, &events);
        let next = watch.start_due(&pool, now);
        tokio::select! {
            () = sleep_until(next) => {}
            () = attention => {}
            Some(done) = watch.probes.next() => {
                let news = conclude(&pool, done);
                send(&pool, news, &events);
            }
        }
    }
}

fn send(pool: &Arc<SharedPool>, news: Vec<Event>, events: &UnboundedSender<PoolEvents>) {
    if !news.is_empty() {
        // nobody listens only while the process ends
        let _ = events.send(PoolEvents { pool: Arc::clone(pool), events: news });
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

struct Watch {
    prober: watch::Receiver<Arc<Prober>>,
    probes: Probes,
    /// When the agent of each server that has one is asked again.
    agents: BTreeMap<ServerId, Instant>,
}

impl Watch {
    fn new(prober: watch::Receiver<Arc<Prober>>) -> Self {
        Self { prober, probes: Probes::default(), agents: BTreeMap::new() }
    }

    /// Starts what is due; returns when to look again.
    fn start_due(&mut self, pool: &SharedPool, now: Instant) -> Option<Instant> {
        let (due, next) = pool.with(|pool| self.due(pool, now));
        for (server, target, job) in due {
            let prober = Arc::clone(&self.prober.borrow());
            self.probes.start(job, target, server, prober);
        }
        next
    }

    /// The pool is locked meanwhile: only what starts now is copied.
    fn due(&mut self, pool: &Pool, now: Instant) -> (Vec<(ServerId, Target, Job)>, Option<Instant>) {
        let settings = pool.settings();
        let egress = match settings.egress {
            Egress::Address(address) => Some(address),
            Egress::Auto | Egress::Transparent => None,
        };
        let mut due = Vec::new();
        let mut next = pool.next_deadline();
        let mut later = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        let asked = std::mem::take(&mut self.agents);
        for server in pool.servers() {
            let Some(address) = server.resolved else { continue };
            let target = || target(&server, address, egress);
            if let (Some(at), Some(check)) = (server.next_check, server.check) {
                let probe = Probe { server: server.id, kind: Kind::Check(server.question) };
                if self.probes.runs(probe) {
                    // its end wakes us up
                } else if at <= now {
                    due.push((server.id, target(), Job::Check(server.question, Box::new(check.clone()))));
                } else {
                    later(at);
                }
            }
            if let (Some(agent), false, true) =
                (&settings.agent, server.sorry, server.admin != AdminState::Maint)
            {
                let probe = Probe { server: server.id, kind: Kind::Agent };
                let mut at = asked.get(&server.id).copied().unwrap_or(now);
                if self.probes.runs(probe) {
                    // as above
                } else if at <= now {
                    at = now + agent.interval;
                    due.push((server.id, target(), Job::Agent(agent.clone())));
                } else {
                    later(at);
                }
                self.agents.insert(server.id, at);
            }
        }
        (due, next)
    }
}

fn target(server: &ServerView<'_>, address: SocketAddr, egress: Option<IpAddr>) -> Target {
    let host = match server.address {
        Address::Name { host, .. } => Some(host.clone()),
        Address::Socket(_) => None,
    };
    Target { address, server_name: server.name.to_string(), host, egress }
}

fn conclude(pool: &SharedPool, done: Done) -> Vec<Event> {
    let Done { server, name, took, answer } = done;
    match answer {
        Answer::Check(question, result) => conclude_check(pool, server, question, &name, took, result),
        Answer::Agent(reply) => conclude_agent(pool, server, &name, reply),
    }
}

fn conclude_check(
    pool: &SharedPool,
    server: ServerId,
    question: Question,
    name: &str,
    took: Duration,
    result: Result<(), ProbeError>,
) -> Vec<Event> {
    let labels = [pool.name.as_str(), name];
    let families = &pool.families;
    families.server_check_duration.with_label_values(&labels).set(took.as_secs_f64());
    let label = result.as_ref().err().map_or("passed", ProbeError::reason);
    families.server_checks.with_label_values(&[labels[0], labels[1], label]).inc();
    let result = match result {
        Ok(()) => CheckResult::Passed { took },
        Err(ProbeError::Local(error)) => {
            tracing::warn!(pool = pool.name, server = name, error, "this host cannot make the check");
            pool.with(|pool| pool.check_skipped(server, question, Instant::now()));
            return Vec::new();
        }
        Err(error) => CheckResult::Failed { took, reason: error.to_string() },
    };
    pool.with(|pool: &mut Pool| pool.check_result(server, question, result, Instant::now()))
}

fn conclude_agent(
    pool: &SharedPool,
    server: ServerId,
    name: &str,
    reply: Result<Vec<u8>, ProbeError>,
) -> Vec<Event> {
    let line = match reply {
        Ok(line) => line,
        Err(error) => {
            // an agent that does not answer changes nothing
            tracing::debug!(pool = pool.name, server = name, %error, "no answer of the agent");
            return Vec::new();
        }
    };
    match AgentReply::parse(&line) {
        Ok(reply) => pool.with(|pool| pool.agent_reply(server, reply, Instant::now())),
        Err(error) => {
            tracing::warn!(pool = pool.name, server = name, %error, "agent not understood");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
