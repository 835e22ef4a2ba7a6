//! All that is known of one message.

use serde::{Deserialize, Serialize};

use super::part::{Part, PartView, Push};
use super::told::Ended;
use crate::{Carrier, Class, EmpiId, FinalState, GatewayId, MessageCopy, Millis, Report};

/// All that is known of one message. Its JSON is small: it is stored with each change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// The first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) copy: Option<MessageCopy>,
    /// The first being part 1; up to the last that something is known of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<Part>,
    /// How many parts there are; 0 = not known.
    #[serde(default)]
    pub(super) total: u8,
    /// One for each gateway, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ended: Vec<Ended>,
    /// The first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<Millis>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) overdue: bool,
    /// The last revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<Report>,
}

/// How a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A UAOP has routed it.
    Routed,
    /// A part was pushed to the carrier.
    Pushed,
    /// The carrier has taken every part.
    Answered,
    Final(FinalState),
}

/// What a message counts for in the figures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// Of the copy.
    pub at: Millis,
    pub empi: EmpiId,
    pub class: Class,
    pub carrier: Option<Carrier>,
    /// Parts that were pushed.
    pub parts: u8,
    pub state: Option<FinalState>,
}

impl Journey {
    /// A copy came. Whether it changed anything: of several the first one counts.
    pub fn copied(&mut self, copy: &MessageCopy) -> bool {
        let earlier = self.copy.as_ref().is_none_or(|known| earlier(copy, known));
        if earlier {
            self.copy = Some(copy.clone());
        }
        earlier
    }

    /// A report was waited for too long. Whether that changed anything: it does not unless there is one to wait for.
    pub fn give_up(&mut self) -> bool {
        let waits = self.waits();
        self.overdue |= waits;
        waits
    }

    /// The next revision of its report, if its end is another one than that of the last, and its bank wants it. To be
    /// published when the journey that it is of is durable.
    pub fn conclude(&mut self, now: Millis) -> Option<Report> {
        let end = self.end()?;
        let submission = &self.copy.as_ref()?.submission;
        let last = self.report.as_ref();
        if last
            .is_some_and(|last| (last.state, &last.word, &last.reason) == (end.state, &end.word, &end.reason))
        {
            return None;
        }
        let report = Report {
            uaop_id: submission.uaop_id.clone(),
            empi_id: submission.empi_id.clone(),
            revision: last.map_or(0, |last| last.revision).saturating_add(1),
            state: end.state,
            word: end.word,
            reason: end.reason,
            to: submission.to.clone(),
            parts: self.sent(),
            gateway: self.gateway().cloned(),
            carrier: self.carrier().cloned(),
            answered_at: self.answered_at(),
            at: now,
        };
        let wanted = submission.report;
        self.report = Some(report.clone());
        wanted.then_some(report)
    }

    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.end() {
            Some(end) => Stage::Final(end.state),
            None if self.all(Part::is_taken) => Stage::Answered,
            None if self.sent() > 0 => Stage::Pushed,
            None => Stage::Routed,
        }
    }

    /// Whether its bank waits for a report that has not come.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.copy.as_ref().is_some_and(|copy| copy.submission.report) && self.end().is_none()
    }

    /// Whether anything about it is to come: a report that somebody waits for, or the carrier's answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.stage() {
            Stage::Routed | Stage::Pushed => true,
            Stage::Answered => self.copy.as_ref().is_none_or(|copy| copy.submission.report),
            Stage::Final(_) => false,
        }
    }

    /// `None`: events came, but no copy yet.
    #[must_use]
    pub fn copy(&self) -> Option<&MessageCopy> {
        self.copy.as_ref()
    }

    /// When it was copied, or while it was not, the first event.
    #[must_use]
    pub fn at(&self) -> Millis {
        self.copy.as_ref().map(|copy| copy.at).or(self.seen).unwrap_or_default()
    }

    /// The last one that was concluded.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// Who sent it, or was the last to be done with it without sending it.
    #[must_use]
    pub fn gateway(&self) -> Option<&GatewayId> {
        self.first_push().map(|push| &push.gateway).or_else(|| self.last_ended().map(|ended| &ended.gateway))
    }

    /// Whose gateway that is.
    #[must_use]
    pub fn carrier(&self) -> Option<&Carrier> {
        self.first_push().map(|push| &push.carrier).or_else(|| self.last_ended().map(|ended| &ended.carrier))
    }

    #[must_use]
    pub fn parts(&self) -> Vec<PartView> {
        (1..=u8::MAX).zip(&self.parts).map(|(number, part)| part.view(number)).collect()
    }

    /// Each id that a carrier has given a part of it.
    pub fn responses(&self) -> impl Iterator<Item = (&Carrier, &str, u8)> {
        (1..=u8::MAX).zip(&self.parts).flat_map(|(number, part)| {
            part.responses().map(move |(carrier, response)| (carrier, response, number))
        })
    }

    /// `None`: there is no copy yet.
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        let copy = self.copy.as_ref()?;
        Some(Tally {
            at: copy.at,
            empi: copy.submission.empi_id.clone(),
            class: copy.submission.class.clone(),
            carrier: self.carrier().cloned(),
            parts: self.sent(),
            state: self.end().map(|end| end.state),
        })
    }

    /// Whether it is known how many parts there are, and this is so for each of them.
    pub(super) fn all(&self, is_so: impl Fn(&Part) -> bool) -> bool {
        let total = usize::from(self.total);
        total > 0 && self.parts.len() >= total && self.parts[..total].iter().all(is_so)
    }

    fn sent(&self) -> u8 {
        let sent = self.parts.iter().filter(|part| !part.pushes.is_empty()).count();
        u8::try_from(sent).unwrap_or(u8::MAX)
    }

    fn answered_at(&self) -> Option<Millis> {
        self.parts.iter().filter_map(Part::answer).map(|answer| answer.at).max()
    }

    /// Of the first part that was pushed.
    fn first_push(&self) -> Option<&Push> {
        self.parts.iter().find_map(Part::shown)
    }

    fn last_ended(&self) -> Option<&Ended> {
        self.ended.iter().max_by_key(|ended| (ended.at, &ended.gateway))
    }
}

/// Both are of one message, so that mostly it is the time that differs.
fn earlier(one: &MessageCopy, other: &MessageCopy) -> bool {
    fn key(copy: &MessageCopy) -> (Millis, &str, &str, &str, &str) {
        let MessageCopy { at, site, uaop, submission } = copy;
        (*at, site, uaop, &submission.text.0, submission.to.digits())
    }
    key(one) < key(other)
}
