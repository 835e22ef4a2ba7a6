//! The state of one account, and what follows from each thing that happens to it. No I/O: what must be durable is
//! collected as changes for the spool.

mod held;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use domain::event::{Attempt, Outcome};
use domain::lifecycle::{Answered, Delivery, Part};
use domain::{Disposition, Event, Happened, Meaning, Millis, Submission};
use store::spool::Change;
use wire::exchange::Answer;

use crate::account::lines::Lines;
use crate::account::memory::{Known, Memory};
use crate::account::pace::Pace;
use crate::account::queue::{Key, Queue};
use crate::account::verdict::Verdict;
use crate::clock::Now;

pub use held::{Finished, Held, Judged, Settings, Turn, parts, progress};

/// Answered parts that are remembered for their reports.
const REMEMBERED: usize = 200_000;

/// How often a carrier may say "later" to one part: with the longest pause of the defaults, for a day. Some mean "not
/// before eight in the morning".
const LATER_TRIES: u16 = 300;

/// How often a part may get lost before it is not sent again.
const MOST_LOSSES: u16 = 10;

/// One account.
#[derive(Debug)]
pub struct Core {
    settings: Settings,
    pub lines: Lines,
    pub pace: Pace,
    pub verdict: Verdict,
    messages: BTreeMap<Key, Held>,
    queue: Queue,
    memory: Memory,
    changes: Vec<Change>,
    finished: Vec<Finished>,
    held_up: Option<Instant>,
    stopping: bool,
}

impl Core {
    #[must_use]
    pub fn new(settings: Settings, lines: Lines, now: Now) -> Self {
        Self {
            pace: Pace::new(settings.rate, settings.slow_down, now.instant),
            verdict: Verdict::new(now.instant),
            memory: Memory::new(REMEMBERED),
            settings,
            lines,
            messages: BTreeMap::new(),
            queue: Queue::default(),
            changes: Vec::new(),
            finished: Vec::new(),
            held_up: None,
            stopping: false,
        }
    }

    /// A message is the account's from now on; it is in the spool already.
    pub fn take(&mut self, key: Key, submission: Submission, delivery: Delivery, taken: Millis, now: Now) {
        if let Some(end) = submission.not_after {
            self.queue.end_at(key, end);
        }
        let held = Held {
            submission,
            delivery,
            taken,
            pushed: None,
            pushes: 0,
            uncertain_pushes: 0,
            resp_sequences: Vec::new(),
            losses: 0,
            refusal: None,
        };
        self.messages.insert(key, held);
        self.settle(key, None, now);
    }

    /// A message of the run before: what was pushed and not answered then is lost.
    pub fn recover(
        &mut self,
        key: Key,
        submission: Submission,
        mut delivery: Delivery,
        taken: Millis,
        now: Now,
    ) {
        if delivery.recover() > 0 {
            self.changes.push(Change::Progress { key, progress: progress(&delivery) });
        }
        self.take(key, submission, delivery, taken, now);
    }

    #[must_use]
    pub fn message(&self, key: Key) -> Option<&Held> {
        self.messages.get(&key)
    }

    /// Whose turn it is now, if a window, the rate and the hours allow one.
    pub fn turn(&mut self, now: Now) -> Option<Turn> {
        let open = !self.stopping
            && self.held_up.is_none_or(|until| until <= now.instant)
            && self.settings.hours.wait(now.stamp).is_zero()
            && self.lines.has_place();
        if !open {
            return None;
        }
        loop {
            let key = self.queue.first(now.instant)?;
            let Some((part, _)) = self.messages.get(&key).and_then(|held| held.delivery.next()) else {
                self.queue.remove(key);
                continue;
            };
            if !self.pace.take(now.instant) {
                return None;
            }
            let place = self.lines.take()?;
            return Some(Turn { place, key, part });
        }
    }

    /// The part goes out under `push_sequence`, once the changes are durable. `false` if it is not to be.
    pub fn pushed(&mut self, turn: Turn, push_sequence: &str, now: Now) -> bool {
        let held = self.messages.get_mut(&turn.key);
        let pushed = held.and_then(|held| Some((held.delivery.pushed(turn.part, push_sequence).ok()?, held)));
        let Some((attempt, held)) = pushed else {
            self.lines.give_back(turn.place);
            return false;
        };
        held.pushed.get_or_insert(now.millis);
        let happened = Happened::Pushed {
            uaop_id: held.submission.uaop_id.clone(),
            part: turn.part,
            parts: parts(&held.delivery),
            push_sequence: push_sequence.to_owned(),
            attempt,
        };
        if held.delivery.next().is_none() {
            self.queue.remove(turn.key);
        }
        self.changed(turn.key, happened, now);
        true
    }

