//! Takes what EMPIs and the center offer: let in → route → dispatch → copy → verdict.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{GatewayId, Router, UaopId, Unroutable};
use link::{Identity, Intake, Offer, Standing, Verdict};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{Instant, timeout_at};

use crate::alarms::{Alarms, What};
use crate::copies::Copies;
use crate::dispatch::{Dispatch, Done, Routed};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::outcome::Outcome;

/// All that an offer passes.
pub struct Core {
    pub router: Router,
    pub dispatch: Dispatch,
    pub copies: Copies,
    pub health: Health,
    pub alarms: Alarms,
    pub metrics: Arc<Metrics>,
    pub standing: watch::Receiver<Standing>,
    pub stopping: watch::Receiver<bool>,
    /// Those that may be under way, and how many that is.
    pub places: Semaphore,
    pub most: usize,
    /// How long offers wait for a place and for the bus.
    pub wait: Duration,
    /// Whether there is a record in the log for each message.
    pub access: bool,
}

#[async_trait]
impl Intake for Core {
    async fn take(&self, from: &Identity, offers: Vec<Offer>) -> Vec<Verdict> {
        let began = Instant::now();
        let count = i64::try_from(offers.len()).unwrap_or(i64::MAX);
        self.metrics.offers_under_way.add(count);
        let gone = Gone(&self.metrics.offers_under_way, count);
        let done = match self.let_in(offers.len(), began + self.wait).await {
            Ok(_place) => self.pass(offers, began + self.wait).await,
            Err(outcome) => offers.into_iter().map(|offer| not_taken(offer, outcome.clone())).collect(),
        };
        drop(gone);
        self.metrics.offer_seconds.observe(began.elapsed().as_secs_f64());
        done.into_iter().map(|done| self.answer(from, done)).collect()
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String> {
        let _ = ids;
        Err("a UAOP keeps no messages: offer them again".to_owned())
    }

    fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }
}

/// Takes so many off the gauge, also when the call is dropped.
struct Gone<'a>(&'a prometheus::IntGauge, i64);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.sub(self.1);
    }
}

impl Core {
    /// Waits for a place and for the bus.
    async fn let_in(&self, count: usize, deadline: Instant) -> Result<SemaphorePermit<'_>, Outcome> {
        if *self.stopping.borrow() {
            return Err(Outcome::Stopping);
        }
        let places = u32::try_from(count.min(self.most)).unwrap_or(u32::MAX);
        let place = timeout_at(deadline, self.places.acquire_many(places)).await;
        let Ok(Ok(place)) = place else { return Err(Outcome::Busy) };
        if self.health.fault().is_some() && timeout_at(deadline, self.health.good()).await.is_err() {
            return Err(Outcome::Bus(self.health.fault().unwrap_or_default()));
        }
        Ok(place)
    }

    async fn pass(&self, offers: Vec<Offer>, deadline: Instant) -> Vec<Done> {
        let (mut done, mut routed) = (BTreeMap::new(), Vec::new());
        let mut places = Vec::new();
        for (place, offer) in offers.into_iter().enumerate() {
            match self.route(&offer) {
                Ok(targets) => {
                    places.push(place);
                    routed.push(Routed { targets, offer });
                }
                Err(outcome) => drop(done.insert(place, not_taken(offer, outcome))),
            }
        }
        done.extend(places.into_iter().zip(self.dispatch.dispatch(routed).await));
        let mut done: Vec<Done> = done.into_values().collect();
        self.copy(&mut done, deadline).await;
        done
    }

    fn route(&self, offer: &Offer) -> Result<Vec<&domain::Target>, Outcome> {
        self.router.candidates(&offer.submission).map_err(|why| match &why {
            Unroutable::UnknownNumber(_) => Outcome::UnknownNumber(why.to_string()),
            Unroutable::NoRoute { carrier, .. } => {
                self.alarms.set(What::NoRoute, carrier.as_str(), true, || why.to_string());
                Outcome::NoRoute(why.to_string())
            }
        })
    }

    /// What a gateway has taken is taken when its copy is durable, too. Without one it is offered again, and found.
    async fn copy(&self, done: &mut [Done], deadline: Instant) {
        let taken = |done: &&Done| matches!(done.outcome, Outcome::Taken { .. });
        let submissions = done.iter().filter(taken).map(|done| &done.submission);
        let failed = match timeout_at(deadline, self.copies.publish(submissions)).await {
            Ok(Ok(())) => return,
            Ok(Err(stopped)) => Outcome::NoCopy(stopped.to_string()),
            Err(_) => Outcome::NoCopy(self.health.fault().unwrap_or_else(|| "it gives no answer".to_owned())),
        };
        for done in done.iter_mut().filter(|done| matches!(done.outcome, Outcome::Taken { .. })) {
            done.outcome = failed.clone();
        }
    }

    fn answer(&self, from: &Identity, done: Done) -> Verdict {
        let Done { submission, gateway, outcome } = done;
        self.metrics.offers.with_label_values(&[outcome.word()]).inc();
        if self.access {
            tracing::info!(
                target: "access",
                uaopId = %submission.uaop_id,
                empiId = %submission.empi_id,
                class = %submission.class,
                to = %submission.to,
                from = from.node,
                gateway = gateway.as_ref().map(GatewayId::as_str),
                outcome = outcome.word(),
                reason = outcome.reason(),
                "message"
            );
        }
        outcome.verdict()
    }
}

fn not_taken(offer: Offer, outcome: Outcome) -> Done {
    Done { submission: offer.submission, gateway: None, outcome }
}
