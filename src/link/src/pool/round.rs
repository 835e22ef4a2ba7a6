//! Each message once to each server that is usable, until one has said something final.

use std::collections::BTreeMap;

use domain::Submission;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::{Pool, now};
use crate::protocol::FRAME_COUNT;
use crate::{LineError, Offer, Verdict};

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Item<P> {
    /// What its owner knows it by.
    pub place: P,
    pub submission: Submission,
    pub again: bool,
}

impl Pool {
    /// Offers each message once to each usable server, until it has a verdict that is final. `Later`: none has one now.
    /// What may have been taken comes back with `again`.
    pub(crate) async fn round<P>(&self, items: Vec<Item<P>>) -> Vec<(Item<P>, Verdict)> {
        let mut groups: BTreeMap<usize, Vec<Item<P>>> = BTreeMap::new();
        let mut done = Vec::with_capacity(items.len());
        {
            let mut core = self.0.shared.core();
            for item in items {
                match core.lane() {
                    Some(server) => groups.entry(server).or_default().push(item),
                    None => done.push((item, none_usable())),
                }
            }
        }
        let mut offering = FuturesUnordered::new();
        for (server, mut items) in groups {
            while !items.is_empty() {
                let rest = items.split_off(items.len().min(FRAME_COUNT));
                offering.push(self.offer(server, std::mem::replace(&mut items, rest)));
            }
        }
        while let Some(more) = offering.next().await {
            done.extend(more);
        }
        done
    }

    async fn offer<P>(&self, server: usize, mut items: Vec<Item<P>>) -> Vec<(Item<P>, Verdict)> {
        let mut done = Vec::with_capacity(items.len());
        let mut tried = Vec::new();
        let mut server = Some(server);
        let mut put_off: Vec<(Item<P>, Verdict)> = Vec::new();
        while let Some(here) = server {
            tried.push(here);
            for (item, verdict) in self.offer_to(here, items).await {
                match verdict {
                    Verdict::Later { .. } | Verdict::InDoubt { .. } => put_off.push((item, verdict)),
                    Verdict::Taken { .. } | Verdict::Refused { .. } => done.push((item, verdict)),
                }
            }
            if put_off.is_empty() {
                return done;
            }
            server = self.0.shared.core().other(&tried, now());
            if server.is_none() {
                break;
            }
            items = put_off.drain(..).map(|(item, _)| item).collect();
            self.count_retries(items.len());
        }
        done.extend(put_off);
        done
    }

    async fn offer_to<P>(&self, server: usize, mut items: Vec<Item<P>>) -> Vec<(Item<P>, Verdict)> {
        let shared = &self.0.shared;
        let offers: Vec<Offer> = items
            .iter()
            .map(|Item { submission, again, .. }| Offer { submission: submission.clone(), again: *again })
            .collect();
        let count = offers.len();
        let answer = match shared.lines.get(server) {
            Some(line) => line.submit(offers).await,
            None => Err(LineError::Down("there is no such server".to_owned())),
        };
        if let Some(metrics) = shared.metrics.get() {
            metrics.answered(server, count, &answer);
        }
        let verdicts = match answer {
            Ok(verdicts) => verdicts,
            Err(LineError::Lost(reason)) => vec![Verdict::InDoubt { reason }; count],
            Err(LineError::Down(reason) | LineError::Failed(reason)) => {
                vec![Verdict::Later { reason }; count]
            }
        };
        for (item, verdict) in items.iter_mut().zip(&verdicts) {
            item.again |= matches!(verdict, Verdict::InDoubt { .. });
        }
        items.into_iter().zip(verdicts).collect()
    }
}

fn none_usable() -> Verdict {
    Verdict::Later { reason: "no server is usable".to_owned() }
}
