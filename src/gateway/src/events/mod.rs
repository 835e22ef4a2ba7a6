//! Telling what happened, on the uplink and over the link: one set of consumers for both.

mod consumers;

use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::id::MAX_LENGTH;
use serde::{Deserialize, Serialize};
use store::spool::{Consumer, Spool, SpoolError};
use thiserror::Error;
use tokio::sync::{Notify, oneshot};

use crate::config;
use crate::metrics::Families;
pub use consumers::TooMany;
use consumers::{Acknowledged, Changed, Consumers, Forgotten};

/// The longest that a reader waits for events before it asks again.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The events of the gateway, and who has them up to where.
pub struct Events {
    spool: Spool,
    /// Rung when there are more.
    more: Arc<Notify>,
    consumers: Mutex<Consumers>,
    /// Whether the spool does not have what is known of the consumers.
    unwritten: Arc<AtomicBool>,
    families: Arc<Families>,
}

/// Why nothing is told.
#[derive(Debug, Error)]
pub enum Untold {
    #[error("`consumer` has 1 to {MAX_LENGTH} bytes; leave it out to look only")]
    Name,
    #[error(
        "there is no event {after}: the last is {last}, so this spool is a new one; start again from after=0"
    )]
    Beyond { after: i64, last: i64 },
    #[error(transparent)]
    TooMany(TooMany),
    /// The consumer is not durable.
    #[error("{0}")]
    NotJoined(String),
    #[error("{0}")]
    Failed(String),
}

/// A consumer as `/status` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerLevel {
    pub consumer: String,
    /// It has all events up to here.
    pub acknowledged: i64,
    /// Events that it lacks.
    pub unacknowledged: u64,
    /// Whether it read within the last two minutes.
    pub connected: bool,
}

impl Events {
    /// `known`: the consumers of the last run. `more` is rung when there are events.
    #[must_use]
    pub fn new(
        spool: Spool,
        more: Arc<Notify>,
        known: Vec<Consumer>,
        limits: config::Consumers,
        families: Arc<Families>,
    ) -> Self {
        let consumers = Mutex::new(Consumers::new(known, limits, Instant::now()));
        Self { spool, more, consumers, unwritten: Arc::default(), families }
    }

    /// Makes a consumer known, and durable: from then on nothing is deleted that it lacks. Returns up to where it has
    /// acknowledged; a new one has what is not kept any more.
    ///
    /// # Errors
    /// See [`Untold`].
    pub async fn join(&self, consumer: &str) -> Result<i64, Untold> {
        let counts = self.spool.counts();
        let kept_after = counts.last_event.saturating_sub_unsigned(counts.events);
        self.acknowledge_more(consumer, kept_after).await?;
        Ok(self.lock().position(consumer).unwrap_or(kept_after))
    }

    /// The consumer has everything up to `after`; what all have is deleted. A new one is waited for until it is durable.
    ///
    /// # Errors
    /// See [`Untold`].
    pub async fn acknowledge(&self, consumer: &str, after: i64) -> Result<(), Untold> {
        if consumer.is_empty() || consumer.len() > MAX_LENGTH {
            return Err(Untold::Name);
        }
        self.exists(after).await?;
        let (changed, written) = {
            let mut consumers = self.lock();
            let last = self.spool.counts().last_event;
            let Acknowledged { changed, forgotten } =
                consumers.acknowledge(consumer, after, last, Instant::now()).map_err(Untold::TooMany)?;
            self.say(&forgotten);
            if changed == Changed::Nothing && forgotten.is_empty() && !self.unwritten.swap(false, Relaxed) {
                return Ok(());
            }
            let (sender, written) = oneshot::channel();
            let unwritten = Arc::clone(&self.unwritten);
            let done = move |result: Result<(), SpoolError>| {
                // all of them are written again with the next question
                unwritten.fetch_or(result.is_err(), Relaxed);
                // most do not wait for it
                let _ = sender.send(result);
            };
            // with the lock held: the spool has the lists in the order of the changes
            let handed = self.spool.acknowledge(consumers.all(), done);
            (changed, handed.map(|()| written))
        };
        if changed != Changed::Joined {
            return Ok(());
        }
        let failed = match written {
            Ok(written) => match written.await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the gateway stops".to_owned(),
            },
            Err(refused) => refused.to_string(),
        };
        self.lock().forget(consumer);
        Err(Untold::NotJoined(failed))
    }

    /// As [`Events::acknowledge`], of somebody who may say things twice or late: it never goes back.
    ///
    /// # Errors
    /// See [`Untold`].
    pub async fn acknowledge_more(&self, consumer: &str, up_to: i64) -> Result<(), Untold> {
        let position = self.lock().position(consumer).unwrap_or(0);
        self.acknowledge(consumer, up_to.max(position)).await
    }

    /// Whether there ever was this event; 0 is before the first.
    ///
    /// # Errors
    /// See [`Untold`].
    pub async fn exists(&self, after: i64) -> Result<(), Untold> {
        if after <= self.spool.counts().last_event {
            return Ok(());
        }
        // one that was told as soon as it was on the disk is not counted yet, perhaps
        let last = self.read(Spool::last_event).await?;
        if after > last { Err(Untold::Beyond { after, last }) } else { Ok(()) }
    }

    /// Events after this one, `most` of them, each with its number and its JSON. Waits for them until `end`; then there
    /// are none.
    ///
    /// # Errors
    /// See [`Untold`].
    pub async fn after(
        &self,
        after: i64,
        most: usize,
        end: impl Future<Output = ()>,
    ) -> Result<Vec<(i64, Vec<u8>)>, Untold> {
        tokio::pin!(end);
        loop {
            let mut rung = std::pin::pin!(self.more.notified());
            // from now on, not from the first poll on: an event between the reading and the waiting must not be missed
            rung.as_mut().enable();
            let events = self.read(move |spool| spool.events(after, most)).await?;
            if !events.is_empty() {
                return Ok(events);
            }
            tokio::select! {
                () = rung => {}
                () = &mut end => return Ok(Vec::new()),
            }
        }
    }

    /// The consumer is there.
    pub fn seen(&self, consumer: &str) {
        self.lock().seen(consumer, Instant::now());
    }

    /// All of them.
    #[must_use]
    pub fn consumers(&self) -> Vec<ConsumerLevel> {
        let counts = self.spool.counts();
        let level = |(name, acknowledged, connected): (&str, i64, bool)| ConsumerLevel {
            consumer: name.to_owned(),
            acknowledged,
            unacknowledged: u64::try_from(counts.last_event - acknowledged).unwrap_or(0).min(counts.events),
            connected,
        };
        self.lock().each(Instant::now()).map(level).collect()
    }

    /// Whether all that are there have everything.
    #[must_use]
    pub fn all_told(&self) -> bool {
        self.consumers().iter().all(|level| level.unacknowledged == 0 || !level.connected)
    }

    fn say(&self, forgotten: &[Forgotten]) {
        for Forgotten { name, why } in forgotten {
            self.families.consumers_forgotten.with_label_values(&[why.word()]).inc();
            tracing::warn!(
                consumer = name,
                reason = why.word(),
                "a reader of events is not waited for any more"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Consumers> {
        self.consumers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the disk, on a thread that may wait for it.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Spool) -> Result<T, SpoolError> + Send + 'static,
    ) -> Result<T, Untold> {
        let spool = self.spool.clone();
        match tokio::task::spawn_blocking(move || read(&spool)).await {
            Ok(Ok(read)) => Ok(read),
            Ok(Err(error)) => Err(Untold::Failed(error.to_string())),
            Err(error) => Err(Untold::Failed(error.to_string())),
        }
    }
}
