//! What is in whose hands; where is to be read next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Millis, Submission, UaopId};
use tokio::time::Instant;

use crate::Verdict;
use crate::pool::{Item, Pause};

/// Messages that nobody takes at present, in windows.
const PUT_OFF: usize = 4;
/// Of so many looks back, one goes to the start.
const FAR: u32 = 20;

#[derive(Debug)]
pub(super) struct Books {
    window: usize,
    page: usize,
    /// Read, and not yet forgotten by the shelf.
    held: BTreeSet<i64>,
    /// Read before, and put off until then.
    put_off: BTreeMap<(Instant, i64), PutOff>,
    /// Whether there may be something after `ahead`.
    fresh: bool,
    /// Everything that was visible up to here was read.
    ahead: i64,
    /// `ahead` at the last two looks back.
    trail: (i64, i64),
    /// A look back goes on from here.
    behind: Option<i64>,
    looks: u32,
    /// What was there at the start is being read.
    old: bool,
    /// Being read now.
    reading: usize,
    /// Forgotten by the shelf while it was read: what is being read may still show them.
    gone: BTreeSet<i64>,
    done: Done,
    /// Being written now.
    writing: usize,
}

#[derive(Debug)]
struct PutOff {
    item: Item<i64>,
    pause: Pause,
}

/// What the shelf does not know yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    pub places: Vec<i64>,
    pub taken: Vec<UaopId>,
    pub refused: Vec<(Submission, String)>,
}

/// A page that is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub after: i64,
    pub most: usize,
    back: bool,
}

/// Messages that are to be offered, with what they have waited.
pub(super) type Batch = (Vec<Item<i64>>, BTreeMap<i64, Pause>);

impl Books {
    pub(super) fn new(window: usize) -> Self {
        let window = window.max(1);
        Self {
            window,
            page: (window / 4).clamp(1, 256),
            held: BTreeSet::new(),
            put_off: BTreeMap::new(),
            fresh: true,
            ahead: 0,
            trail: (0, 0),
            behind: None,
            looks: 0,
            old: true,
            reading: 0,
            gone: BTreeSet::new(),
            done: Done::default(),
            writing: 0,
        }
    }

    /// Something new waits.
    pub(super) fn ring(&mut self) {
        self.fresh = true;
    }

    /// It is time to look back. Whoever holds nothing looks from the start in any case.
    pub(super) fn look_back(&mut self) {
        self.looks = (self.looks + 1) % FAR;
        if self.held.is_empty() {
            self.fresh |= self.looks.is_multiple_of(FAR / 2);
        } else if self.behind.is_none() {
            self.behind = Some(if self.looks == 0 { 0 } else { self.trail.0 });
        }
        self.trail = (self.trail.1, self.ahead);
    }

    /// What is to be read now, if anything is and there is room.
    pub(super) fn next_page(&mut self) -> Option<Page> {
        if self.held.is_empty() {
            (self.ahead, self.trail, self.behind) = (0, (0, 0), None);
        }
        let full = self.in_window() + self.page > self.window || self.put_off.len() >= PUT_OFF * self.window;
        let page = match self.behind {
            _ if full || self.reading > 0 => return None,
            _ if self.fresh => Page { after: self.ahead, most: self.page, back: false },
            Some(behind) => Page { after: behind, most: self.page, back: true },
            None => return None,
        };
        if !page.back {
            self.fresh = false;
        }
        self.reading = page.most;
        Some(page)
    }

    fn in_window(&self) -> usize {
        self.held.len() - self.put_off.len() + self.reading
    }

    /// A page was read. Returns what is to be offered; what is too late is refused.
    pub(super) fn read(&mut self, page: Page, found: Vec<(i64, Submission)>, now: Millis) -> Vec<Item<i64>> {
        self.reading = 0;
        let short = found.len() < page.most;
        let last = found.last().map_or(page.after, |(place, _)| *place);
        let again = self.old;
        if page.back {
            self.behind = (!short && last < self.ahead).then_some(last);
        } else {
            self.fresh |= !short;
            self.old &= !short;
        }
        self.ahead = self.ahead.max(last);
        let mut items = Vec::new();
        let gone = std::mem::take(&mut self.gone);
        for (place, submission) in found {
            if !gone.contains(&place) && self.held.insert(place) {
                let item = Item { place, submission, again };
                items.extend(self.unless_late(item, now));
            }
        }
        items
    }

    /// It could not be read.
    pub(super) fn not_read(&mut self, page: Page) {
        self.reading = 0;
        self.gone.clear();
        self.fresh |= !page.back;
    }

    fn unless_late(&mut self, item: Item<i64>, now: Millis) -> Option<Item<i64>> {
        if item.submission.not_after.is_none_or(|not_after| now <= not_after) {
            return Some(item);
        }
        self.refuse(item, "its time was over before anybody could take it".to_owned());
        None
    }

    fn refuse(&mut self, item: Item<i64>, reason: String) {
        self.done.places.push(item.place);
        self.done.refused.push((item.submission, reason));
    }

    /// A verdict.
    pub(super) fn verdict(
        &mut self,
        item: Item<i64>,
        verdict: Verdict,
        mut pause: Pause,
        now: Instant,
        jittered: impl FnOnce(Duration) -> Duration,
    ) {
        match verdict {
            Verdict::Taken { .. } => {
                self.done.places.push(item.place);
                self.done.taken.push(item.submission.uaop_id);
            }
            Verdict::Refused { reason } => self.refuse(item, reason),
            Verdict::Later { .. } | Verdict::InDoubt { .. } => {
                let until = now + jittered(pause.next());
                self.put_off.insert((until, item.place), PutOff { item, pause });
            }
        }
    }

    /// When something that was put off is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let room = self.in_window() < self.window;
        self.put_off.keys().next().filter(|_| room).map(|(until, _)| *until)
    }

    /// What was put off and is due; what is too late is refused.
    pub(super) fn due(&mut self, now: Instant, wall: Millis) -> Option<Batch> {
        let (mut items, mut pauses) = (Vec::new(), BTreeMap::new());
        while items.len() < self.page && self.in_window() < self.window {
            let Some(first) = self.put_off.first_entry().filter(|entry| entry.key().0 <= now) else { break };
            let PutOff { item, pause } = first.remove();
            if let Some(item) = self.unless_late(item, wall) {
                pauses.insert(item.place, pause);
                items.push(item);
            }
        }
        (!items.is_empty()).then_some((items, pauses))
    }

    /// What is to be written now; then nothing, until [`Books::written`].
    pub(super) fn next_done(&mut self) -> Option<Done> {
        if self.writing > 0 || self.done.places.is_empty() {
            return None;
        }
        self.writing = self.done.places.len();
        Some(std::mem::take(&mut self.done))
    }

    /// The shelf has forgotten them.
    pub(super) fn written(&mut self, places: &[i64]) {
        self.writing = 0;
        for place in places {
            self.held.remove(place);
        }
        if self.reading > 0 {
            self.gone.extend(places);
        }
        // what became visible late is found at once where nothing else is to do
        self.fresh |= self.held.is_empty();
    }

    /// Whether the shelf knows all verdicts.
    pub(super) fn is_written(&self) -> bool {
        self.writing == 0 && self.done.places.is_empty()
    }
}
