//! From routed messages to gateways: where may each be already (`ask`) → which gateways may get it, in which order
//! (`plan`) → offered, gateway by gateway (`send`).

mod ask;
mod plan;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{GatewayId, Submission, Target};
use link::Offer;

use crate::config::Classes;
use crate::gateways::{Board, Peer};
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use plan::Plan;

/// Hands messages to gateways.
pub struct Dispatch {
    pub peers: BTreeMap<GatewayId, Arc<dyn Peer>>,
    pub board: Board,
    pub classes: Classes,
    pub metrics: Arc<Metrics>,
}

/// A message and the gateways of its route, the best first.
#[derive(Clone, Debug)]
pub struct Routed<'r> {
    pub offer: Offer,
    pub targets: Vec<&'r Target>,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Done {
    /// As the gateway got it, if one did.
    pub submission: Submission,
    pub gateway: Option<GatewayId>,
    pub outcome: Outcome,
}

impl Dispatch {
    /// One answer for each message, in their order. [`Outcome::Taken`]: a gateway has it.
    pub async fn dispatch(&self, messages: Vec<Routed<'_>>) -> Vec<Done> {
        let conditions = self.board.now();
        let found = self.ask(&messages, &conditions).await;
        let mut courses = Vec::with_capacity(messages.len());
        for (message, found) in messages.into_iter().zip(found) {
            let policy = self.classes.uncertain(&message.offer.submission.class);
            let plan = plan::plan(&message.targets, found, &conditions, policy, self.classes.patience);
            if let Plan::Elsewhere { gateway, .. } = &plan {
                self.metrics.uncertain_resends.inc();
                tracing::warn!(
                    uaopId = %message.offer.submission.uaop_id,
                    %gateway,
                    "this gateway may have the message and is away for too long: it goes to another, and may be sent twice"
                );
            }
            courses.push(send::Course::new(message.offer, plan));
        }
        self.send(&mut courses).await;
        courses.into_iter().map(send::Course::done).collect()
    }
}
