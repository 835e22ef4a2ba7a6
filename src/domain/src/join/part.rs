//! What is known of one part.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::event::ReportState;
use crate::{Carrier, Disposition, GatewayId, Millis};

/// Pushes of one part that are kept: those that the carrier has accepted, and the last. A carrier that says "not now" for
/// a day must not make a message grow.
pub(super) const MOST_PUSHES: usize = 16;

/// The keys of the JSON are short: it is read and written with each fact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// In the order of their identity.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub pushes: Vec<Push>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Reported>,
}

/// One push; what it is known by are its gateway, the epoch of that, and its sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Push {
    #[serde(rename = "g")]
    pub gateway: GatewayId,
    #[serde(rename = "e")]
    pub epoch: Millis,
    #[serde(rename = "s")]
    pub sequence: String,
    #[serde(rename = "c")]
    pub carrier: Carrier,
    /// `None`: only its answer is known.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    #[serde(rename = "a")]
    pub at: Millis,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub resp_sequence: Option<String>,
    #[serde(rename = "c")]
    pub code: u32,
    #[serde(rename = "d")]
    pub disposition: Disposition,
}

/// The best report that came for a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reported {
    #[serde(rename = "a")]
    pub at: Millis,
    #[serde(rename = "s")]
    pub state: ReportState,
    #[serde(rename = "w")]
    pub word: String,
    #[serde(rename = "y", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub report_sequence: Option<String>,
}

/// One part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartView {
    pub part: u8,
    pub push_sequence: Option<String>,
    pub pushed_at: Option<Millis>,
    /// How often it was pushed; 16 stands for more, too.
    pub pushes: u32,
    pub resp_sequence: Option<String>,
    pub code: Option<u32>,
    pub answered_at: Option<Millis>,
    pub report_sequence: Option<String>,
    pub word: Option<String>,
    pub reported_at: Option<Millis>,
}

impl Part {
    /// Whether it changed anything, as everywhere here.
    pub(super) fn push(&mut self, push: Push) -> bool {
        match self.pushes.binary_search_by(|known| known.identity().cmp(&push.identity())) {
            Ok(index) => self.pushes[index].merge(push),
            Err(index) => {
                self.pushes.insert(index, push);
                self.pushes.len() <= MOST_PUSHES || self.drop_least() != index
            }
        }
    }

    /// Delivered is better than failed, failed than waiting; of two that say the same the first counts.
    pub(super) fn report(&mut self, report: Reported) -> bool {
        better(&mut self.report, report, Reported::rank)
    }

    /// The push that is shown: one that the carrier has accepted, else the last.
    pub(super) fn shown(&self) -> Option<&Push> {
        self.pushes.iter().max_by_key(|push| push.rank())
    }

    /// The answer that is shown.
    pub(super) fn answer(&self) -> Option<&Answer> {
        self.shown().and_then(|push| push.answer.as_ref())
    }

    /// Whether the carrier has it: it has said so, or it reports about it.
    pub(super) fn is_taken(&self) -> bool {
        self.report.is_some() || self.shown().is_some_and(Push::is_accepted)
    }

    /// Its report, if no other is to follow.
    pub(super) fn last_report(&self) -> Option<&Reported> {
        self.report.as_ref().filter(|report| report.state != ReportState::Waiting)
    }

    /// The ids that a carrier has given it.
    pub(super) fn responses(&self) -> impl Iterator<Item = (&Carrier, &str)> {
        let accepted = self.pushes.iter().filter(|push| push.is_accepted());
        accepted.filter_map(|push| Some((&push.carrier, push.answer.as_ref()?.resp_sequence.as_deref()?)))
    }

    pub(super) fn view(&self, part: u8) -> PartView {
        let (push, answer, report) = (self.shown(), self.answer(), self.report.as_ref());
        PartView {
            part,
            push_sequence: push.map(|push| push.sequence.clone()),
            pushed_at: push.and_then(|push| push.at),
            pushes: u32::try_from(self.pushes.len()).unwrap_or(u32::MAX),
            resp_sequence: answer.and_then(|answer| answer.resp_sequence.clone()),
            code: answer.map(|answer| answer.code),
            answered_at: answer.map(|answer| answer.at),
            report_sequence: report.and_then(|report| report.report_sequence.clone()),
            word: report.map(|report| report.word.clone()),
            reported_at: report.map(|report| report.at),
        }
    }

    /// Where it was.
    fn drop_least(&mut self) -> usize {
        let least = (0..self.pushes.len()).min_by_key(|&index| self.pushes[index].rank()).unwrap_or(0);
        self.pushes.remove(least);
        least
    }
}

impl Push {
    fn identity(&self) -> (&GatewayId, Millis, &str) {
        (&self.gateway, self.epoch, &self.sequence)
    }

    fn merge(&mut self, other: Self) -> bool {
        let at = self.at.into_iter().chain(other.at).min();
        let carrier = other.carrier < self.carrier;
        let changed = at != self.at || carrier;
        self.at = at;
        if carrier {
            self.carrier = other.carrier;
        }
        let answered = other.answer.is_some_and(|answer| better(&mut self.answer, answer, Answer::rank));
        changed || answered
    }

    fn is_accepted(&self) -> bool {
        self.answer.as_ref().is_some_and(Answer::is_accepted)
    }

    fn rank(&self) -> impl Ord {
        let since = self.at.or_else(|| self.answer.as_ref().map(|answer| answer.at));
        (self.is_accepted(), since, self.identity())
    }
}

impl Answer {
    fn is_accepted(&self) -> bool {
        self.disposition == Disposition::Accepted
    }

    fn rank(&self) -> impl Ord + use<> {
        (self.is_accepted(), Reverse((self.at, self.disposition, self.code, self.resp_sequence.clone())))
    }
}

impl Reported {
    fn rank(&self) -> impl Ord + use<> {
        let state = match self.state {
            ReportState::Delivered => 2,
            ReportState::Failed => 1,
            ReportState::Waiting => 0,
        };
        let rest = (self.at, self.word.clone(), self.reason.clone(), self.report_sequence.clone());
        (state, Reverse(rest))
    }
}

/// Puts the higher of the two into `place`.
pub(super) fn better<T, R: Ord>(place: &mut Option<T>, other: T, rank: impl Fn(&T) -> R) -> bool {
    if place.as_ref().is_some_and(|known| rank(known) >= rank(&other)) {
        return false;
    }
    *place = Some(other);
    true
}
