//! The one thread that writes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rusqlite::Connection;

use super::figures::Counters;
use super::queue::Queue;
use super::{Figures, Refused, StoreError};

/// Jobs in one transaction at most: bounds what a failing job makes be done again, and the wait of the first one.
const BATCH: usize = 4096;

/// What the jobs of one transaction share: a place for rows that are cheaper to write together.
pub trait Stage: Send + 'static {
    /// Writes what was held back; called last before a commit, and also after each job when jobs are tried one by one.
    ///
    /// # Errors
    /// What SQLite says.
    fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()>;
    /// What was flushed is on the disk.
    fn committed(&mut self);
    /// What was held back, and perhaps what was flushed, is undone: forget all that is known of the rows.
    fn rolled_back(&mut self);
}

impl Stage for () {
    fn flush(&mut self, _: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    fn committed(&mut self) {}

    fn rolled_back(&mut self) {}
}

/// The handle of the writer thread. It takes all jobs that wait, runs them in one transaction, commits, and calls
/// their completions; while it commits, the next batch gathers. No completion is called before its change is on the
/// disk. Dropping the handle stops the writer.
pub struct Writer<S: Stage> {
    queue: Arc<Queue<Box<dyn Job<S>>>>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<S: Stage> Writer<S> {
    /// `queue`: from how many waiting jobs on [`Writer::offer`] refuses.
    ///
    /// # Errors
    /// [`StoreError::Io`] if there can be no thread.
    pub fn start(file: &Path, connection: Connection, stage: S, queue: usize) -> Result<Self, StoreError> {
        let queue = Arc::new(Queue::new(queue));
        let counters = Arc::new(Counters::default());
        let worker = Worker {
            file: file.to_owned(),
            connection,
            stage,
            queue: queue.clone(),
            counters: counters.clone(),
        };
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| StoreError::Io { file: file.to_owned(), detail: error.to_string() })?;
        Ok(Self { queue, counters, thread: Mutex::new(Some(thread)) })
    }

    /// New work. `work` may be run twice, after a rollback; `done` is called on the writer thread, once, and must not
    /// block.
    ///
    /// # Errors
    /// [`Refused::QueueFull`] while too many jobs wait, [`Refused::Stopped`]; then `done` is not called.
    pub fn offer<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, &mut S) -> rusqlite::Result<T> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), Refused> {
        self.queue.offer(Box::new(Task { work, done, value: None }))
    }

    /// As [`Writer::offer`], for what finishes work that was let in: the queue is never too full for it.
    ///
    /// # Errors
    /// [`Refused::Stopped`]; then `done` is not called.
    pub fn push<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection, &mut S) -> rusqlite::Result<T> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) -> Result<(), Refused> {
        self.queue.push(Box::new(Task { work, done, value: None }))
    }

    /// Whether it takes no more jobs: it was stopped, or its thread has ended by a panic.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.queue.is_closed()
    }

    #[must_use]
    pub fn figures(&self) -> Figures {
        self.counters.read(self.queue.len())
    }

    /// Takes no more jobs, writes those that wait, and returns when their completions have been called.
    pub fn stop(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A completion may hold the last handle: the writer cannot wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store ended by a panic");
        }
    }
}

impl<S: Stage> Drop for Writer<S> {
    fn drop(&mut self) {
        self.stop();
    }
}

trait Job<S>: Send {
    fn run(&mut self, connection: &Connection, stage: &mut S) -> rusqlite::Result<()>;
    fn finish(self: Box<Self>, result: Result<(), StoreError>);
}

struct Task<W, D, T> {
    work: W,
    done: D,
    value: Option<T>,
}

impl<S, T, W, D> Job<S> for Task<W, D, T>
where
    T: Send,
    W: FnMut(&Connection, &mut S) -> rusqlite::Result<T> + Send,
    D: FnOnce(Result<T, StoreError>) + Send,
{
    fn run(&mut self, connection: &Connection, stage: &mut S) -> rusqlite::Result<()> {
        self.value = Some((self.work)(connection, stage)?);
        Ok(())
    }

    fn finish(self: Box<Self>, result: Result<(), StoreError>) {
        match (result, self.value) {
            (Ok(()), Some(value)) => (self.done)(Ok(value)),
            (Err(error), _) => (self.done)(Err(error)),
            (Ok(()), None) => {}
        }
    }
}

