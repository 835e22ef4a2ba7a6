//! The record of every message that came, written by a thread of its own in batches.
//!
//! [`Entry`] (from serving) → numbered, joined, made into a [`Message`] (`scribe`) → a file (`sqlite`, `lines`). Whoever
//! writes waits when the thread cannot follow. Questions go the same way, so they see all that was written before.

mod entry;
mod lines;
mod scribe;
mod sqlite;
#[cfg(test)]
mod tests;

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{mpsc, oneshot};

pub use entry::{Entry, Message, ReportPlan};

use self::lines::LineFile;
use self::scribe::Scribe;
use self::sqlite::SqliteFile;
use crate::config::RecordFile;

/// The way to the record; its clones lead to the same.
#[derive(Clone, Debug)]
pub struct Record(mpsc::Sender<Task>);

/// The thread that writes. It ends, with all written, when the last [`Record`] is gone.
#[derive(Debug)]
pub struct Writer {
    thread: JoinHandle<()>,
    /// Tells how it ended.
    pub ended: oneshot::Receiver<anyhow::Result<()>>,
}

/// The record has ended, by a fault that the log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record cannot be written or read any more")]
pub struct RecordEnded;

enum Task {
    Write(Vec<Entry>),
    Read { after: u64, limit: usize, reply: oneshot::Sender<Vec<Message>> },
}

/// A file of messages, numbered from 1 on.
trait File: Send {
    /// The number of the last.
    fn last(&self) -> u64;
    /// Appends them; they come in the order of their numbers.
    fn write(&mut self, messages: &[Message]) -> anyhow::Result<()>;
    /// Those with a number above `after`, in order, at most `limit`.
    fn read(&mut self, after: u64, limit: usize) -> anyhow::Result<Vec<Message>>;
}

/// Batches that wait for the thread. Each is what one connection had read at once.
const WAITING: usize = 256;

/// The thread gathers for this long before it writes, so that a batch is worth its transaction.
const GATHER: Duration = Duration::from_millis(5);

/// Opens the file, or makes it; what is in it stays. Returns the number of its last message too.
///
/// # Errors
/// What keeps it from being opened, or read.
pub fn open(file: &RecordFile) -> anyhow::Result<(Record, Writer, u64)> {
    let file: Box<dyn File> = match file {
        RecordFile::Sqlite(path) => {
            Box::new(SqliteFile::open(path).with_context(|| format!("record {}", path.display()))?)
        }
        RecordFile::Lines(path) => {
            Box::new(LineFile::open(path).with_context(|| format!("record {}", path.display()))?)
        }
    };
    let last = file.last();
    let (sender, receiver) = mpsc::channel(WAITING);
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("record".to_owned()).spawn(move || {
        // nobody may be left who wants to know
        let _ = end.send(work(receiver, file));
    })?;
    Ok((Record(sender), Writer { thread, ended }, last))
}

impl Record {
    /// Waits until there is room for it.
    ///
    /// # Errors
    /// It cannot be written.
    pub async fn write(&self, entries: Vec<Entry>) -> Result<(), RecordEnded> {
        self.0.send(Task::Write(entries)).await.map_err(|_| RecordEnded)
    }

    /// The messages with a number above `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn read(&self, after: u64, limit: usize) -> Result<Vec<Message>, RecordEnded> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Task::Read { after, limit, reply }).await.map_err(|_| RecordEnded)?;
        answer.await.map_err(|_| RecordEnded)
    }
}

impl Writer {
    /// Waits for the end of the thread; for after the last [`Record`] is gone.
    pub fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the record's thread broke down");
        }
    }
}

fn work(mut tasks: mpsc::Receiver<Task>, mut file: Box<dyn File>) -> anyhow::Result<()> {
    let mut scribe = Scribe::new(file.last());
    let mut messages = Vec::new();
    while let Some(task) = tasks.blocking_recv() {
        let gathers = matches!(task, Task::Write(_));
        handle(task, &mut scribe, &mut messages, file.as_mut())?;
        if gathers {
            std::thread::sleep(GATHER);
        }
        while let Ok(task) = tasks.try_recv() {
            handle(task, &mut scribe, &mut messages, file.as_mut())?;
        }
        flush(&mut messages, file.as_mut())?;
        scribe.forget_old();
    }
    Ok(())
}

fn handle(
    task: Task,
    scribe: &mut Scribe,
    messages: &mut Vec<Message>,
    file: &mut dyn File,
) -> anyhow::Result<()> {
    match task {
        Task::Write(entries) => messages.extend(entries.into_iter().map(|entry| scribe.message(entry))),
        Task::Read { after, limit, reply } => {
            flush(messages, file)?;
            // whoever asked may be gone
            let _ = reply.send(file.read(after, limit)?);
        }
    }
    Ok(())
}

fn flush(messages: &mut Vec<Message>, file: &mut dyn File) -> anyhow::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    file.write(messages).context("writing the record")?;
    messages.clear();
    Ok(())
}