    /// The part has been handed to its connection. Says why it was pushed.
    pub fn sent(&mut self, turn: Turn) -> Option<Attempt> {
        let held = self.messages.get_mut(&turn.key)?;
        let index = usize::from(turn.part).checked_sub(1)?;
        let Part::Pushed { attempt, .. } = *held.delivery.parts().get(index)? else { return None };
        held.pushes += 1;
        held.uncertain_pushes += u32::from(attempt == Attempt::Uncertain);
        Some(attempt)
    }

    /// The message cannot be made into a submit (the account's rules are others than when it was taken).
    pub fn unsendable(&mut self, turn: Turn, reason: &str, now: Now) {
        self.lines.give_back(turn.place);
        self.finish(turn.key, Outcome::Refused { code: None, reason: reason.to_owned() }, now);
    }

    /// Nothing of these parts has left, and nothing will; that they were about to was recorded.
    pub fn withdrawn(&mut self, turns: impl IntoIterator<Item = Turn>, now: Now) {
        for turn in turns {
            if let Some(progress) = self.take_back(turn, now) {
                self.changes.push(Change::Progress { key: turn.key, progress });
            }
        }
    }

    /// As [`Core::withdrawn`], where it could not even be recorded: the spool still has what was before.
    pub fn unrecorded(&mut self, turns: impl IntoIterator<Item = Turn>, now: Now) {
        for turn in turns {
            self.take_back(turn, now);
        }
    }

    /// The carrier has answered a part.
    pub fn answered(&mut self, turn: Turn, answer: Answer, meaning: Meaning, now: Now) -> Option<Judged> {
        let disposition = meaning.disposition;
        self.lines.give_back(turn.place);
        let bad = matches!(disposition, Disposition::Later | Disposition::Final);
        let alarm = self.verdict.judge(bad, now.instant);
        let slowed = disposition == Disposition::SlowDown && self.pace.slow_down(now.instant);
        let held = self.messages.get_mut(&turn.key)?;
        let index = usize::from(turn.part).checked_sub(1)?;
        let Part::Pushed { push_sequence, tries, .. } = held.delivery.parts().get(index)? else {
            return None;
        };
        let (push_sequence, tries) = (push_sequence.clone(), *tries);
        let accepted = disposition == Disposition::Accepted;
        let resp_sequence = answer.id.filter(|_| accepted).map(|id| id.to_string());
        let answered = held
            .delivery
            .answered(turn.part, &push_sequence, answer.code, disposition, resp_sequence.clone(), LATER_TRIES)
            .ok()?;
        let uaop_id = held.submission.uaop_id.clone();
        if answered == Answered::Refused {
            held.refusal = Some(meaning);
        }
        if let Some(id) = answer.id.filter(|_| accepted) {
            held.resp_sequences.extend(resp_sequence.clone());
            let known = Known { uaop_id: uaop_id.clone(), part: turn.part, answered: now.instant };
            self.memory.remember(id, known);
        }
        let happened = Happened::Answered {
            uaop_id,
            part: turn.part,
            push_sequence,
            resp_sequence,
            code: answer.code,
            disposition,
        };
        self.changed(turn.key, happened, now);
        let pause = (answered == Answered::Again && disposition == Disposition::Later)
            .then(|| now.instant + self.pause(tries));
        self.settle(turn.key, pause, now);
        Some(Judged { slowed, alarm })
    }

    /// Nobody knows what became of these parts. The alarm about bad answers, if it has changed.
    pub fn lost(&mut self, turns: impl IntoIterator<Item = Turn>, now: Now) -> Option<bool> {
        let mut alarm = None;
        for Turn { place, key, part } in turns {
            self.lines.give_back(place);
            alarm = self.verdict.judge(true, now.instant).or(alarm);
            let Some(held) = self.messages.get_mut(&key) else { continue };
            let mut pause = None;
            if held.delivery.lost(part).is_ok() {
                held.losses = held.losses.saturating_add(1);
                if held.losses >= MOST_LOSSES {
                    held.delivery.expire();
                }
                // once may be the line's fault; from the second time on it may be the message's
                pause = held.losses.checked_sub(2);
                self.changes.push(Change::Progress { key, progress: progress(&held.delivery) });
            }
            let from = pause.map(|losses| now.instant + self.pause(losses));
            self.settle(key, from, now);
        }
        alarm
    }

    /// Ends the messages whose time is over.
    pub fn expire(&mut self, now: Now) {
        while let Some(key) = self.queue.ended(now.millis) {
            let Some(held) = self.messages.get_mut(&key) else { continue };
            held.delivery.expire();
            self.changes.push(Change::Progress { key, progress: progress(&held.delivery) });
            self.settle(key, None, now);
        }
    }

    /// Whose a report is, if it is remembered.
    #[must_use]
    pub fn recall(&self, id: &wire::exchange::MessageId) -> Option<&Known> {
        self.memory.recall(id)
    }

