//! The driver of one account.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{Disposition, Happened, Party};
use store::spool::{Change, Fragment, Spool};
use tokio::sync::mpsc;
use wire::exchange::{Incoming, MessageId, Report as CarrierReport};
use wire::protocol::Messages;
use wire::session::Numbers;

use super::core::{Core, Turn};
use super::facts::Facts;
use super::inbox::{Inbox, Message, Push, Ticket};
use super::lines::ConnectionId;
use super::mo::{Mos, Received};
use super::render::Rules;
use crate::clock::{Clock, Now};
use crate::connection::{News, Order, PartKey, Report};

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
    /// By their position.
    pub connections: BTreeMap<ConnectionId, mpsc::Sender<Order<P>>>,
}

/// One account at work.
pub struct Task<P: Messages> {
    parts: Parts<P>,
    /// What could not be written, in its order.
    stuck: Vec<Change>,
    /// The requests that wait for it.
    stuck_tickets: Vec<Ticket>,
    /// When it is tried again.
    retry: Option<Instant>,
    /// What is to be written with the next batch, beside the core's changes.
    tickets: Vec<Ticket>,
    told: Vec<Change>,
    /// Until when answers are waited for at the end.
    stop_at: Option<Instant>,
    /// Batches handed to the spool and not completed.
    writing: usize,
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
            stuck: Vec::new(),
            stuck_tickets: Vec::new(),
            retry: None,
            tickets: Vec::new(),
            told: Vec::new(),
            stop_at: None,
            writing: 0,
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

    /// Works until it is told to stop and nothing is under way any more.
    pub async fn run(mut self) {
        loop {
            let now = self.parts.clock.now();
            self.work(now);
            if self.is_done(now) {
                break;
            }
            let deadline = self.deadline(now);
            tokio::select! {
                biased;
                Some(report) = self.parts.news.recv() => self.drain_news(report),
                Some(item) = self.parts.inbox.1.recv() => self.drain_inbox(item),
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
        }
        for connection in self.parts.connections.values() {
            // one that is full or gone ends by itself
            let _ = connection.try_send(Order::Stop);
        }
        self.parts.facts.stopped(self.parts.core.unfinished());
    }

    /// What follows from everything that has happened.
    fn work(&mut self, now: Now) {
        self.parts.core.expire(now);
        for (happened, row) in self.parts.mos.expired(now.instant) {
            self.parts.facts.metrics.mo.incomplete.inc();
            self.tell(happened, now);
            self.told.extend(row.map(|row| Change::FragmentsGone(vec![row])));
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

    fn is_done(&self, now: Now) -> bool {
        let Some(stop_at) = self.stop_at else { return false };
        let quiet = self.parts.core.lines.under_way() == 0 && self.writing == 0 && self.stuck.is_empty();
        quiet || now.instant >= stop_at
    }

    fn deadline(&self, now: Now) -> Instant {
        [self.parts.core.deadline(now), self.parts.mos.deadline(), self.retry, self.stop_at]
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
                    core.recover(key, submission, delivery, taken, now);
                } else {
                    self.parts.facts.metrics.taken.inc();
                    core.take(key, submission, delivery, taken, now);
                }
            }
            Inbox::Recorded { pushes, result } => {
                self.writing -= 1;
                match result {
                    Ok(()) => self.send(pushes, now),
                    Err(error) => {
                        self.parts.facts.spool_failed(&error);
                        self.parts.core.hold_up(now.instant + SPOOL_PAUSE);
                        self.parts.core.withdrawn(pushes.into_iter().map(|push| push.turn), now);
                    }
                }
            }
            Inbox::Written { tickets, result } => {
                self.writing -= 1;
                match result {
                    Ok(()) => self.answer(&tickets),
                    Err(unwritten) => {
                        self.parts.facts.spool_failed(&unwritten.error);
                        self.stuck.extend(unwritten.changes);
                        self.stuck_tickets.extend(tickets);
                        self.retry = Some(now.instant + SPOOL_PAUSE);
                    }
                }
            }
            Inbox::Stop(patience) => {
                self.parts.core.stop();
                self.stop_at = Some(now.instant + patience);
            }
        }
    }

