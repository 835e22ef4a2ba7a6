//! All parts of a message, what may happen to them, and how the message ends.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::{Part, WhenUncertain};
use crate::Disposition;
use crate::event::{Attempt, Outcome};

/// The life of one message at a gateway. Its JSON is small: it is stored with each change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// 1 to 255; the first is part 1.
    #[serde(deserialize_with = "one_to_255")]
    pub(super) parts: Vec<Part>,
    policy: WhenUncertain,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) expired: bool,
}

/// What an answer of the carrier did to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// The carrier has the part; also by a late answer, to a push that was taken for lost.
    Accepted,
    /// The part waits again.
    Again,
    /// The part is refused: for good, or for now once too often.
    Refused,
    /// The answer is to an earlier push and says nothing that counts. Nothing has changed.
    Late,
}

/// Why an operation did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LifecycleError {
    #[error("the message has no part {0}")]
    NoSuchPart(u8),
    #[error("part {0} does not wait to be pushed")]
    NotWaiting(u8),
    #[error("part {0} is not pushed")]
    NotPushed(u8),
    #[error("a part is refused or the time is over: nothing is sent any more")]
    Over,
}

impl Delivery {
    /// A message that nothing has been sent of. `parts` from 1; 0 is taken as 1.
    #[must_use]
    pub fn new(parts: u8, policy: WhenUncertain) -> Self {
        Self { parts: vec![Part::NEW; usize::from(parts.max(1))], policy, expired: false }
    }

    /// The parts, the first being part 1.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    #[must_use]
    pub fn policy(&self) -> WhenUncertain {
        self.policy
    }

