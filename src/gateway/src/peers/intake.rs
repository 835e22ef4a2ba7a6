//! Messages from UAOPs.

use async_trait::async_trait;
use domain::UaopId;
use link::{Identity, Intake, Offer, Standing, Verdict};
use tokio::sync::{oneshot, watch};

use super::{Peers, Verdicts};
use crate::engine;

#[async_trait]
impl Intake for Peers {
    async fn take(&self, _: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        let verdicts = if *self.stopping.borrow() {
            self.engine.refuse(offers.len())
        } else {
            // the spool knows what it has, whether or not the offer says `again`
            self.engine.take(offers.into_iter().map(|offer| offer.submission).collect()).await
        };
        verdicts.into_iter().map(|verdict| self.verdicts.count(translate(verdict))).collect()
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        let (sender, known) = oneshot::channel();
        let done = move |result| {
            // whoever asked may be gone
            let _ = sender.send(result);
        };
        self.engine.spool.known(ids, done).map_err(|refused| refused.to_string())?;
        match known.await {
            Ok(known) => known.map_err(|error| error.to_string()),
            Err(_) => Err("the gateway stops".to_owned()),
        }
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }
}

fn translate(verdict: engine::Verdict) -> Verdict {
    match verdict {
        engine::Verdict::New => Verdict::Taken { duplicate: false },
        engine::Verdict::Duplicate { outcome: _ } => Verdict::Taken { duplicate: true },
        engine::Verdict::Refused { reason, again: true } => Verdict::Later { reason },
        engine::Verdict::Refused { reason, again: false } => Verdict::Refused { reason },
    }
}

impl Verdicts {
    fn count(&self, verdict: Verdict) -> Verdict {
        match &verdict {
            Verdict::Taken { duplicate: false } => self.taken.inc(),
            Verdict::Taken { duplicate: true } => self.duplicate.inc(),
            Verdict::Later { .. } | Verdict::InDoubt { .. } => self.later.inc(),
            Verdict::Refused { .. } => self.refused.inc(),
        }
        verdict
    }
}
