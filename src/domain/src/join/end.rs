//! The end of a message, out of what is known of it.

use super::Journey;
use super::part::Part;
use crate::event::{Outcome, ReportState};
use crate::{FinalState, GatewayId};

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub state: FinalState,
    /// The carrier's word or code.
    pub word: Option<String>,
    /// For people: English (Chinese).
    pub reason: Option<String>,
}

const EXPIRED: &str = "its time was over before it was sent (超过有效期,未发送)";
const UNCERTAIN: &str = "it is not known whether the carrier has it (不能确定运营商是否已收到)";
const UNKNOWN: &str = "no report came in time (未按时收到状态报告)";

impl Journey {
    /// How it ended, by the first line that holds; a carrier's reports are better than what a gateway thinks:
    ///
    /// | line | what is known | end |
    /// |---|---|---|
    /// | 1 | every part is reported as delivered | `Delivered` |
    /// | 2 | every part has its last report, and one of them is not delivered | `Failed`, with the word of the first such part |
    /// | 3 | the carrier has taken every part, or a gateway has said so | as lines 7 to 9 |
    /// | 4 | a gateway does not know; or one had it refused or let it expire, and another one has pushed a part and not said how it ended | `Uncertain` |
    /// | 5 | a gateway had it refused | `Refused`, with the carrier's code |
    /// | 6 | its time was over at all gateways that had it | `Expired` |
    /// | 7 | a report was waited for too long, and a part is not delivered | `Failed` |
    /// | 8 | it was waited for too long | `Unknown` |
    /// | 9 | otherwise | none yet |
    ///
    /// A part that is reported about is taken, whatever was answered. How many parts there are is known from their
    /// pushes.
    #[must_use]
    pub fn end(&self) -> Option<End> {
        if self.all(|part| part.last_report().is_some()) {
            return Some(self.failed().unwrap_or_else(|| self.delivered()));
        }
        let outcome = if self.all(Part::is_taken) { None } else { self.outcome() };
        match outcome {
            Some(Outcome::Refused { code, reason }) => {
                let word = code.map(|code| code.to_string());
                return Some(End { state: FinalState::Refused, word, reason: Some(reason.clone()) });
            }
            Some(Outcome::Uncertain) => return Some(plain(FinalState::Uncertain, UNCERTAIN)),
            Some(Outcome::Expired) => return Some(plain(FinalState::Expired, EXPIRED)),
            Some(Outcome::Accepted) | None => {}
        }
        self.overdue.then(|| self.failed().unwrap_or_else(|| plain(FinalState::Unknown, UNKNOWN)))
    }

    fn delivered(&self) -> End {
        let word = self.parts.first().and_then(Part::last_report).map(|report| report.word.clone());
        End { state: FinalState::Delivered, word, reason: None }
    }

    fn failed(&self) -> Option<End> {
        let mut reports = self.parts.iter().filter_map(Part::last_report);
        let failed = reports.find(|report| report.state == ReportState::Failed)?;
        let word = Some(failed.word.clone());
        Some(End { state: FinalState::Failed, word, reason: failed.reason.clone() })
    }

    /// Of all gateways that had it, the best; of two that are as good, the later one.
    fn outcome(&self) -> Option<&Outcome> {
        let best =
            self.ended.iter().max_by_key(|ended| (goodness(&ended.outcome), ended.at, &ended.gateway))?;
        match best.outcome {
            Outcome::Refused { .. } | Outcome::Expired if self.another_may_have_sent_it() => {
                Some(&Outcome::Uncertain)
            }
            _ => Some(&best.outcome),
        }
    }

    fn another_may_have_sent_it(&self) -> bool {
        let done = |gateway: &GatewayId| self.ended.iter().any(|ended| ended.gateway == *gateway);
        self.parts.iter().flat_map(|part| &part.pushes).any(|push| !done(&push.gateway))
    }
}

fn goodness(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::Accepted => 3,
        Outcome::Uncertain => 2,
        Outcome::Refused { .. } => 1,
        Outcome::Expired => 0,
    }
}

fn plain(state: FinalState, reason: &str) -> End {
    End { state, word: None, reason: Some(reason.to_owned()) }
}