    /// Whether nothing of it was ever pushed, and its time is not over.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        !self.expired && self.parts.iter().all(|part| *part == Part::NEW)
    }

    /// Whether it was ended as a whole, by its time or by somebody.
    #[must_use]
    pub fn expired(&self) -> bool {
        self.expired
    }

    /// The lowest part to push, and why it is pushed; `None` while there is none.
    #[must_use]
    pub fn next(&self) -> Option<(u8, Attempt)> {
        if self.over() {
            return None;
        }
        self.numbered().find_map(|(number, part)| match part {
            Part::Waiting { attempt, .. } => Some((number, *attempt)),
            Part::Pushed { .. } | Part::Accepted { .. } | Part::Refused { .. } | Part::Uncertain => None,
        })
    }

    /// `part` is about to go out under `push_sequence`. Says why it is pushed.
    ///
    /// # Errors
    /// There is no such part, it does not wait, or nothing is sent any more.
    pub fn pushed(&mut self, part: u8, push_sequence: &str) -> Result<Attempt, LifecycleError> {
        let over = self.over();
        let place = self.part_mut(part)?;
        let Part::Waiting { attempt, tries } = *place else {
            return Err(LifecycleError::NotWaiting(part));
        };
        if over {
            return Err(LifecycleError::Over);
        }
        *place = Part::Pushed { push_sequence: push_sequence.to_owned(), attempt, tries };
        Ok(attempt)
    }

    /// The push of `part` was recorded, but certainly nothing of it has left: it waits as before.
    ///
    /// # Errors
    /// There is no such part, or it is not pushed.
    pub fn withdrawn(&mut self, part: u8) -> Result<(), LifecycleError> {
        let place = self.part_mut(part)?;
        let Part::Pushed { attempt, tries, .. } = *place else {
            return Err(LifecycleError::NotPushed(part));
        };
        *place = Part::Waiting { attempt, tries };
        Ok(())
    }

    /// The carrier has answered the push of `part` under `push_sequence`. The `tries_at_most`th "later" refuses the
    /// part; "slow down" never does. A part of which an earlier push was lost stays [`Attempt::Uncertain`]: the next
    /// push of it, too, may make a duplicate.
    ///
    /// An answer to an earlier push counts only if it says "accepted" and the fate of an earlier push is not known.
    /// Which part a push was of is for the caller to know.
    ///
    /// # Errors
    /// There is no such part.
    pub fn answered(
        &mut self,
        part: u8,
        push_sequence: &str,
        code: u32,
        disposition: Disposition,
        resp_sequence: Option<String>,
        tries_at_most: u16,
    ) -> Result<Answered, LifecycleError> {
        let place = self.part_mut(part)?;
        let current = match place {
            Part::Pushed { push_sequence: current, attempt, tries } if current == push_sequence => {
                Some((*attempt, *tries))
            }
            _ => None,
        };
        let (after, answered) = match (current, disposition) {
            (Some(_), Disposition::Accepted) => (Part::Accepted { resp_sequence }, Answered::Accepted),
            (Some((attempt, tries)), Disposition::SlowDown) => (again(attempt, tries), Answered::Again),
            (Some((attempt, tries)), Disposition::Later) if tries.saturating_add(1) < tries_at_most => {
                (again(attempt, tries + 1), Answered::Again)
            }
            (Some((attempt, _)), Disposition::Later | Disposition::Final) => {
                (Part::Refused { code, in_doubt: attempt == Attempt::Uncertain }, Answered::Refused)
            }
            (None, Disposition::Accepted) if place.in_doubt() && !matches!(place, Part::Refused { .. }) => {
                (Part::Accepted { resp_sequence }, Answered::Accepted)
            }
            (None, _) => return Ok(Answered::Late),
        };
        *place = after;
        Ok(answered)
    }

    /// `part` was pushed and nobody knows what became of it: the connection is gone, or the answer did not come.
    ///
    /// # Errors
    /// There is no such part, or it is not pushed.
    pub fn lost(&mut self, part: u8) -> Result<(), LifecycleError> {
        let policy = self.policy;
        let place = self.part_mut(part)?;
        let Part::Pushed { tries, .. } = *place else {
            return Err(LifecycleError::NotPushed(part));
        };
        *place = match policy {
            WhenUncertain::Resend => Part::Waiting { attempt: Attempt::Uncertain, tries },
            WhenUncertain::Mark => Part::Uncertain,
        };
        Ok(())
    }

    /// After a restart: every pushed part is lost. Says how many were.
    pub fn recover(&mut self) -> usize {
        let pushed: Vec<u8> = self
            .numbered()
            .filter(|(_, part)| matches!(part, Part::Pushed { .. }))
            .map(|(number, _)| number)
            .collect();
        pushed.into_iter().filter(|&part| self.lost(part).is_ok()).count()
    }

    /// Its time is over, or somebody has cancelled it: what waits is not sent any more.
    pub fn expire(&mut self) {
        self.expired = true;
    }

    /// How it ended; `None` while a part is pushed, or waits to be. Out of several parts the worst counts: a refused
    /// one, then one that the carrier may have or not, then one that was not sent in time.
    ///
    /// A part that is refused after an earlier push of it was lost is in doubt: the carrier may have the earlier one.
    ///
    /// Once there, an outcome is the last, with one exception: a late answer may take the doubt out of
    /// [`Outcome::Uncertain`]. A part that waits to be sent again when the time is over is in doubt, too.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let mut uncertain = false;
        let mut waiting = false;
        for part in &self.parts {
            match part {
                Part::Pushed { .. } => return None,
                Part::Waiting { .. } => waiting = true,
                Part::Accepted { .. } | Part::Refused { .. } | Part::Uncertain => {}
            }
            uncertain |= part.in_doubt();
        }
        if let Some((number, code, in_doubt)) = self.refused() {
            let reason = format!("part {number} of {} is refused", self.parts.len());
            let refused = Outcome::Refused { code: Some(code), reason };
            return Some(if in_doubt { Outcome::Uncertain } else { refused });
        }
        match (waiting, uncertain) {
            (true, _) if !self.expired => None,
            (_, true) => Some(Outcome::Uncertain),
            (true, false) => Some(Outcome::Expired),
            (false, false) => Some(Outcome::Accepted),
        }
    }

    /// Whether nothing is pushed any more.
    fn over(&self) -> bool {
        self.expired || self.refused().is_some()
    }

    /// A refused part, its code, and whether it is in doubt: the first that is not, else the first.
    fn refused(&self) -> Option<(u8, u32, bool)> {
        let refused = self.numbered().filter_map(|(number, part)| match part {
            Part::Refused { code, in_doubt } => Some((number, *code, *in_doubt)),
            Part::Waiting { .. } | Part::Pushed { .. } | Part::Accepted { .. } | Part::Uncertain => None,
        });
        refused.min_by_key(|&(number, _, in_doubt)| (in_doubt, number))
    }

    fn numbered(&self) -> impl Iterator<Item = (u8, &Part)> {
        (1..=u8::MAX).zip(&self.parts)
    }

    fn part_mut(&mut self, part: u8) -> Result<&mut Part, LifecycleError> {
        let index = usize::from(part).checked_sub(1);
        index.and_then(|index| self.parts.get_mut(index)).ok_or(LifecycleError::NoSuchPart(part))
    }
}

/// Waiting after "not now".
fn again(attempt: Attempt, tries: u16) -> Part {
    let attempt = match attempt {
        Attempt::First | Attempt::Retry => Attempt::Retry,
        Attempt::Uncertain => Attempt::Uncertain,
    };
    Part::Waiting { attempt, tries }
}

fn one_to_255<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Part>, D::Error> {
    let parts = Vec::<Part>::deserialize(deserializer)?;
    if parts.is_empty() || parts.len() > usize::from(u8::MAX) {
        return Err(D::Error::custom("a message has 1 to 255 parts"));
    }
    Ok(parts)
}
