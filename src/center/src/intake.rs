//! Records of the bus become facts and alarms in the store; then their offsets are committed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bus::{Bus, Consumer, Delivered};
use domain::alarm::Severity;
use domain::{Alarm, Happened, Millis, UaopId};
use store::StoreError;
use store::center::{CenterStore, Fact, Joined, SetAside};
use tokio::sync::{Notify, watch};

use crate::bell::Bell;
use crate::clock::Clock;
use crate::config::Numbers;
use crate::metrics::Families;
use crate::patience::{Engine, Patience, Pauses};
use crate::record::{self, Meaning, Unfit};

/// The group of all centers.
const GROUP: &str = "center";
/// Records joined at once.
const BATCH: usize = 2000;
/// How often a record that the store refuses is tried again before it is set aside.
const TRIES: u32 = 3;
/// How long a batch may go on when the process stops.
const END: Duration = Duration::from_secs(5);

/// How a reader stands.
#[derive(Debug)]
pub struct Lane {
    pub name: &'static str,
    reading: AtomicBool,
    /// When the oldest record was written that is read and not joined; 0 = none.
    oldest: AtomicU64,
}

impl Lane {
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, reading: AtomicBool::new(false), oldest: AtomicU64::new(0) }
    }

    /// Whether it has a consumer that works.
    pub fn reading(&self) -> bool {
        self.reading.load(Ordering::Relaxed)
    }

    /// Seconds.
    pub fn lag(&self, now: Millis) -> u64 {
        match self.oldest.load(Ordering::Relaxed) {
            0 => 0,
            oldest => now.0.saturating_sub(oldest) / 1000,
        }
    }
}

/// One reader.
pub struct Intake {
    pub lane: Arc<Lane>,
    pub topics: &'static [&'static str],
    pub bus: Arc<dyn Bus>,
    pub store: Arc<dyn CenterStore>,
    pub numbers: Arc<Numbers>,
    pub clock: Clock,
    pub bell: Bell,
    pub patience: Patience,
    pub families: Arc<Families>,
    /// Rung when there is something to publish.
    pub outbox: Arc<Notify>,
}

