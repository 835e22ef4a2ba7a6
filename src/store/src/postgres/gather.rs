//! One transaction for what many callers want at the same time.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

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
    room: OwnedSemaphorePermit,
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
        room: OwnedSemaphorePermit,
    ) -> Result<B::Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job { work, size, answer, room };
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
        let (mut works, mut answers) = (vec![first.work], vec![(first.answer, first.room)]);
        while let Ok(job) = jobs.try_recv() {
            if size + job.size > together {
                next = Some(job);
                break;
            }
            size += job.size;
            works.push(job.work);
            answers.push((job.answer, job.room));
        }
        let results = write(&batch, &works).await;
        for ((answer, room), result) in answers.into_iter().zip(results) {
            // Nobody may wait any more; it is done all the same.
            let _ = answer.send(result);
            drop(room);
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
                results
                    .push(alone.and_then(|mut answers| answers.pop().ok_or_else(|| Refused::Stopped.into())));
            }
            results
        }
        Err(error) => works.iter().map(|_| Err(error.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::join_all;

    use super::*;

    /// Writes down what it is handed together, when it may; refuses batches with an odd number in them.
    struct Numbers {
        seen: Arc<Mutex<Vec<Vec<u32>>>>,
        may: Arc<Semaphore>,
        error: StoreError,
    }

    #[async_trait]
    impl Batch for Numbers {
        type Work = u32;
        type Answer = u32;

        fn size(_: &u32) -> usize {
            1
        }

        async fn write(&self, works: &[u32]) -> Result<Vec<u32>, StoreError> {
            self.may.acquire().await.unwrap().forget();
            self.seen.lock().unwrap().push(works.to_vec());
            if works.iter().any(|number| number % 2 == 1) {
                return Err(self.error.clone());
            }
            Ok(works.iter().map(|number| number * 10).collect())
        }
    }

    impl Numbers {
        fn new(error: StoreError, may: usize) -> Self {
            Self { seen: Arc::default(), may: Arc::new(Semaphore::new(may)), error }
        }
    }

    fn refused() -> StoreError {
        StoreError::Database { detail: "odd".to_owned() }
    }

    #[tokio::test]
    async fn what_waits_goes_together_up_to_a_bound_and_in_order() {
        let batch = Numbers::new(refused(), 100);
        let seen = Arc::clone(&batch.seen);
        let gather = Gather::start(batch, 4, 100);
        let answers = join_all([2, 4, 6, 8, 10, 12].map(|number| gather.give(number))).await;
        assert_eq!(answers, [20, 40, 60, 80, 100, 120].map(Ok));
        assert_eq!(*seen.lock().unwrap(), [vec![2, 4, 6, 8], vec![10, 12]]);
    }

    #[tokio::test]
    async fn one_that_is_refused_harms_no_other() {
        let batch = Numbers::new(refused(), 100);
        let seen = Arc::clone(&batch.seen);
        let gather = Gather::start(batch, 4, 100);
        let answers = join_all([2, 3, 4].map(|number| gather.give(number))).await;
        assert_eq!(answers, [Ok(20), Err(refused()), Ok(40)]);
        assert_eq!(*seen.lock().unwrap(), [vec![2, 3, 4], vec![2], vec![3], vec![4]]);
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_not_asked_again_for_each() {
        let away = StoreError::Away { detail: "no answer".to_owned() };
        let batch = Numbers::new(away.clone(), 100);
        let seen = Arc::clone(&batch.seen);
        let gather = Gather::start(batch, 4, 100);
        let answers = join_all([2, 3, 4].map(|number| gather.give(number))).await;
        assert!(answers.iter().all(|answer| *answer == Err(away.clone())));
        assert_eq!(seen.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn new_work_is_refused_while_too_much_waits_and_the_rest_waits_for_room() {
        let batch = Numbers::new(refused(), 0);
        let may = Arc::clone(&batch.may);
        let gather = Arc::new(Gather::start(batch, 1, 2));
        let give = |number| {
            let gather = Arc::clone(&gather);
            tokio::spawn(async move { gather.give(number).await })
        };
        let inside = [give(2), give(4)];
        while gather.room.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(gather.offer(6).await, Err(Refused::QueueFull.into()));
        let third = give(8);
        may.add_permits(100);
        for (task, answer) in inside.into_iter().chain([third]).zip([20, 40, 80]) {
            assert_eq!(task.await.unwrap(), Ok(answer));
        }
        assert_eq!(gather.offer(6).await, Ok(60));
    }
}