    fn hear(&mut self, Report { connection, news }: Report, now: Now) {
        match news {
            News::Up { .. } => {
                self.parts.core.lines.up(connection);
                self.parts.facts.link_up(connection, self.parts.core.lines.all_up());
                self.tell(Happened::LinkUp { connection }, now);
            }
            News::Down { reason, unanswered } => {
                let turns = self.turns(connection, unanswered);
                self.parts.facts.link_down(connection, &reason, turns.len(), true);
                self.lost(turns, now);
                self.parts.core.lines.down(connection);
                self.tell(Happened::LinkDown { connection, reason }, now);
            }
            News::Answered { key, answer, .. } => {
                for turn in self.turns(connection, vec![key]) {
                    self.answered(turn, answer, now);
                }
            }
            News::Unanswered { key } => {
                let turns = self.turns(connection, vec![key]);
                self.lost(turns, now);
            }
            News::Incoming { ticket, incoming } => {
                self.tickets.push(Ticket { connection, number: ticket });
                self.incoming(incoming, now);
            }
        }
    }

    fn turns(&self, connection: ConnectionId, keys: Vec<PartKey>) -> Vec<Turn> {
        let Some(place) = self.parts.core.lines.current(connection) else { return Vec::new() };
        keys.into_iter().map(|PartKey { message, part }| Turn { place, key: message, part }).collect()
    }

    fn lost(&mut self, turns: Vec<Turn>, now: Now) {
        if turns.is_empty() {
            return;
        }
        self.parts.facts.lost(turns.len());
        if let Some(alarm) = self.parts.core.lost(turns, now) {
            self.parts.facts.answers(alarm);
        }
    }

    fn answered(&mut self, turn: Turn, answer: wire::exchange::Answer, now: Now) {
        let meaning = P::meaning(answer.code);
        self.parts.facts.metrics.answered(answer.code, meaning.disposition);
        let judged = self.parts.core.answered(turn, answer, meaning.disposition, now);
        match meaning.disposition {
            Disposition::SlowDown => self.parts.facts.slowed(answer.code, self.parts.core.pace.rate(now.instant)),
            Disposition::Final => self.parts.facts.refused(answer.code, meaning.chinese, meaning.english),
            Disposition::Accepted | Disposition::Later => {}
        }
        if let Some(alarm) = judged.and_then(|judged| judged.alarm) {
            self.parts.facts.answers(alarm);
        }
    }

    fn incoming(&mut self, incoming: Incoming, now: Now) {
        match incoming {
            Incoming::Report(report) => self.reported(&report, now),
            Incoming::Mo(mo) => match self.parts.mos.receive(&mo, now) {
                Received::Whole { happened, gone } => {
                    self.parts.facts.metrics.mo.whole.inc();
                    self.tell(happened, now);
                    if !gone.is_empty() {
                        self.told.push(Change::FragmentsGone(gone));
                    }
                }
                Received::Part(change) => self.told.push(change),
                Received::Repeated => self.parts.facts.metrics.mo.repeated.inc(),
            },
            Incoming::UserState { user, condition } => {
                let user = Party::national(&user.to_text());
                self.tell(Happened::UserState { user, condition }, now);
            }
        }
    }

    fn reported(&mut self, report: &CarrierReport, now: Now) {
        let known = self.parts.core.recall(&report.about);
        let delay = known.map(|known| now.instant.saturating_duration_since(known.answered));
        let (uaop_id, part) = (known.map(|known| known.uaop_id.clone()), known.map(|known| known.part));
        self.parts.facts.metrics.reported(report.state, delay);
        let destination = report.destination.to_text();
        let happened = Happened::Reported {
            resp_sequence: report.about.to_string(),
            report_sequence: report.id.as_ref().map(MessageId::to_string),
            uaop_id,
            part,
            to: (!destination.is_empty()).then(|| Party::national(&destination)),
            state: report.state,
            word: report.word.to_string(),
        };
        self.tell(happened, now);
    }

