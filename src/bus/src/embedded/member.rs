//! One member of a group: a thread that says that it is there, reads what is wanted, and commits what is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::group::{self, Identity, Mark};
use super::mailbox::Mailbox;
use super::source::{Source, Taken};
use crate::BusError;

/// Between two signs of life; and while the shares of the group are not yet what they should be.
const TICK: Duration = Duration::from_millis(500);
const UNSETTLED: Duration = Duration::from_millis(100);
/// How long it waits for what other processes write: a part of the time that nothing came, within bounds.
const POLL_LEAST: Duration = Duration::from_millis(1);
const POLL_MOST: Duration = Duration::from_millis(50);
const POLL_PART: u32 = 16;
/// Bytes of values in one batch; the last record may go over it.
const BATCH_BYTES: usize = 8 << 20;

/// A wish to commit: marks of each source, by its number.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) marks: Vec<(usize, Vec<Mark>)>,
    /// The partitions that are lost, by source. An error: nothing is known of what was to be committed.
    pub(super) done: oneshot::Sender<Result<Vec<(usize, u32)>, BusError>>,
}

pub(super) type Batch = Result<Vec<Taken>, BusError>;

pub(super) struct Member {
    identity: Identity,
    sources: Vec<Source>,
    mailbox: Arc<Mailbox>,
    batches: mpsc::UnboundedSender<Batch>,
    /// The source that is read first.
    turn: usize,
}

impl Member {
    /// Starts the thread; it ends when the mailbox is closed.
    pub(super) fn start(
        identity: Identity,
        sources: Vec<Source>,
        mailbox: Arc<Mailbox>,
        batches: mpsc::UnboundedSender<Batch>,
    ) -> Result<(), BusError> {
        let member = Self { identity, sources, mailbox, batches, turn: 0 };
        let started = std::thread::Builder::new().name("bus".to_owned()).spawn(move || member.run());
        started
            .map(|_| ())
            .map_err(|error| BusError::Away(format!("there is no thread to read it ({error})")))
    }

    fn run(mut self) {
        let mut tick_due = Instant::now();
        let mut came = Instant::now();
        let mut asked = None;
        loop {
            if Instant::now() >= tick_due {
                tick_due = self.tick();
            }
            if let Some(batch) = asked.and_then(|most| self.read(most)) {
                asked = None;
                came = Instant::now();
                if self.batches.send(batch).is_err() {
                    break;
                }
            }
            let mut longest = tick_due.saturating_duration_since(Instant::now());
            if asked.is_some() {
                longest = longest.min((came.elapsed() / POLL_PART).clamp(POLL_LEAST, POLL_MOST));
            }
            let mail = self.mailbox.take(longest);
            asked = mail.asked.or(asked);
            for commit in mail.commits {
                if self.commit(commit) {
                    tick_due = Instant::now();
                }
            }
            if mail.closed {
                break;
            }
        }
        self.leave();
    }

    /// When the next is due.
    fn tick(&mut self) -> Instant {
        let mut settled = true;
        for source in &mut self.sources {
            match source.tick(&self.identity) {
                Ok(is_settled) => settled &= is_settled,
                Err(error) => {
                    tracing::debug!(topic = source.topic.name, %error, "the group did not hear of a member");
                }
            }
        }
        Instant::now() + if settled { TICK } else { UNSETTLED }
    }

    /// What there is; none: nothing.
    fn read(&mut self, most: usize) -> Option<Batch> {
        let mut taken = Vec::new();
        let mut bytes = BATCH_BYTES;
        self.turn = (self.turn + 1) % self.sources.len().max(1);
        let (last, first) = self.sources.split_at_mut(self.turn);
        for source in first.iter_mut().chain(last) {
            match source.read(most, &mut bytes, &mut taken) {
                Ok(()) => {}
                // what was read goes out; the error comes again
                Err(_) if !taken.is_empty() => break,
                Err(error) => return Some(Err(error)),
            }
        }
        (!taken.is_empty()).then_some(Ok(taken))
    }

    /// Whether there is something to let go of now.
    fn commit(&mut self, commit: Commit) -> bool {
        let mut lost = Vec::new();
        let mut failed = None;
        for (number, marks) in commit.marks {
            match self.sources[number].commit(&self.identity, marks) {
                Ok(partitions) => lost.extend(partitions.into_iter().map(|partition| (number, partition))),
                Err(error) => failed = Some(error),
            }
        }
        let _ = commit.done.send(failed.map_or(Ok(lost), Err));
        self.sources.iter().any(Source::is_leaving)
    }

    fn leave(self) {
        for source in &self.sources {
            let identity = self.identity.clone();
            if let Err(error) = source.topic.write(move |connection| group::leave(connection, &identity)) {
                tracing::debug!(topic = source.topic.name, %error, "the group will find out that a member left");
            }
        }
    }
}
