//! The driver of one account.

mod hear;
mod push;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use store::spool::{Change, Fragment, Spool};
use tokio::sync::{Notify, mpsc};
use wire::protocol::Messages;
use wire::session::Numbers;

use super::core::Core;
use super::facts::Facts;
use super::inbox::{Inbox, Message, Ticket};
use super::mo::Mos;
use super::render::Rules;
use crate::clock::{Clock, Now};
use crate::connection::{ConnectionId, Order, Report};

/// Things looked at before what follows from them is done: keeps batches large under load, and the wait short.
const MOST_AT_ONCE: usize = 1024;
/// After a write that failed the next one waits for so long.
const SPOOL_PAUSE: Duration = Duration::from_secs(1);
/// How often gauges are brought up to date at least.
const GAUGES: Duration = Duration::from_millis(500);

/// What an account works with.
pub struct Parts<P: Messages> {
    pub core: Core,
    pub mos: Mos,
    pub rules: Rules,
    pub facts: Facts,
    pub clock: Clock,
    pub spool: Spool,
    pub numbers: Arc<Numbers>,
    /// SGIP: our node number.
    pub node: u32,
    pub inbox: (mpsc::UnboundedSender<Inbox<P>>, mpsc::UnboundedReceiver<Inbox<P>>),
    pub news: mpsc::Receiver<Report>,
    /// Rung when there are events to tell.
    pub events: Arc<Notify>,
    /// By their position.
    pub connections: BTreeMap<ConnectionId, mpsc::Sender<Order<P>>>,
}

/// One account at work.
pub struct Task<P: Messages> {
    parts: Parts<P>,
    /// What is to be written, in its order.
    waiting: Vec<Change>,
    /// The requests that wait for it.
    tickets: Vec<Ticket>,
    /// Whether the spool is at work on what happened before.
    in_writing: bool,
    /// When the spool is tried again, after it has failed.
    retry: Option<Instant>,
    /// Until when answers are waited for at the end.
    stop_at: Option<Instant>,
    /// Whether the connections were told to end.
    told_connections: bool,
    /// Whether there is a connection that has not ended.
    connected: bool,
    /// Batches of pushes handed to the spool and not completed.
    recording: usize,
    gauges_at: Instant,
}

impl<P: Messages> Task<P>
where
    Inbox<P>: Send,
{
    #[must_use]
    pub fn new(parts: Parts<P>) -> Self {
        Self {
            gauges_at: Instant::now(),
            parts,
            waiting: Vec::new(),
            tickets: Vec::new(),
            in_writing: false,
            retry: None,
            stop_at: None,
            told_connections: false,
            connected: true,
            recording: 0,
        }
    }

    /// Parts of users' messages that the last run left.
    pub fn recover_fragments<'a>(&mut self, fragments: impl Iterator<Item = &'a Fragment>) {
        let now = Instant::now();
        for fragment in fragments {
            if !self.parts.mos.recover(fragment, now) {
                self.parts.facts.fragment_unreadable();
            }
        }
    }

    /// Works until it is told to stop and nothing is under way any more; then until its connections have logged out: what
    /// the carrier brings until then is written, and answered, too.
    pub async fn run(mut self) {
        loop {
            let now = self.parts.clock.now();
            self.work(now);
            if !self.told_connections && self.is_quiet(now) {
                self.stop_connections(now);
            }
            if self.is_done(now) {
                break;
            }
            let deadline = self.deadline(now);
            tokio::select! {
                biased;
                report = self.parts.news.recv(), if self.connected => match report {
                    Some(report) => self.drain_news(report),
                    None => self.connected = false,
                },
                Some(item) = self.parts.inbox.1.recv() => self.drain_inbox(item),
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
        self.parts.facts.stopped(self.parts.core.unfinished());
    }

    /// What follows from everything that has happened.
    fn work(&mut self, now: Now) {
        if self.parts.clock.steady() {
            self.parts.core.expire(now);
        }
        for (happened, row) in self.parts.mos.expired(now.instant) {
            self.parts.facts.metrics.mo.incomplete.inc();
            self.tell(happened, now);
            self.waiting.extend(row.map(|row| Change::FragmentsGone(vec![row])));
        }
        self.write(now);
        self.push(now);
        for finished in self.parts.core.take_finished() {
            self.parts.facts.finished(&finished, now);
        }
        if now.instant >= self.gauges_at {
            self.parts.facts.level(&self.parts.core, now);
            self.gauges_at = now.instant + GAUGES;
        }
    }

    /// Told to stop, and nothing is under way any more, or not waited for.
    fn is_quiet(&self, now: Now) -> bool {
        let Some(stop_at) = self.stop_at else { return false };
        self.is_written() && self.parts.core.lines.under_way() == 0 || now.instant >= stop_at
    }

    fn stop_connections(&mut self, now: Now) {
        let patience = self.stop_at.map(|at| at.saturating_duration_since(now.instant)).unwrap_or_default();
        // one that is full or gone ends when its channel does
        self.parts.connections.retain(|_, connection| connection.try_send(Order::Stop { patience }).is_ok());
        self.told_connections = true;
    }

    /// The connections have ended, and what they said is written, or not waited for.
    fn is_done(&self, now: Now) -> bool {
        let over = self.stop_at.is_some_and(|stop_at| now.instant >= stop_at);
        self.told_connections && !self.connected && (self.is_written() || over)
    }

    fn is_written(&self) -> bool {
        self.recording == 0 && !self.in_writing && self.waiting.is_empty()
    }

    fn deadline(&self, now: Now) -> Instant {
        [
            self.parts.core.deadline(now, self.parts.clock.steady()),
            self.parts.mos.deadline(),
            self.retry,
            self.stop_at.filter(|&at| now.instant < at),
        ]
        .into_iter()
        .flatten()
        .chain([self.gauges_at])
        .min()
        .unwrap_or(self.gauges_at)
    }

    fn drain_inbox(&mut self, first: Inbox<P>) {
        let now = self.parts.clock.now();
        self.receive(first, now);
        for _ in 1..MOST_AT_ONCE {
            let Ok(item) = self.parts.inbox.1.try_recv() else { break };
            self.receive(item, now);
        }
    }

    fn drain_news(&mut self, first: Report) {
        let now = self.parts.clock.now();
        self.hear(first, now);
        for _ in 1..MOST_AT_ONCE {
            let Ok(report) = self.parts.news.try_recv() else { break };
            self.hear(report, now);
        }
    }

    fn receive(&mut self, item: Inbox<P>, now: Now) {
        match item {
            Inbox::Message(Message { key, submission, delivery, taken, recovered }) => {
                let core = &mut self.parts.core;
                if recovered {
                    let delivery = self.parts.rules.renew(&submission, delivery);
                    core.recover(key, submission, delivery, taken, now);
                } else {
                    self.parts.facts.metrics.taken.inc();
                    core.take(key, submission, delivery, taken, now);
                }
            }
            Inbox::Recorded { pushes, result } => self.recorded(pushes, result, now),
            Inbox::Written { tickets, result } => self.written(tickets, result, now),
            Inbox::Stop(patience) => {
                self.parts.core.stop();
                self.stop_at = Some(now.instant + patience);
            }
        }
    }
}
