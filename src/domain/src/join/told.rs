//! What an event does to a journey.

use serde::{Deserialize, Serialize};

use super::Journey;
use super::part::{Answer, Part, Push, Reported};
use crate::event::{Happened, Outcome};
use crate::{Carrier, GatewayId, Millis, Told};

/// How a gateway was done with it: the last that it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    #[serde(rename = "g")]
    pub gateway: GatewayId,
    #[serde(rename = "c")]
    pub carrier: Carrier,
    #[serde(rename = "a")]
    pub at: Millis,
    #[serde(rename = "o", flatten)]
    pub outcome: Outcome,
}

impl Journey {
    /// An event of which it is known that it is of this message. For a report that names no part, `part` is the one that
    /// the carrier has given its id to. Whether it changed anything.
    pub fn told(&mut self, told: &Told, part: Option<u8>) -> bool {
        let event = &told.event;
        let changed = match &event.happened {
            Happened::Pushed { part, parts, push_sequence, .. } => {
                self.total(*parts) | self.push(*part, push(told, push_sequence, Some(event.at), None))
            }
            Happened::Answered { part, push_sequence, resp_sequence, code, disposition, .. } => {
                let (code, disposition, resp_sequence) = (*code, *disposition, resp_sequence.clone());
                let answer = Answer { at: event.at, resp_sequence, code, disposition };
                self.push(*part, push(told, push_sequence, None, Some(answer)))
            }
            Happened::Finished { outcome, .. } => self.ended(Ended {
                gateway: event.gateway.clone(),
                carrier: told.carrier.clone(),
                at: event.at,
                outcome: outcome.clone(),
            }),
            Happened::Reported { report_sequence, part: named, state, word, reason, .. } => {
                let report = Reported {
                    at: event.at,
                    state: *state,
                    word: word.clone(),
                    reason: reason.clone(),
                    report_sequence: report_sequence.clone(),
                };
                match named.filter(|&named| named > 0).or(part).and_then(|part| self.part(part)) {
                    Some(part) => part.report(report),
                    None => false,
                }
            }
            Happened::Mo { .. }
            | Happened::MoIncomplete { .. }
            | Happened::UserState { .. }
            | Happened::LinkUp { .. }
            | Happened::LinkDown { .. } => return false,
        };
        self.seen(event.at) | changed
    }

    /// The number of parts; of two the higher one.
    fn total(&mut self, parts: u8) -> bool {
        let higher = parts > self.total;
        self.total = self.total.max(parts);
        higher
    }

    fn push(&mut self, part: u8, push: Push) -> bool {
        self.part(part).is_some_and(|part| part.push(push))
    }

    /// There is no part 0.
    fn part(&mut self, part: u8) -> Option<&mut Part> {
        let index = usize::from(part).checked_sub(1)?;
        if self.parts.len() <= index {
            self.parts.resize_with(index + 1, Part::default);
        }
        self.parts.get_mut(index)
    }

    fn ended(&mut self, ended: Ended) -> bool {
        match self.ended.binary_search_by(|known| known.gateway.cmp(&ended.gateway)) {
            Ok(index) if self.ended[index].later() >= ended.later() => false,
            Ok(index) => {
                self.ended[index] = ended;
                true
            }
            Err(index) => {
                self.ended.insert(index, ended);
                true
            }
        }
    }

    fn seen(&mut self, at: Millis) -> bool {
        let earlier = self.seen.is_none_or(|seen| at < seen);
        if earlier {
            self.seen = Some(at);
        }
        earlier
    }
}

impl Ended {
    /// The later one counts: a gateway that was uncertain may have learnt better.
    fn later(&self) -> impl Ord {
        let (rank, code, reason) = match &self.outcome {
            Outcome::Accepted => (3, None, ""),
            Outcome::Uncertain => (2, None, ""),
            Outcome::Refused { code, reason } => (1, *code, reason.as_str()),
            Outcome::Expired => (0, None, ""),
        };
        (self.at, rank, code, reason, &self.carrier)
    }
}

fn push(told: &Told, sequence: &str, at: Option<Millis>, answer: Option<Answer>) -> Push {
    Push {
        gateway: told.event.gateway.clone(),
        epoch: told.event.epoch,
        sequence: sequence.to_owned(),
        carrier: told.carrier.clone(),
        at,
        answer,
    }
}
