//! A topic's file, open once in this process, whoever uses it.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use store::sqlite::{Database, Tuning, Writer};
use store::{Refused, StoreError};

use super::log::{self, Placed};
use super::mailbox::Mailbox;
use crate::{BusError, Record};

const STEPS: [&str; 1] = [include_str!("001.sql")];
/// Jobs that may wait for the writer.
const QUEUE: usize = 16 * 1024;
const TUNING: Tuning = Tuning { cache_kib: 8 * 1024, checkpoint_pages: 4 * 1024 };
/// Between two sweeps, in milliseconds.
const SWEEP: i64 = 60_000;

/// How often a connection asks again for the lock that another process has. A process that writes much lets go of it for
/// less than a millisecond at a time, and SQLite's own waits grow to a hundred: they would miss it again and again.
const ASK_SOON: Duration = Duration::from_micros(250);
const ASK_LATER: Duration = Duration::from_millis(1);
const SOON: i32 = 400;
/// About ten seconds.
const ASKED_MOST: i32 = SOON + 9_900;

/// See the module's documentation.
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) partitions: u32,
    database: Database,
    writer: Writer<()>,
    readers: Mutex<Vec<Weak<Mailbox>>>,
    keep: Duration,
    /// Milliseconds of the monotonic clock.
    swept: AtomicI64,
}

impl Topic {
    /// The topic `name` in a folder that is there; it is made with `partitions` when it is missing. None: it is missing,
    /// and there is no number.
    pub(super) fn open(
        folder: &Path,
        name: &str,
        keep: Duration,
        partitions: Option<u32>,
    ) -> Result<Option<Arc<Self>>, BusError> {
        static OPEN: Mutex<BTreeMap<PathBuf, Weak<Topic>>> = Mutex::new(BTreeMap::new());

        let path = folder.join(format!("{name}.db"));
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = open.get(&path).and_then(Weak::upgrade) {
            return Ok(Some(topic));
        }
        let Some(topic) = Self::open_file(folder, &path, name, keep, partitions)? else { return Ok(None) };
        let topic = Arc::new(topic);
        open.retain(|_, topic| topic.strong_count() > 0);
        open.insert(path, Arc::downgrade(&topic));
        Ok(Some(topic))
    }

    fn open_file(
        folder: &Path,
        path: &Path,
        name: &str,
        keep: Duration,
        partitions: Option<u32>,
    ) -> Result<Option<Self>, BusError> {
        // One process at a time makes files and changes schemas.
        let opening = folder.join(".opening");
        let failed = |error: &std::io::Error| files(&opening, error);
        let turn = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&opening)
            .map_err(|error| failed(&error))?;
        turn.lock().map_err(|error| failed(&error))?;