    fn tell(&mut self, happened: Happened, now: Now) {
        let event = self.parts.core.event(happened, now);
        self.told.push(Change::Event(event));
    }

    /// Hands what has happened to the spool; after a failure all of it waits for the next try.
    fn write(&mut self, now: Now) {
        let mut changes = self.parts.core.take_changes();
        changes.append(&mut self.told);
        if !self.stuck.is_empty() || !self.stuck_tickets.is_empty() {
            self.stuck.append(&mut changes);
            self.stuck_tickets.append(&mut self.tickets);
            if self.retry.is_some_and(|at| now.instant < at) {
                return;
            }
            changes = std::mem::take(&mut self.stuck);
            self.tickets = std::mem::take(&mut self.stuck_tickets);
            self.retry = None;
            self.parts.core.renew(&mut changes);
        }
        if changes.is_empty() && self.tickets.is_empty() {
            return;
        }
        let tickets = std::mem::take(&mut self.tickets);
        let inbox = self.parts.inbox.0.clone();
        let handed = self.parts.spool.write(changes, move |result| {
            // an account that has stopped leaves its requests unanswered: the carrier repeats them
            let _ = inbox.send(Inbox::Written { tickets, result });
        });
        self.writing += usize::from(handed.is_ok());
    }

    /// Records the pushes of those whose turn it is.
    fn push(&mut self, now: Now) {
        let mut pushes = Vec::new();
        while pushes.len() < MOST_AT_ONCE
            && let Some(turn) = self.parts.core.turn(now)
        {
            let sequence = P::sequence(self.parts.numbers.next(), self.parts.node, now.stamp);
            let Some(held) = self.parts.core.message(turn.key) else { continue };
            let valid_until = held.submission.not_after.map(|end| self.parts.clock.stamp(end));
            let (submit, first) =
                (self.parts.rules.submit(&held.submission, turn.key, turn.part, valid_until), held.pushed.is_none());
            let submit = match submit {
                Ok(submit) => submit,
                Err(error) => {
                    self.parts.core.unsendable(turn, &error.to_string(), now);
                    continue;
                }
            };
            if first {
                let waited = Duration::from_millis(now.millis.0.saturating_sub(held.taken.0));
                self.parts.facts.metrics.push_delay.observe(waited.as_secs_f64());
            }
            if let Some(attempt) = self.parts.core.pushed(turn, &sequence.to_string(), now) {
                self.parts.facts.metrics.pushed(attempt);
                pushes.push(Push { turn, sequence, submit });
            }
        }
        if pushes.is_empty() {
            return;
        }
        let changes = self.parts.core.take_changes();
        let inbox = self.parts.inbox.0.clone();
        let turns: Vec<Turn> = pushes.iter().map(|push| push.turn).collect();
        let handed = self.parts.spool.write(changes, move |result| {
            let result = result.map_err(|unwritten| unwritten.error);
            // an account that has stopped sends nothing any more
            let _ = inbox.send(Inbox::Recorded { pushes, result });
        });
        match handed {
            Ok(()) => self.writing += 1,
            Err(_) => self.parts.core.withdrawn(turns, now),
        }
    }

    /// Sends what is recorded, if the login still lasts in which it has its place.
    fn send(&mut self, pushes: Vec<Push<P>>, now: Now) {
        let mut back = Vec::new();
        for Push { turn, sequence, submit } in pushes {
            let key = PartKey { message: turn.key, part: turn.part };
            let connection = self.parts.connections.get(&turn.place.connection);
            let sent = self.parts.core.lines.holds(turn.place)
                && connection.is_some_and(|connection| {
                    connection.try_send(Order::Submit { key, sequence, submit }).is_ok()
                });
            if !sent {
                back.push(turn);
            }
        }
        self.parts.core.withdrawn(back, now);
    }

    fn answer(&self, tickets: &[Ticket]) {
        for ticket in tickets {
            if let Some(connection) = self.parts.connections.get(&ticket.connection) {
                // a connection that is gone or full leaves the request unanswered: the carrier repeats it
                let _ = connection.try_send(Order::DeliverAnswer { ticket: ticket.number, code: 0 });
            }
        }
    }
}
