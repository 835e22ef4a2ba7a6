//! From a message to its gateways.

use std::collections::BTreeMap;

use thiserror::Error;

use super::Segments;
use super::rank::Rank;
use crate::{Account, Carrier, Class, GatewayId, Number, Submission};

/// A gateway that a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub gateway: GatewayId,
    /// Which of its accounts; may be left out where it has one only.
    pub account: Option<Account>,
    /// Share inside its tier, at least 1.
    pub weight: u16,
    /// Tier: 1 is used first.
    pub priority: u8,
}

/// The targets of a carrier's messages: those of a class, or of all classes that have none of their own.
pub type Routes = BTreeMap<(Carrier, Option<Class>), Vec<Target>>;

/// Why a message has no gateway.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unroutable {
    /// Nothing will change that: the number is no customer's of any carrier.
    #[error("no carrier has the number {0}")]
    UnknownNumber(Number),
    /// Whoever runs this has forgotten it.
    #[error("there is no route to the carrier {carrier} for messages of class {class}")]
    NoRoute { carrier: Carrier, class: Class },
}

/// Finds the gateways of messages; the same everywhere where segments and routes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    pub segments: Segments,
    pub routes: Routes,
}

impl Router {
    /// All gateways that may send it, the best first: tier by tier, inside a tier by rank.
    ///
    /// # Errors
    /// See [`Unroutable`].
    pub fn candidates(&self, submission: &Submission) -> Result<Vec<&Target>, Unroutable> {
        let unknown = || Unroutable::UnknownNumber(submission.to.clone());
        let carrier = self.segments.carrier(&submission.to).ok_or_else(unknown)?;
        let missing = || Unroutable::NoRoute { carrier: carrier.clone(), class: submission.class.clone() };
        let targets = self.targets(carrier, &submission.class).ok_or_else(missing)?;
        let message = submission.uaop_id.as_str();
        let mut ranked: Vec<_> = targets
            .iter()
            .map(|target| {
                let rank = Rank::new(target.gateway.as_str(), message, target.weight.max(1));
                ((target.priority, rank, &target.gateway), target)
            })
            .collect();
        ranked.sort_unstable_by_key(|(order, _)| *order);
        Ok(ranked.into_iter().map(|(_, target)| target).collect())
    }

    fn targets(&self, carrier: &Carrier, class: &Class) -> Option<&Vec<Target>> {
        let of = |class: Option<Class>| self.routes.get(&(carrier.clone(), class));
        of(Some(class.clone())).or_else(|| of(None)).filter(|targets| !targets.is_empty())
    }
}
