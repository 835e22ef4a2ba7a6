//! The gateway's spool: what it was given and is not done with, what it has to tell, and which ids it has seen.

mod change;
mod events;
#[cfg(test)]
mod full;
mod marks;
#[cfg(test)]
mod model;
mod recover;
mod stage;
mod take;
mod types;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Millis, Submission, UaopId};
use rusqlite::Connection;

pub use recover::{Recovered, Unfinished};
pub use types::{Change, Consumer, Counts, Fragment, SpoolSettings, Stored, Taken, Unwritten};

use crate::sqlite::{Database, Figures, Refused, StoreError, Writer};
use stage::{Level, SpoolStage};

/// What the spool reports when it fails.
pub type SpoolError = StoreError;

/// The name of the file in its folder.
const FILE: &str = "spool.db";
const STEPS: [&str; 1] = [include_str!("001.sql")];

/// A handle of the spool; all clones are one. Completions are called on the writer thread when what they complete is on
/// the disk (or has failed): they must not block. When the last handle is dropped, the spool stops.
#[derive(Clone)]
pub struct Spool {
    inner: Arc<Inner>,
}

/// Fields in the order in which they must go: the lock last.
struct Inner {
    writer: Writer<SpoolStage>,
    reader: Mutex<Connection>,
    level: Arc<Level>,
    database: Arc<Database>,
}

impl Spool {
    /// Opens or makes the spool in `folder`, and hands out what the last run left.
    ///
    /// # Errors
    /// The folder is in use, from a newer version, damaged, or the disk fails.
    pub fn open(folder: &Path, settings: SpoolSettings) -> Result<(Self, Recovered), SpoolError> {
        let path = folder.join(FILE);
        let (database, connection) = Database::open(&path, &STEPS, settings.tuning)?;
        let database = Arc::new(database);
        let recovered = recover::recover(&database, &connection, settings.started)?;
        let level = Arc::new(Level::default());
        level.set(recovered.counts);
        let reader = Mutex::new(database.reader()?);
        let writer = Writer::start(&path, connection, SpoolStage::new(level.clone()), settings.queue)?;
        Ok((Self { inner: Arc::new(Inner { writer, reader, level, database }) }, recovered))
    }

    /// Takes messages with their first progress, all or (on an error) none; one answer each, in their order.
    ///
    /// # Errors
    /// Too much waits, or the spool has stopped; `done` is not called then.
    pub fn take_many(
        &self,
        messages: Vec<(Submission, String)>,
        now: Millis,
        done: impl FnOnce(Result<Vec<Taken>, SpoolError>) + Send + 'static,
    ) -> Result<(), Refused> {
        let work = move |c: &Connection, stage: &mut SpoolStage| {
            messages
                .iter()
                .map(|(submission, progress)| take::take(c, stage, submission, progress, now))
                .collect()
        };
        self.inner.writer.offer(work, done)
    }

    /// Which of these ids were taken and are remembered; one answer each. What was handed in before is taken into account,
    /// so that an id that is not known now is not on its way either.
    ///
    /// # Errors
    /// As for [`Spool::take_many`].
    pub fn known(
        &self,
        ids: Vec<UaopId>,
        done: impl FnOnce(Result<Vec<bool>, SpoolError>) + Send + 'static,
    ) -> Result<(), Refused> {
        let work =
            move |c: &Connection, _: &mut SpoolStage| ids.iter().map(|id| take::is_known(c, id)).collect();
        self.inner.writer.offer(work, done)
    }

    /// Makes all the changes or (on an error, which brings them back) none. Changes handed in one after the other are made in that order.
    ///
    /// # Errors
    /// Only when the spool has stopped; `done` is not called then.
    pub fn write(
        &self,
        changes: Vec<Change>,
        done: impl FnOnce(Result<(), Unwritten>) + Send + 'static,
    ) -> Result<(), Refused> {
        let changes = Arc::new(changes);
        let kept = Arc::clone(&changes);
        let done = move |result: Result<(), SpoolError>| {
            done(result.map_err(|error| Unwritten { error, changes: Arc::unwrap_or_clone(kept) }));
        };
        self.inner.writer.push(move |c, stage| change::apply(c, stage, &changes), done)
    }

    /// Events with numbers above `after` that are not acknowledged, in the order of their numbers, `most` of them, each as
    /// the JSON of a [`domain::Event`] that it is stored as. Reads the disk: not for a thread that must not wait. Numbers
    /// grow by one and are never given twice.
    ///
    /// # Errors
    /// What the disk says, or an event that is no JSON object.
    pub fn events(&self, after: i64, most: usize) -> Result<Vec<(i64, Vec<u8>)>, SpoolError> {
        let reader = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        events::read(self.inner.database.path(), &reader, after, most)
    }

    /// The number of the last event that there ever was; 0 before the first. Reads the disk, as [`Spool::events`] does.
    ///
    /// # Errors
    /// What the disk says.
    pub fn last_event(&self) -> Result<i64, SpoolError> {
        let reader = self.inner.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks::Marks::load(&reader);
        marks.map(|marks| marks.last_event).map_err(|e| StoreError::of(self.inner.database.path(), &e))
    }

    /// These are all consumers there are from now on. The events that each of them has are not told any more, and are
    /// deleted bit by bit; without consumers none.
    ///
    /// # Errors
    /// Only when the spool has stopped; `done` is not called then.
    pub fn acknowledge(
        &self,
        consumers: Vec<Consumer>,
        done: impl FnOnce(Result<(), SpoolError>) + Send + 'static,
    ) -> Result<(), Refused> {
        self.inner.writer.push(move |c, stage| events::acknowledge(c, stage, &consumers), done)
    }

    /// Forgets messages that finished before `older_than`: their ids may be taken anew. At least `most` of them if there
    /// are as many, and up to a piece of 128 more; the answer is how many. 0: there are none. It writes in any case, so
    /// that a spool that nobody else writes to learns whether it can.
    ///
    /// # Errors
    /// Only when the spool has stopped; `done` is not called then.
    pub fn forget(
        &self,
        older_than: Millis,
        most: usize,
        done: impl FnOnce(Result<usize, SpoolError>) + Send + 'static,
    ) -> Result<(), Refused> {
        self.inner.writer.push(move |c, stage| change::forget(c, stage, older_than, most), done)
    }

    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.level.get()
    }

    /// Whether it takes nothing any more: it was stopped, or its writer has ended by itself.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.inner.writer.is_stopped()
    }

    /// Whether it takes more, and the last write came through.
    #[must_use]
    pub fn works(&self) -> bool {
        !self.is_stopped() && !self.figures().failing
    }

    #[must_use]
    pub fn figures(&self) -> Figures {
        self.inner.writer.figures()
    }

    /// Lets nothing more in, and returns when what waited is written and completed.
    pub fn stop(&self) {
        self.inner.writer.stop();
    }
}