type Batch<S> = [Box<dyn Job<S>>];

struct Worker<S: Stage> {
    file: PathBuf,
    connection: Connection,
    stage: S,
    queue: Arc<Queue<Box<dyn Job<S>>>>,
    counters: Arc<Counters>,
}

impl<S: Stage> Worker<S> {
    fn run(mut self) {
        // If a completion panics, givers must learn that nobody takes any more.
        let _closing = Closing(self.queue.clone());
        while let Some(mut batch) = self.queue.take(BATCH) {
            let results = self.write(&mut batch);
            for (job, result) in batch.into_iter().zip(results) {
                self.counters.job(result.is_ok());
                job.finish(result);
            }
        }
    }

    /// One result a job.
    fn write(&mut self, batch: &mut Batch<S>) -> Vec<Result<(), StoreError>> {
        let written = match self.together(batch) {
            Ok(()) => Ok(vec![Ok(()); batch.len()]),
            Err(error) if error.is_one_jobs() => self.apart(batch),
            Err(error) => Err(error),
        };
        match written {
            Ok(results) => {
                // said once, not for each batch of a full disk
                if self.counters.set_failing(false) {
                    tracing::info!(file = %self.file.display(), "the store writes again");
                }
                results
            }
            Err(error) => {
                if !self.counters.set_failing(true) {
                    tracing::error!(%error, "the store does not write");
                }
                vec![Err(error); batch.len()]
            }
        }
    }

    /// All jobs in one transaction without savepoints: what nearly every batch is.
    fn together(&mut self, batch: &mut Batch<S>) -> Result<(), StoreError> {
        let Self { connection, stage, .. } = self;
        let ran = execute(connection, "BEGIN IMMEDIATE").and_then(|()| {
            batch.iter_mut().try_for_each(|job| job.run(connection, stage))?;
            stage.flush(connection)
        });
        self.end(ran)
    }

    /// The jobs in one transaction, each undone alone if it fails. Err: all are undone.
    fn apart(&mut self, batch: &mut Batch<S>) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let mut results = Vec::with_capacity(batch.len());
        let ran = execute(&self.connection, "BEGIN IMMEDIATE").and_then(|()| {
            for job in batch {
                results.push(self.alone(job.as_mut())?);
            }
            self.stage.flush(&self.connection)
        });
        self.end(ran)?;
        Ok(results)
    }

    /// Err: the store itself is at fault.
    fn alone(&mut self, job: &mut dyn Job<S>) -> rusqlite::Result<Result<(), StoreError>> {
        let Self { connection, stage, .. } = self;
        execute(connection, "SAVEPOINT job")?;
        let Err(error) = job.run(connection, stage).and_then(|()| stage.flush(connection)) else {
            execute(connection, "RELEASE job")?;
            return Ok(Ok(()));
        };
        let meaning = StoreError::of(&self.file, &error);
        if !meaning.is_one_jobs() || connection.is_autocommit() {
            return Err(error);
        }
        stage.rolled_back();
        execute(connection, "ROLLBACK TO job")?;
        execute(connection, "RELEASE job")?;
        Ok(Err(meaning))
    }

    /// Commits, or undoes what is left to undo.
    fn end(&mut self, ran: rusqlite::Result<()>) -> Result<(), StoreError> {
        let ended = ran.and_then(|()| {
            let started = Instant::now();
            execute(&self.connection, "COMMIT")?;
            self.counters.committed(started.elapsed());
            Ok(())
        });
        let Err(error) = ended else {
            self.stage.committed();
            return Ok(());
        };
        self.stage.rolled_back();
        // After some errors SQLite has rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = execute(&self.connection, "ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
        Err(StoreError::of(&self.file, &error))
    }
}

/// Closes the queue when the writer ends, however it ends; after a panic what waits is dropped, so that whoever waits for
/// a completion learns that there will be none.
struct Closing<T>(Arc<Queue<T>>);

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        self.0.close();
        self.0.clear();
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}
