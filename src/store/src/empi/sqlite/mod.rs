//! The store of an EMPI in a file of its own.

mod accept;
mod calls;
mod forget;
mod keep;
mod read;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Bank, BankReference, ForBank, Millis, Submission, UaopId};
use rusqlite::Connection;

use super::keep::Keep;
use super::row::NewMessage;
use super::{Accepted, Call, Called, Counts, EmpiStore, Entry, Item, Key, MessageView};
use crate::sqlite::{Database, Readers, Tuning, Unread, Writer, completion};
use crate::{Refused, StoreError};
use accept::Counting;

const FILE: &str = "empi.db";
const STEPS: [&str; 1] = [include_str!("001.sql")];
/// From how many calls of `accept` waiting for the disk on more are refused.
const QUEUE: usize = 8192;

/// Fields in the order in which they must go: the lock on the file last, which the readers hold.
pub(crate) struct SqliteEmpi {
    writer: Writer<Counting>,
    readers: Arc<Readers>,
}

impl SqliteEmpi {
    /// Reads and writes the disk: not for a thread that must not wait.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let (database, connection) = Database::open(&path, &STEPS, Tuning::default())?;
        let writer = Writer::start(&path, connection, Counting::default(), QUEUE)?;
        Ok(Self { writer, readers: Arc::new(Readers::new(database)) })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Unread> + Send + 'static,
    ) -> Result<T, StoreError> {
        Readers::run(&self.readers, work).await
    }

    async fn lease(
        &self,
        due: Vec<calls::Which>,
        now: Millis,
        until: Millis,
    ) -> Result<Vec<Call>, StoreError> {
        // Mostly there is none, and to know that nothing need be written.
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let leased = self.write(move |c, _| calls::lease(c, &due, now, until)).await?;
        self.read(move |c| calls::read(c, &leased)).await
    }

    /// For what belongs to what was let in.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, &mut Counting) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, written) = completion();
        self.writer.push(work, done)?;
        written.await.unwrap_or(Err(StoreError::Refused(Refused::Stopped)))
    }
}

#[async_trait]
impl EmpiStore for SqliteEmpi {
    async fn accept(&self, entries: Vec<Entry>) -> Result<Vec<Accepted>, StoreError> {
        let messages: Vec<NewMessage> = entries.into_iter().map(NewMessage::of).collect();
        let (done, written) = completion();
        self.writer.offer(move |c, counting| accept::accept(c, counting, &messages), done)?;
        written.await.unwrap_or(Err(StoreError::Refused(Refused::Stopped)))
    }

    async fn waiting(&self, after: i64, most: usize) -> Result<Vec<(i64, Submission)>, StoreError> {
        self.read(move |c| read::waiting(c, after, most)).await
    }

    async fn handed(&self, ids: Vec<UaopId>, at: Millis) -> Result<(), StoreError> {
        self.write(move |c, _| accept::handed(c, &ids, at)).await
    }

    async fn take_over(&self, _now: Millis, _silent: Millis) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn keep(&self, came: Vec<(i64, ForBank)>, called: &[Bank], now: Millis) -> Result<(), StoreError> {
        let keep = [Keep { came, called: called.to_vec(), now }];
        self.write(move |c, _| keep::keep(c, &keep)).await
    }

    async fn message(&self, bank: &Bank, key: &Key) -> Result<Option<MessageView>, StoreError> {
        let (bank, key) = (bank.clone(), key.clone());
        self.read(move |c| match key {
            Key::Id(id) => read::by_id(c, &bank, &id),
            Key::Reference(reference) => Ok(read::by_reference(c, &bank, &reference, 1)?.pop()),
        })
        .await
    }

    async fn messages(
        &self,
        bank: &Bank,
        reference: &BankReference,
        most: usize,
    ) -> Result<Vec<MessageView>, StoreError> {
        let (bank, reference) = (bank.clone(), reference.clone());
        self.read(move |c| read::by_reference(c, &bank, &reference, most)).await
    }

    async fn items(&self, bank: &Bank, after: i64, most: usize) -> Result<Vec<Item>, StoreError> {
        let bank = bank.clone();
        self.read(move |c| read::items(c, &bank, after, most)).await
    }

    async fn calls(&self, now: Millis, lease: Millis, most: usize) -> Result<Vec<Call>, StoreError> {
        let due = self.read(move |c| calls::due(c, now, most)).await?;
        self.lease(due, now, lease).await
    }

    async fn calls_of(
        &self,
        bank: &Bank,
        now: Millis,
        lease: Millis,
        most: usize,
    ) -> Result<Vec<Call>, StoreError> {
        let bank = bank.clone();
        let due = self.read(move |c| calls::due_for(c, &bank, now, most)).await?;
        self.lease(due, now, lease).await
    }

    async fn called(&self, calls: Vec<(Bank, i64, Called)>) -> Result<(), StoreError> {
        self.write(move |c, _| calls::called(c, &calls)).await
    }

    async fn accepted_since(&self, bank: &Bank, since: Millis) -> Result<u64, StoreError> {
        let bank = bank.clone();
        self.read(move |c| read::accepted_since(c, &bank, since)).await
    }

    async fn forget(&self, before: Millis, most: usize) -> Result<u64, StoreError> {
        self.write(move |c, _| forget::forget(c, before, most)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read(read::counts).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.writer.is_stopped() {
            return Err(Refused::Stopped.into());
        }
        if self.writer.figures().failing {
            // Nobody may be sending anything while we are not ready: find out ourselves when the disk works again.
            self.write(|c, _| c.execute("UPDATE probe SET writes = writes + 1", []).map(drop)).await?;
        }
        self.read(|c| Ok(c.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }
}
