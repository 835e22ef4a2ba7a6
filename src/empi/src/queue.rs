//! Accepted messages on their way to a UAOP.

use std::sync::Arc;

use async_trait::async_trait;
use bus::{Bus, Record};
use domain::{EmpiId, FinalState, ForBank, Millis, Report, Submission, UaopId};
use link::{Pool, Shelf};
use store::empi::EmpiStore;
use tokio::sync::{Notify, watch};

use crate::accept::Waiting;
use crate::clock::{Clock, told};
use crate::metrics::Families;

/// What waits in the store.
#[derive(Clone)]
pub struct Queue {
    pub empi: EmpiId,
    pub store: Arc<dyn EmpiStore>,
    pub bus: Arc<dyn Bus>,
    pub waiting: Arc<Waiting>,
    pub clock: Clock,
    pub families: Arc<Families>,
}

#[async_trait]
impl Shelf for Queue {
    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, String> {
        self.store.waiting(after, most).await.map_err(|error| error.to_string())
    }

    async fn taken(&self, ids: Vec<UaopId>) -> Result<(), String> {
        let count = ids.len();
        self.handed(ids).await?;
        self.count("taken", count);
        Ok(())
    }

    /// The bank hears of it as of every other end: by a report that has its place on the topic.
    async fn refused(&self, refused: Vec<(Submission, String)>) -> Result<(), String> {
        let now = self.clock.now();
        let (mut ids, mut records, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for (submission, reason) in refused {
            let report = report(&submission, reason, now);
            let (uaop_id, state) = (&report.uaop_id, report.state.word());
            tracing::info!(target: "access", %uaop_id, state, reason = report.reason, "message not taken");
            states.push(state);
            ids.push(submission.uaop_id);
            let key = report.uaop_id.to_string();
            let value = serde_json::to_vec(&ForBank::Report(report)).map_err(|error| error.to_string())?;
            records.push(Record { key, value });
        }
        self.bus.publish(&bus::for_bank(&self.empi), records).await.map_err(|error| error.to_string())?;
        self.handed(ids).await?;
        states.into_iter().for_each(|state| self.count(state, 1));
        Ok(())
    }
}

impl Queue {
    async fn handed(&self, ids: Vec<UaopId>) -> Result<(), String> {
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        self.store.handed(ids, self.clock.now()).await.map_err(|error| error.to_string())?;
        self.waiting.remove(count);
        Ok(())
    }

    fn count(&self, outcome: &str, count: usize) {
        self.families.handed.with_label_values(&[outcome]).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Feeds the pool until `ending`. `anew` is rung when messages of another node were taken over: they may have been
    /// offered before, as everything that is there when feeding begins.
    pub async fn feed(
        self,
        pool: Pool,
        more: Arc<Notify>,
        anew: Arc<Notify>,
        window: usize,
        mut ending: watch::Receiver<bool>,
    ) {
        while !*ending.borrow() {
            let pause = async {
                tokio::select! {
                    () = told(&mut ending) => {}
                    () = anew.notified() => {}
                }
            };
            link::feed(self.clone(), pool.clone(), &more, window, pause).await;
        }
    }
}

fn report(submission: &Submission, reason: String, now: Millis) -> Report {
    let expired = submission.not_after.is_some_and(|not_after| not_after <= now);
    Report {
        uaop_id: submission.uaop_id.clone(),
        empi_id: submission.empi_id.clone(),
        revision: 1,
        state: if expired { FinalState::Expired } else { FinalState::Refused },
        word: None,
        reason: Some(reason),
        to: submission.to.clone(),
        parts: 0,
        gateway: None,
        carrier: None,
        answered_at: None,
        at: now,
    }
}
