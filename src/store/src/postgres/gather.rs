//! One transaction for what many callers want at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{Refused, StoreError};

/// What is done with the work of many callers.
#[async_trait]
pub trait Batch: Send + Sync + 'static {
    type Work: Send + Sync + 'static;
    type Answer: Send + 'static;

    /// How much room one caller's work takes, in the unit of [`Gather::start`].
    fn size(work: &Self::Work) -> usize;

    /// Does all of it in one transaction, or (on an error) nothing. One answer each, in their order.
    async fn write(&self, works: &[Self::Work]) -> Result<Vec<Self::Answer>, StoreError>;
}

/// Takes all work that waits, up to a bound, and hands it to a [`Batch`]; while that writes, the next batch gathers. So
/// under load many callers share a commit, and a lone one waits for nobody. If a batch fails for a reason that may be
/// one caller's, each is tried alone.
#[derive(Debug)]
pub struct Gather<B: Batch> {
    queue: mpsc::UnboundedSender<Job<B>>,
    room: Arc<Semaphore>,
    most: usize,
}

struct Job<B: Batch> {
    work: B::Work,
    size: usize,
    answer: oneshot::Sender<Result<B::Answer, StoreError>>,
    /// Its room in the queue, given back with the answer.
    _room: tokio::sync::OwnedSemaphorePermit,
}

impl<B: Batch> Gather<B> {
    /// `together`: room of one batch; `waiting`: room of all work that waits or is done. Work that is larger goes alone. It lives in
    /// the runtime that this is called in, until it is dropped and what it was given is done.
    pub fn start(batch: B, together: usize, waiting: usize) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        tokio::spawn(run(batch, jobs, together));
        let most = waiting.clamp(1, Semaphore::MAX_PERMITS);
        Self { queue, room: Arc::new(Semaphore::new(most)), most }
    }

    /// For new work: refused while too much waits.
    ///
    /// # Errors
    /// [`Refused`], or what became of it.
    pub async fn offer(&self, work: B::Work) -> Result<B::Answer, StoreError> {
        let size = B::size(&work);
        match Arc::clone(&self.room).try_acquire_many_owned(self.permits(size)) {
            Ok(room) => self.put(work, size, room).await,
            Err(_) => Err(Refused::QueueFull.into()),
        }
    }

    /// For what belongs to work that was let in: waits for room.
    ///
    /// # Errors
    /// What became of it.
    pub async fn give(&self, work: B::Work) -> Result<B::Answer, StoreError> {
        let size = B::size(&work);
        match Arc::clone(&self.room).acquire_many_owned(self.permits(size)).await {
            Ok(room) => self.put(work, size, room).await,
            Err(_) => Err(Refused::Stopped.into()),
        }
    }

    async fn put(
        &self,
        work: B::Work,
        size: usize,
        room: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<B::Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job { work, size, answer, _room: room };
        if self.queue.send(job).is_err() {
            return Err(Refused::Stopped.into());
        }
        answered.await.unwrap_or(Err(StoreError::Refused(Refused::Stopped)))
    }

    fn permits(&self, size: usize) -> u32 {
        u32::try_from(size.clamp(1, self.most)).unwrap_or(u32::MAX)
    }
}

async fn run<B: Batch>(batch: B, mut jobs: mpsc::UnboundedReceiver<Job<B>>, together: usize) {
    let mut next = jobs.recv().await;
    while let Some(first) = next.take() {
        let mut size = first.size;
        let (mut works, mut answers) = (vec![first.work], vec![(first.answer, first._room)]);
        while let Ok(job) = jobs.try_recv() {
            if size + job.size > together {
                next = Some(job);
                break;
            }
            size += job.size;
            works.push(job.work);
            answers.push((job.answer, job._room));
        }
        let results = write(&batch, &works).await;
        for ((answer, _room), result) in answers.into_iter().zip(results) {
            // Nobody may wait any more; it is done all the same.
            let _ = answer.send(result);
        }
        if next.is_none() {
            next = jobs.recv().await;
        }
    }
}

async fn write<B: Batch>(batch: &B, works: &[B::Work]) -> Vec<Result<B::Answer, StoreError>> {
    match batch.write(works).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) if error.is_one_jobs() && works.len() > 1 => {
            let mut results = Vec::with_capacity(works.len());
            for work in works {
                let alone = batch.write(std::slice::from_ref(work)).await;
                results.push(alone.and_then(|mut answers| answers.pop().ok_or(Refused::Stopped.into())));
            }
            results
        }
        Err(error) => works.iter().map(|_| Err(error.clone())).collect(),
    }
}
