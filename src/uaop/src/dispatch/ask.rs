//! Which gateway has a message that was offered before.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{GatewayId, Target};
use futures_util::future::join_all;
use link::LineError;

use super::{Dispatch, Routed};
use crate::gateways::{Condition, Conditions};

/// Where a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'r> {
    /// A gateway knows it.
    At(&'r Target),
    /// No gateway of its route has it.
    Nowhere,
    /// This one may have it: it cannot be asked, and could not for so long. Of several, the one for the shortest time.
    Perhaps { gateway: &'r GatewayId, away_for: Duration },
}

/// What one gateway said.
enum Said {
    Knows(bool),
    Silent(Duration),
}

impl Dispatch {
    /// One answer for each message. Those that are offered for the first time are nowhere.
    pub(super) async fn ask<'r>(&self, messages: &[Routed<'r>], conditions: &Conditions) -> Vec<Found<'r>> {
        let mut questions: BTreeMap<&GatewayId, Vec<usize>> = BTreeMap::new();
        for (index, message) in messages.iter().enumerate().filter(|(_, message)| message.offer.again) {
            for target in &message.targets {
                questions.entry(&target.gateway).or_default().push(index);
            }
        }
        let asked = questions.into_iter().map(|(gateway, indexes)| async move {
            let said = self.question(gateway, &indexes, messages, conditions.get(gateway)).await;
            indexes.into_iter().zip(said).map(|(index, said)| ((index, gateway), said)).collect::<Vec<_>>()
        });
        let said: BTreeMap<(usize, &GatewayId), Said> = join_all(asked).await.into_iter().flatten().collect();
        messages.iter().enumerate().map(|(index, message)| found(index, message, &said)).collect()
    }

    async fn question(
        &self,
        gateway: &GatewayId,
        indexes: &[usize],
        messages: &[Routed<'_>],
        condition: Option<&Condition>,
    ) -> Vec<Said> {
        let silent = |time| indexes.iter().map(|_| Said::Silent(time)).collect();
        if let Some(time) = condition.and_then(Condition::away_for) {
            return silent(time);
        }
        let Some(peer) = self.peers.get(gateway) else { return silent(Duration::ZERO) };
        let ids = indexes.iter().filter_map(|&index| messages.get(index));
        let ids = ids.map(|message| message.offer.submission.uaop_id.clone()).collect();
        match peer.known(ids).await {
            Ok(known) if known.len() == indexes.len() => known.into_iter().map(Said::Knows).collect(),
            Ok(_) => silent(Duration::ZERO),
            Err(LineError::Down(reason) | LineError::Lost(reason) | LineError::Failed(reason)) => {
                tracing::warn!(%gateway, reason, "it does not say which messages it has");
                silent(Duration::ZERO)
            }
        }
    }
}

fn found<'r>(index: usize, message: &Routed<'r>, said: &BTreeMap<(usize, &GatewayId), Said>) -> Found<'r> {
    let mut perhaps: Option<(&GatewayId, Duration)> = None;
    for &target in &message.targets {
        match said.get(&(index, &target.gateway)) {
            Some(Said::Knows(true)) => return Found::At(target),
            Some(Said::Silent(time)) if perhaps.is_none_or(|(_, least)| *time < least) => {
                perhaps = Some((&target.gateway, *time));
            }
            Some(Said::Knows(false) | Said::Silent(_)) | None => {}
        }
    }
    perhaps.map_or(Found::Nowhere, |(gateway, away_for)| Found::Perhaps { gateway, away_for })
}
