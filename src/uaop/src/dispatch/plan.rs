//! Which gateways may get a message.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{GatewayId, Target, WhenUncertain};

use super::ask::Found;
use crate::gateways::{Condition, Conditions};
use crate::outcome::Outcome;

/// What to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan<'r> {
    /// Offer it to these, in this order, until one takes it.
    Offer(VecDeque<&'r Target>),
    /// The same, though this gateway may have it.
    Elsewhere { gateway: &'r GatewayId, targets: VecDeque<&'r Target> },
    /// Not now.
    Put(Outcome),
}

/// Decides by where the message may be and by the policy of its class.
pub fn plan<'r>(
    targets: &[&'r Target],
    found: Found<'r>,
    conditions: &Conditions,
    policy: WhenUncertain,
    patience: Duration,
) -> Plan<'r> {
    match found {
        Found::At(target) => Plan::Offer(VecDeque::from([target])),
        Found::Nowhere => ready(targets, conditions).map_or_else(Plan::Put, Plan::Offer),
        Found::Perhaps { gateway, away_for } => match policy {
            WhenUncertain::Resend if away_for >= patience => ready(targets, conditions)
                .map_or_else(Plan::Put, |targets| Plan::Elsewhere { gateway, targets }),
            WhenUncertain::Resend | WhenUncertain::Mark => Plan::Put(Outcome::Doubt(format!(
                "gateway {gateway} may have it and cannot be asked: {}",
                why(gateway, conditions)
            ))),
        },
    }
}

/// Those that take messages.
fn ready<'r>(targets: &[&'r Target], conditions: &Conditions) -> Result<VecDeque<&'r Target>, Outcome> {
    let takes = |target: &&Target| conditions.get(&target.gateway).is_some_and(Condition::is_ready);
    let ready: VecDeque<_> = targets.iter().copied().filter(takes).collect();
    if !ready.is_empty() {
        return Ok(ready);
    }
    let reasons: Vec<String> = targets
        .iter()
        .map(|target| format!("{}: {}", target.gateway, why(&target.gateway, conditions)))
        .collect();
    Err(Outcome::NoGateway(format!("no gateway takes messages: {}", reasons.join("; "))))
}

fn why(gateway: &GatewayId, conditions: &Conditions) -> String {
    conditions.get(gateway).and_then(Condition::reason).unwrap_or("it gave no answer").to_owned()
}
