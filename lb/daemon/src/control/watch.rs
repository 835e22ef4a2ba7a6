//! Runs the checks and agents of one pool, and its timers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::{Address, Agent, Check, Egress};
use lb_core::health::AgentReply;
use lb_core::pool::{AdminState, CheckResult, Event, Pool, ServerId, ServerView};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::probe::{ProbeError, Prober, Target};
use crate::service::{PoolEvents, SharedPool};

/// Runs until it is aborted.
pub(super) async fn watch(
    pool: Arc<SharedPool>,
    prober: watch::Receiver<Arc<Prober>>,
    events: UnboundedSender<PoolEvents>,
) {
    let mut watch =
        Watch { prober, running: BTreeSet::new(), agents: BTreeMap::new(), probes: JoinSet::new() };
    loop {
        let attention = pool.attention.notified();
        let now = Instant::now();
        let news = pool.with(|pool| pool.tick(now));
        send(&pool, news, &events);
        let next = watch.start_due(&pool, now);
        tokio::select! {
            () = sleep_until(next) => {}
            () = attention => {}
            Some(Ok(done)) = watch.probes.join_next() => {
                let news = watch.conclude(&pool, done);
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Check,
    Agent,
}

enum Answer {
    Check(Result<(), ProbeError>),
    Agent(Result<Vec<u8>, ProbeError>),
}

struct Done {
    server: ServerId,
    name: Arc<str>,
    took: Duration,
    answer: Answer,
}

struct Watch {
    prober: watch::Receiver<Arc<Prober>>,
    /// A slow check is not started twice.
    running: BTreeSet<(ServerId, Kind)>,
    /// When each server's agent is asked again.
    agents: BTreeMap<ServerId, Instant>,
    probes: JoinSet<Done>,
}

impl Watch {
    /// Starts what is due; returns when to look again.
    fn start_due(&mut self, pool: &SharedPool, now: Instant) -> Option<Instant> {
        let (checks, agents, mut next) = pool.with(|pool| {
            let egress = match pool.settings().egress {
                Egress::Address(address) => Some(address),
                Egress::Auto | Egress::Transparent => None,
            };
            let agent = pool.settings().agent.clone();
            let mut checks: Vec<(ServerId, Instant, Check, Target)> = Vec::new();
            let mut agents: Vec<(ServerId, Agent, Target)> = Vec::new();
            for server in pool.servers() {
                let Some(target) = target(&server, egress) else { continue };
                if let (Some(at), Some(check)) = (pool.next_check(server.id), server.check) {
                    checks.push((server.id, at, check.clone(), target.clone()));
                }
                if let (Some(agent), false, true) = (&agent, server.sorry, server.admin != AdminState::Maint)
                {
                    agents.push((server.id, agent.clone(), target));
                }
            }
            (checks, agents, pool.next_deadline())
        });
        let mut sooner = |at: Instant| next = Some(next.map_or(at, |next: Instant| next.min(at)));
        for (server, at, check, target) in checks {
            if self.running.contains(&(server, Kind::Check)) {
                continue;
            }
            if at <= now {
                self.start_check(server, check, target);
            } else {
                sooner(at);
            }
        }
        for (server, agent, target) in agents {
            if self.running.contains(&(server, Kind::Agent)) {
                continue;
            }
            let at = *self.agents.entry(server).or_insert(now);
            if at <= now {
                self.agents.insert(server, now + agent.interval);
                self.start_agent(server, agent, target);
            } else {
                sooner(at);
            }
        }
        next
    }

    fn start_check(&mut self, server: ServerId, check: Check, target: Target) {
        self.running.insert((server, Kind::Check));
        let prober = Arc::clone(&self.prober.borrow());
        self.probes.spawn(async move {
            let began = Instant::now();
            let answer = Answer::Check(prober.run(&check, &target).await);
            Done { server, name: target.server_name.into(), took: began.elapsed(), answer }
        });
    }

    fn start_agent(&mut self, server: ServerId, agent: Agent, target: Target) {
        self.running.insert((server, Kind::Agent));
        let prober = Arc::clone(&self.prober.borrow());
        self.probes.spawn(async move {
            let began = Instant::now();
            let answer = Answer::Agent(prober.ask_agent(&agent, &target).await);
            Done { server, name: target.server_name.into(), took: began.elapsed(), answer }
        });
    }

    fn conclude(&mut self, pool: &SharedPool, done: Done) -> Vec<Event> {
        let Done { server, name, took, answer } = done;
        match answer {
            Answer::Check(result) => {
                self.running.remove(&(server, Kind::Check));
                conclude_check(pool, server, &name, took, result)
            }
            Answer::Agent(reply) => {
                self.running.remove(&(server, Kind::Agent));
                conclude_agent(pool, server, &name, reply)
            }
        }
    }
}

fn conclude_check(
    pool: &SharedPool,
    server: ServerId,
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
            pool.with(|pool| pool.check_skipped(server, Instant::now()));
            return Vec::new();
        }
        Err(error) => CheckResult::Failed { took, reason: error.to_string() },
    };
    pool.with(|pool: &mut Pool| pool.check_result(server, result, Instant::now()))
}

fn conclude_agent(
    pool: &SharedPool,
    server: ServerId,
    name: &str,
    reply: Result<Vec<u8>, ProbeError>,
) -> Vec<Event> {
    // an agent that does not answer changes nothing
    let Ok(line) = reply else { return Vec::new() };
    match AgentReply::parse(&line) {
        Ok(reply) => pool.with(|pool| pool.agent_reply(server, reply, Instant::now())),
        Err(error) => {
            tracing::warn!(pool = pool.name, server = name, %error, "agent not understood");
            Vec::new()
        }
    }
}

fn target(server: &ServerView<'_>, egress: Option<std::net::IpAddr>) -> Option<Target> {
    let host = match server.address {
        Address::Name { host, .. } => Some(host.clone()),
        Address::Socket(_) => None,
    };
    Some(Target { address: server.resolved?, server_name: server.name.to_string(), host, egress })
}
