//! The checks and agents' answers that are under way.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lb_core::config::{Agent, Check};
use lb_core::pool::{Question, ServerId};
use tokio::task::{Id, JoinSet};

use crate::probe::{ProbeError, Prober, Target};

/// Tells probes apart: a slow one is not started twice, and a check of a former question does not hold up the
/// new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Probe {
    pub server: ServerId,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Check(Question),
    Agent,
}

/// What is to be done.
pub(super) enum Job {
    Check(Question, Box<Check>),
    Agent(Agent),
}

/// What came of it.
pub(super) struct Done {
    pub server: ServerId,
    /// Of the server.
    pub name: Arc<str>,
    pub took: Duration,
    pub answer: Answer,
}

pub(super) enum Answer {
    Check(Question, Result<(), ProbeError>),
    Agent(Result<Vec<u8>, ProbeError>),
}

/// Dropped, it ends them all.
#[derive(Default)]
pub(super) struct Probes {
    running: BTreeSet<Probe>,
    started: HashMap<Id, Started>,
    tasks: JoinSet<(Duration, Answer)>,
}

struct Started {
    probe: Probe,
    name: Arc<str>,
    at: Instant,
}

impl Probes {
    pub fn runs(&self, probe: Probe) -> bool {
        self.running.contains(&probe)
    }

    pub fn start(&mut self, job: Job, target: Target, server: ServerId, prober: Arc<Prober>) {
        let name = target.server_name.as_str().into();
        match job {
            Job::Check(question, check) => {
                let answer = async move { Answer::Check(question, prober.run(&check, &target).await) };
                self.spawn(Probe { server, kind: Kind::Check(question) }, name, answer);
            }
            Job::Agent(agent) => {
                let answer = async move { Answer::Agent(prober.ask_agent(&agent, &target).await) };
                self.spawn(Probe { server, kind: Kind::Agent }, name, answer);
            }
        }
    }

    pub fn spawn(
        &mut self,
        probe: Probe,
        name: Arc<str>,
        answer: impl Future<Output = Answer> + Send + 'static,
    ) {
        let at = Instant::now();
        let task = self.tasks.spawn(async move {
            let answer = answer.await;
            (at.elapsed(), answer)
        });
        self.running.insert(probe);
        self.started.insert(task.id(), Started { probe, name, at });
    }

    /// The next that ends; `None` = none is under way.
    pub async fn next(&mut self) -> Option<Done> {
        let (id, ended) = match self.tasks.join_next_with_id().await? {
            Ok((id, ended)) => (id, Ok(ended)),
            Err(error) => (error.id(), Err(error.to_string())),
        };
        let Started { probe, name, at } = self.started.remove(&id)?;
        self.running.remove(&probe);
        let (took, answer) = ended.unwrap_or_else(|error| (at.elapsed(), broken(probe.kind, error)));
        Some(Done { server: probe.server, name, took, answer })
    }
}

/// A probe that panicked says nothing about the server, and must not stop the ones after it.
fn broken(kind: Kind, error: String) -> Answer {
    let error = ProbeError::Local(error);
    match kind {
        Kind::Check(question) => Answer::Check(question, Err(error)),
        Kind::Agent => Answer::Agent(Err(error)),
    }
}