impl Intake {
    /// Reads until it is told to stop; what it has in hand then, it has a few seconds to finish.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut late = stop.clone();
        tokio::select! {
            () = self.read(&mut stop) => {}
            // what is not joined is not committed, and comes again
            () = out_of_patience(&mut late) => tracing::warn!(reader = self.lane.name, "a batch is left for the next run"),
        }
        self.lane.reading.store(false, Ordering::Relaxed);
    }

    async fn read(&self, stop: &mut watch::Receiver<bool>) {
        loop {
            let subscribe = || self.bus.subscribe(GROUP, self.topics);
            let mut consumer = tokio::select! {
                biased;
                () = told(stop) => return,
                consumer = self.patience.until_done(Engine::Bus, subscribe) => consumer,
            };
            let mut pauses = Pauses::default();
            loop {
                self.lane.reading.store(true, Ordering::Relaxed);
                let read = tokio::select! {
                    biased;
                    () = told(stop) => return,
                    read = consumer.next(BATCH) => read,
                };
                match read {
                    Ok(batch) => {
                        pauses = Pauses::default();
                        self.batch(&batch).await;
                        self.commit(consumer.as_mut()).await;
                    }
                    Err(error) => {
                        self.lane.reading.store(false, Ordering::Relaxed);
                        self.patience.fails(Engine::Bus, &error);
                        pauses.pause().await;
                        if !error.is_passing() {
                            break;
                        }
                    }
                }
            }
        }
    }

    async fn commit(&self, consumer: &mut dyn Consumer) {
        match consumer.commit().await {
            Ok(()) => self.patience.works(Engine::Bus),
            // the records come again, and change nothing
            Err(error) => self.patience.fails(Engine::Bus, &error),
        }
        self.lane.oldest.store(0, Ordering::Relaxed);
    }

    /// Everything that these records say is durable when it returns.
    async fn batch(&self, records: &[Delivered]) {
        let read = self.sort(records);
        self.lane.oldest.store(read.oldest.0, Ordering::Relaxed);
        if !read.unfit.is_empty() {
            self.set_aside(&read.unfit).await;
        }
        if !read.alarms.is_empty() {
            let write = || self.store.alarm(read.alarms.clone());
            self.patience.until_done(Engine::Store, write).await;
        }
        if !read.facts.is_empty() {
            self.join(&read.of_facts, read.facts).await;
        }
    }

    fn sort<'a>(&self, records: &'a [Delivered]) -> Sorted<'a> {
        let mut sorted = Sorted::default();
        let mut oldest = None::<Millis>;
        for record in records {
            self.families.records.with_label_values(&[&record.topic]).inc();
            match record::read(record, &self.numbers) {
                Ok((meaning, at)) => {
                    oldest = Some(oldest.map_or(at, |oldest| oldest.min(at)));
                    match meaning {
                        Meaning::Join(fact) => {
                            trace(&fact);
                            sorted.facts.push(fact);
                            sorted.of_facts.push(record);
                        }
                        Meaning::Show(alarm) => sorted.alarms.push(alarm),
                        Meaning::UserState { carrier, condition } => {
                            let labels = [carrier.as_str(), &condition.to_string()];
                            self.families.user_states.with_label_values(&labels).inc();
                            tracing::info!(%carrier, condition, "a carrier tells another state of a user");
                        }
                    }
                }
                Err(why) => sorted.unfit.push((record, why)),
            }
        }
        sorted.oldest = oldest.unwrap_or_default();
        sorted
    }

    /// Joins all at once; if the store cannot keep one of them for what it is, all but that one.
    async fn join(&self, records: &[&Delivered], facts: Vec<Fact>) {
        let mut ready = Some(facts);
        let mut todo = Vec::from([Range { start: 0, end: records.len() }]);
        let mut pauses = Pauses::default();
        let mut tries = 0;
        while let Some(range) = todo.pop() {
            let part = &records[range.clone()];
            let facts = ready.take().unwrap_or_else(|| self.facts_again(part));
            let began = tokio::time::Instant::now();
            match self.store.join(facts, self.clock.now()).await {
                Ok(joined) => {
                    self.families.join_seconds.observe(began.elapsed().as_secs_f64());
                    self.joined(joined, part.len());
                    (pauses, tries) = (Pauses::default(), 0);
                }
                Err(error) if !is_of_one_record(&error) => {
                    self.patience.fails(Engine::Store, &error);
                    pauses.pause().await;
                    todo.push(range);
                }
                Err(error) => match part {
                    [record] if tries == TRIES => {
                        self.set_aside(&[(record, Unfit::Rejected(error.to_string()))]).await;
                        tries = 0;
                    }
                    // that the store refuses one may still be the store's fault
                    [_] => {
                        tries += 1;
                        pauses.pause().await;
                        todo.push(range);
                    }
                    _ => {
                        let middle = range.start + part.len() / 2;
                        todo.push(middle..range.end);
                        todo.push(range.start..middle);
                    }
                },
            }
        }
    }

    fn facts_again(&self, records: &[&Delivered]) -> Vec<Fact> {
        let facts = records.iter().filter_map(|record| record::read(record, &self.numbers).ok());
        facts
            .filter_map(|(meaning, _)| match meaning {
                Meaning::Join(fact) => Some(fact),
                Meaning::Show(_) | Meaning::UserState { .. } => None,
            })
            .collect()
    }

    fn joined(&self, joined: Joined, facts: usize) {
        self.patience.works(Engine::Store);
        self.families.facts.inc_by(facts as u64);
        self.families.known.inc_by(joined.known);
        self.families.orphaned.inc_by(joined.orphans);
        self.families.finished.inc_by(joined.finished);
        // users' messages are published too, and are not counted there
        self.outbox.notify_one();
    }

    async fn set_aside(&self, unfit: &[(&Delivered, Unfit)]) {
        let at = self.clock.now();
        let aside = |(record, why): &(&Delivered, Unfit)| SetAside {
            topic: record.topic.clone(),
            partition: record.partition,
            offset: record.offset,
            value: record.value.clone(),
            error: why.to_string(),
            at,
        };
        let write = || self.store.set_aside(unfit.iter().map(aside).collect());
        self.patience.until_done(Engine::Store, write).await;
        for (record, why) in unfit {
            let Delivered { topic, partition, offset, .. } = record;
            self.families.set_aside.with_label_values(&[topic]).inc();
            tracing::warn!(topic, partition, offset, %why, "a record is set aside");
            match why {
                Unfit::Poisoned(_) | Unfit::Rejected(_) => {
                    let text =
                        format!("records of {topic} are set aside: {why}; GET /v1/set-aside shows them");
                    self.bell.raise("poisoned_record", topic, Severity::Warning, &text);
                }
                Unfit::NoOwner(carrier) => {
                    let text = format!("{why}; GET /v1/set-aside shows the messages");
                    self.bell.raise("mo_without_owner", carrier.as_str(), Severity::Warning, &text);
                }
            }
        }
    }
}

/// What a batch holds.
#[derive(Default)]
struct Sorted<'a> {
    facts: Vec<Fact>,
    /// The record of each fact.
    of_facts: Vec<&'a Delivered>,
    alarms: Vec<Alarm>,
    unfit: Vec<(&'a Delivered, Unfit)>,
    oldest: Millis,
}

/// Whether the store would keep the others if this one were not there.
const fn is_of_one_record(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Rejected { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Database { .. }
            | StoreError::UnreadableRow { .. }
    )
}

/// For whoever follows one message.
fn trace(fact: &Fact) {
    match fact {
        Fact::Copy(copy) => {
            tracing::debug!(uaop_id = %copy.submission.uaop_id, uaop = copy.uaop, site = copy.site, "copy");
        }
        Fact::Told(told) => {
            let uaop_id = message_of(&told.event.happened).map(tracing::field::display);
            tracing::debug!(uaop_id, gateway = %told.event.gateway, uaop = told.uaop, "event");
        }
        Fact::Mo(mo) => tracing::debug!(mo_id = mo.mo_id, empi = %mo.empi_id, "message of a user"),
    }
}

fn message_of(happened: &Happened) -> Option<&UaopId> {
    match happened {
        Happened::Pushed { uaop_id, .. }
        | Happened::Answered { uaop_id, .. }
        | Happened::Finished { uaop_id, .. } => Some(uaop_id),
        Happened::Reported { uaop_id, .. } => uaop_id.as_ref(),
        Happened::Mo { .. }
        | Happened::MoIncomplete { .. }
        | Happened::UserState { .. }
        | Happened::LinkUp { .. }
        | Happened::LinkDown { .. } => None,
    }
}

/// Ends when the process is to stop.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    // whoever could say so being gone says it too
    let _ = stop.wait_for(|&stop| stop).await;
}

async fn out_of_patience(stop: &mut watch::Receiver<bool>) {
    told(stop).await;
    tokio::time::sleep(END).await;
}
