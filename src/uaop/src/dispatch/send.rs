//! Messages on their way through their plans. Those that are for the same gateway go there together.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use domain::{Account, GatewayId, Target};
use futures_util::future::join_all;
use link::{LineError, Offer, Verdict};

use super::plan::Plan;
use super::{Dispatch, Done};
use crate::outcome::Outcome;

/// One message.
#[derive(Debug)]
pub struct Course<'r> {
    offer: Offer,
    /// As its EMPI named it.
    account: Option<Account>,
    targets: VecDeque<&'r Target>,
    gateway: Option<GatewayId>,
    outcome: Option<Outcome>,
    /// What the last gateway said that did not take it.
    put_off: String,
}

impl<'r> Course<'r> {
    pub fn new(offer: Offer, plan: Plan<'r>) -> Self {
        let (targets, outcome) = match plan {
            Plan::Offer(targets) | Plan::Elsewhere { targets, .. } => (targets, None),
            Plan::Put(outcome) => (VecDeque::new(), Some(outcome)),
        };
        let account = offer.submission.account.clone();
        Self { offer, account, targets, gateway: None, outcome, put_off: String::new() }
    }

    pub fn done(self) -> Done {
        let outcome = self.outcome.unwrap_or(Outcome::PutOff(self.put_off));
        Done { submission: self.offer.submission, gateway: self.gateway, outcome }
    }

    /// To whom it is to be offered now.
    fn next(&self) -> Option<&'r Target> {
        if self.outcome.is_some() { None } else { self.targets.front().copied() }
    }

    fn offer_for(&mut self, target: &Target) -> Offer {
        self.offer.submission.account = target.account.clone().or_else(|| self.account.clone());
        self.offer.clone()
    }

    /// This one does not take it: the next may.
    fn go_on(&mut self, gateway: &GatewayId, reason: &str) {
        self.put_off = format!("gateway {gateway}: {reason}");
        self.targets.pop_front();
    }

    fn end(&mut self, gateway: &GatewayId, outcome: Outcome) {
        self.gateway = Some(gateway.clone());
        self.outcome = Some(outcome);
    }
}

impl Dispatch {
    /// Offers each to one gateway after the other until it has an outcome, or no gateway is left.
    pub(super) async fn send(&self, courses: &mut [Course<'_>]) {
        loop {
            let mut groups: BTreeMap<&GatewayId, (Vec<usize>, Vec<Offer>)> = BTreeMap::new();
            for (index, course) in courses.iter_mut().enumerate() {
                let Some(target) = course.next() else { continue };
                let (indexes, offers) = groups.entry(&target.gateway).or_default();
                indexes.push(index);
                offers.push(course.offer_for(target));
            }
            if groups.is_empty() {
                return;
            }
            let answers = groups.into_iter().map(|(gateway, (indexes, offers))| async move {
                (gateway, indexes, self.submit(gateway, offers).await)
            });
            for (gateway, indexes, answer) in join_all(answers).await {
                for (position, index) in indexes.into_iter().enumerate() {
                    if let Some(course) = courses.get_mut(index) {
                        let verdict = answer.as_ref().map(|verdicts| verdicts.get(position));
                        self.apply(course, gateway, verdict);
                    }
                }
            }
        }
    }

    async fn submit(&self, gateway: &GatewayId, offers: Vec<Offer>) -> Result<Vec<Verdict>, LineError> {
        let Some(peer) = self.peers.get(gateway) else {
            return Err(LineError::Down("there is no such gateway".to_owned()));
        };
        let began = Instant::now();
        let answer = peer.submit(offers).await;
        let label = [gateway.as_str()];
        self.metrics.submit_seconds.with_label_values(&label).observe(began.elapsed().as_secs_f64());
        if let Err(LineError::Lost(reason)) = &answer {
            self.metrics.lines_lost.with_label_values(&label).inc();
            tracing::warn!(%gateway, reason, "the line was lost before the verdicts");
        }
        answer
    }

    fn apply(
        &self,
        course: &mut Course<'_>,
        gateway: &GatewayId,
        verdict: Result<Option<&Verdict>, &LineError>,
    ) {
        let word = match verdict {
            Ok(Some(Verdict::Taken { duplicate })) => {
                course.end(gateway, Outcome::Taken { duplicate: *duplicate });
                if *duplicate { "duplicate" } else { "taken" }
            }
            Ok(Some(Verdict::Refused { reason })) => {
                course.end(gateway, Outcome::Refused(reason.clone()));
                "refused"
            }
            Ok(Some(Verdict::Later { reason })) => {
                course.go_on(gateway, reason);
                "later"
            }
            Err(LineError::Down(reason)) => {
                course.go_on(gateway, reason);
                "not_connected"
            }
            Ok(None | Some(Verdict::InDoubt { .. })) | Err(LineError::Lost(_) | LineError::Failed(_)) => {
                let reason = format!("gateway {gateway} may have it: it gave no verdict");
                course.end(gateway, Outcome::Doubt(reason));
                "lost"
            }
        };
        self.metrics.messages.with_label_values(&[gateway.as_str(), word]).inc();
    }
}