        if partitions.is_none() && !path.exists() {
            return Ok(None);
        }
        let sqlite = |error: rusqlite::Error| StoreError::of(path, &error);
        let (database, mut connection) = Database::open_shared(path, &STEPS, TUNING)?;
        connection.busy_handler(Some(ask_again)).map_err(sqlite)?;
        let partitions = match (log::partitions(&connection).map_err(sqlite)?, partitions) {
            (Some(found), _) => found,
            (None, Some(wanted)) => {
                log::make(&connection, wanted).map_err(sqlite)?;
                wanted
            }
            (None, None) => return Ok(None),
        };
        let writer = Writer::start(path, connection, (), QUEUE)?;
        Ok(Some(Self {
            name: name.to_owned(),
            partitions,
            database,
            writer,
            readers: Mutex::default(),
            keep,
            swept: AtomicI64::new(i64::MIN),
        }))
    }

    /// A connection that reads.
    pub(super) fn reader(&self) -> Result<Connection, BusError> {
        Ok(self.database.reader()?)
    }

    /// What an error of such a connection means.
    pub(super) fn meaning(&self, error: &rusqlite::Error) -> BusError {
        StoreError::of(self.database.path(), error).into()
    }

    /// `mailbox` hears of what this process writes, until it is gone.
    pub(super) fn tell(&self, mailbox: &Arc<Mailbox>) {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(mailbox));
    }

    /// Whether the last thing that was written failed because of the file itself.
    pub(super) fn is_failing(&self) -> bool {
        self.writer.is_stopped() || self.writer.figures().failing
    }

    pub(super) async fn append(self: &Arc<Self>, records: Vec<Record>) -> Result<(), BusError> {
        let records = self.place(records);
        let at = now();
        let (done, written) = tokio::sync::oneshot::channel();
        let topic = self.clone();
        self.writer
            .offer(
                move |connection, ()| log::append(connection, at, &records),
                move |result| {
                    topic.ring();
                    // who does not wait any more does not want to know
                    let _ = done.send(result);
                },
            )
            .map_err(|refused| self.refused(refused))?;
        self.sweep_when_due();
        written.await.unwrap_or_else(|_| Err(self.stopped()))?;
        Ok(())
    }

    /// Runs `work` in a transaction and waits for it.
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BusError> {
        let mut work = work;
        let (done, written) = std::sync::mpsc::channel();
        self.writer
            .push(
                move |connection, ()| work(connection),
                move |result| {
                    let _ = done.send(result);
                },
            )
            .map_err(|refused| self.refused(refused))?;
        Ok(written.recv().unwrap_or_else(|_| Err(self.stopped()))?)
    }

    /// Sorted by partition; those of one partition stay in order.
    fn place(&self, records: Vec<Record>) -> Vec<Placed> {
        let place = |record: Record| Placed { partition: partition_of(&record.key, self.partitions), record };
        let mut records: Vec<Placed> = records.into_iter().map(place).collect();
        records.sort_by_key(|placed| placed.partition);
        records
    }

    fn ring(&self) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.retain(|reader| reader.upgrade().map(|mailbox| mailbox.ring()).is_some());
    }

    /// Whoever writes also drops what is old.
    fn sweep_when_due(self: &Arc<Self>) {
        let (last, clock) = (self.swept.load(Relaxed), monotonic());
        let due = clock >= last.saturating_add(SWEEP);
        if !due || self.swept.compare_exchange(last, clock, Relaxed, Relaxed).is_err() {
            return;
        }
        let before = now().saturating_sub(i64::try_from(self.keep.as_millis()).unwrap_or(i64::MAX));
        let (partitions, topic) = (self.partitions, Arc::downgrade(self));
        let swept = self.writer.push(
            move |connection, ()| log::sweep(connection, partitions, before),
            move |more| {
                if let (Ok(true), Some(topic)) = (more, topic.upgrade()) {
                    topic.swept.store(i64::MIN, Relaxed);
                }
            },
        );
        if let Err(refused) = swept {
            tracing::debug!(topic = self.name, %refused, "not swept");
        }
    }

    fn refused(&self, refused: Refused) -> BusError {
        match refused {
            Refused::QueueFull => BusError::Away(format!("{}: more waits to be written than may", self.name)),
            Refused::Stopped => self.stopped().into(),
        }
    }

    fn stopped(&self) -> StoreError {
        StoreError::Io { file: self.database.path().to_owned(), detail: "its writer has stopped".to_owned() }
    }
}

/// Makes the folder, for its owner only; its true path.
pub(super) fn folder(path: &Path) -> Result<PathBuf, BusError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| path.canonicalize()).map_err(|error| files(path, &error))
}

fn files(path: &Path, error: &std::io::Error) -> BusError {
    BusError::Files {
        file: path.display().to_string(),
        detail: format!(
            "cannot be made or used ({error}); look at the disk and at the folder's owner and mode"
        ),
    }
}

fn ask_again(asked: i32) -> bool {
    std::thread::sleep(if asked < SOON { ASK_SOON } else { ASK_LATER });
    asked < ASKED_MOST
}

/// The same in every version: the order of records with one key hangs on it.
fn partition_of(key: &str, partitions: u32) -> u32 {
    let hash = Sha256::digest(key);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % partitions.max(1)
}

/// Milliseconds since 1970.
fn now() -> i64 {
    i64::try_from(runtime::clock::since_epoch().as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds since the host's start. All its processes have this clock, and nobody sets it.
pub(super) fn monotonic() -> i64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC);
    now.map_or(0, |now| now.tv_sec().saturating_mul(1000).saturating_add(now.tv_nsec() / 1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_partition_that_it_had_in_the_first_version() {
        let partitions: Vec<u32> =
            ["", "a", "b", "m-1", "m-2"].iter().map(|key| partition_of(key, 12)).collect();
        assert_eq!(partitions, [2, 2, 6, 6, 4]);
    }
}