    /// Something the UAOPs must be told.
    pub fn event(&self, happened: Happened, now: Now) -> Event {
        Event {
            gateway: self.settings.gateway.clone(),
            epoch: self.settings.epoch,
            account: self.settings.account.clone(),
            at: now.millis,
            happened,
        }
    }

    /// No part is pushed for this long: the spool cannot write.
    pub fn hold_up(&mut self, until: Instant) {
        self.held_up = Some(until);
    }

    /// No part is pushed any more.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// What must become durable since the last call.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Brings changes that could not be written up to date: each message's progress as it is now, once.
    pub fn renew(&self, changes: &mut Vec<Change>) {
        let mut keys = BTreeSet::new();
        // a finished one's progress is of no use, and may be older than what is there
        changes.retain(|change| match change {
            Change::Progress { key, .. } => self.messages.contains_key(key) && keys.insert(*key),
            _ => true,
        });
        for change in changes.iter_mut() {
            if let Change::Progress { key, progress: text } = change
                && let Some(held) = self.messages.get(key)
            {
                *text = progress(&held.delivery);
            }
        }
    }

    /// Messages finished since the last call.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }

    /// When something is due without anything happening. `expiring`: the time of day can be trusted to end messages by it.
    #[must_use]
    pub fn deadline(&self, now: Now, expiring: bool) -> Option<Instant> {
        let sending = self.lines.has_place() && self.queue.has_ready(now.instant) && !self.stopping;
        let pace = sending.then(|| self.pace.next(now.instant)).flatten();
        let hours =
            sending.then(|| now.instant + self.settings.hours.wait(now.stamp)).filter(|&at| at > now.instant);
        let held_up = self.held_up.filter(|&until| until > now.instant);
        let end = self.queue.next_end().filter(|_| expiring).map(|end| {
            now.instant + Duration::from_millis(end.0.saturating_sub(now.millis.0).saturating_add(1))
        });
        let due = pace.max(hours).max(held_up.filter(|_| sending));
        [due, self.queue.next_later(now.instant), end].into_iter().flatten().min()
    }

    /// Messages that wait for their turn, and the age of the oldest.
    #[must_use]
    pub fn waiting(&self, now: Millis) -> (usize, Duration) {
        let oldest =
            self.queue.oldest().and_then(|key| self.messages.get(&key)).map_or(now, |held| held.taken);
        (self.queue.len(), Duration::from_millis(now.0.saturating_sub(oldest.0)))
    }

    /// Messages that are not finished.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.messages.len()
    }

    /// The part waits again, as before its push. Its progress, if it was pushed.
    fn take_back(&mut self, turn: Turn, now: Now) -> Option<String> {
        self.lines.give_back(turn.place);
        let held = self.messages.get_mut(&turn.key)?;
        let progress = held.delivery.withdrawn(turn.part).is_ok().then(|| progress(&held.delivery));
        self.settle(turn.key, None, now);
        progress
    }

    /// Back into the queue, or finished, or neither: as its parts say.
    fn settle(&mut self, key: Key, from: Option<Instant>, now: Now) {
        let Some(held) = self.messages.get(&key) else { return };
        if let Some(outcome) = held.delivery.outcome() {
            self.finish(key, outcome, now);
        } else if held.delivery.next().is_some() {
            // what waits for a moment goes on waiting, whatever becomes of the other parts
            let from = from.max(self.queue.waits_until(key));
            self.queue.put(key, held.submission.priority, from);
        } else {
            self.queue.remove(key);
        }
    }

    fn finish(&mut self, key: Key, mut outcome: Outcome, now: Now) {
        let Some(held) = self.messages.remove(&key) else { return };
        if let (Outcome::Refused { reason, .. }, Some(meaning)) = (&mut outcome, held.refusal) {
            *reason = meaning.to_string();
        }
        self.queue.forget(key, held.submission.not_after);
        let happened =
            Happened::Finished { uaop_id: held.submission.uaop_id.clone(), outcome: outcome.clone() };
        let event = self.event(happened, now);
        self.changes.push(Change::Event(event));
        self.changes.push(Change::Finish { key, outcome: outcome.clone(), at: now.millis });
        self.finished.push(Finished { held, outcome });
    }

    fn changed(&mut self, key: Key, happened: Happened, now: Now) {
        let Some(held) = self.messages.get(&key) else { return };
        let progress = progress(&held.delivery);
        let event = self.event(happened, now);
        self.changes.push(Change::Progress { key, progress });
        self.changes.push(Change::Event(event));
    }

    fn pause(&self, tries: u16) -> Duration {
        let factor = 2_u32.saturating_pow(u32::from(tries));
        self.settings.retry.first.saturating_mul(factor).min(self.settings.retry.most)
    }
}
