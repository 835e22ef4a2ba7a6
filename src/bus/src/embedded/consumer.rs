//! What a role holds of a member.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use super::group::{Identity, Mark};
use super::mailbox::Mailbox;
use super::member::{Batch, Commit, Member};
use super::source::{Source, Taken};
use super::topic::Topic;
use crate::{BusError, Consumer, Delivered};

pub(super) struct Reader {
    mailbox: Arc<Mailbox>,
    batches: mpsc::UnboundedReceiver<Batch>,
    topics: Vec<Arc<Topic>>,
    /// A batch is on its way: who waited for it was cancelled.
    asked: bool,
    taken: VecDeque<Taken>,
    /// What was handed out and is not committed: by source and partition.
    handed: BTreeMap<(usize, u32), Mark>,
}

impl Reader {
    pub(super) fn start(identity: Identity, topics: Vec<Arc<Topic>>) -> Result<Self, BusError> {
        let mailbox = Arc::new(Mailbox::default());
        let sources = topics.iter().cloned().enumerate().map(|(number, topic)| {
            topic.tell(&mailbox);
            Source::open(topic, number)
        });
        let sources = sources.collect::<Result<_, _>>()?;
        let (batches, receiver) = mpsc::unbounded_channel();
        Member::start(identity, sources, mailbox.clone(), batches)?;
        Ok(Self {
            mailbox,
            batches: receiver,
            topics,
            asked: false,
            taken: VecDeque::new(),
            handed: BTreeMap::new(),
        })
    }

    fn hand(&mut self, taken: Taken) -> Delivered {
        let Taken { source, epoch, delivered } = taken;
        let mark = Mark { partition: delivered.partition, epoch, next: delivered.offset + 1 };
        self.handed.insert((source, delivered.partition), mark);
        delivered
    }

    fn ended() -> BusError {
        BusError::Away("the thread that reads it has ended".to_owned())
    }
}

#[async_trait]
impl Consumer for Reader {
    async fn next(&mut self, most: usize) -> Result<Vec<Delivered>, BusError> {
        let most = most.max(1);
        if self.taken.is_empty() {
            if !self.asked {
                self.mailbox.ask(most);
                self.asked = true;
            }
            let batch = self.batches.recv().await.ok_or_else(Self::ended)?;
            self.asked = false;
            self.taken = batch?.into();
        }
        let count = self.taken.len().min(most);
        let batch: Vec<Taken> = self.taken.drain(..count).collect();
        Ok(batch.into_iter().map(|taken| self.hand(taken)).collect())
    }

    async fn commit(&mut self) -> Result<(), BusError> {
        if self.handed.is_empty() {
            return Ok(());
        }
        let mut marks: Vec<(usize, Vec<Mark>)> = Vec::new();
        for ((source, _), mark) in &self.handed {
            match marks.last_mut() {
                Some((last, marks)) if last == source => marks.push(*mark),
                _ => marks.push((*source, vec![*mark])),
            }
        }
        let (done, committed) = oneshot::channel();
        self.mailbox.commit(Commit { marks, done });
        let lost = committed.await.map_err(|_| Self::ended())??;
        let handed = std::mem::take(&mut self.handed);
        let Some((source, partition)) = lost.first() else { return Ok(()) };
        let is_lost = |taken: &Taken| {
            let place = (taken.source, taken.delivered.partition);
            lost.contains(&place) && handed.get(&place).is_some_and(|mark| mark.epoch == taken.epoch)
        };
        self.taken.retain(|taken| !is_lost(taken));
        let topic = &self.topics[*source].name;
        Err(BusError::Away(format!("partition {partition} of {topic} went to another member of the group")))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
