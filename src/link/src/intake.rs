//! Messages, from the side that takes them.

use async_trait::async_trait;
use domain::{Submission, UaopId};
use tokio::sync::watch;

use crate::Identity;

/// A message that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub submission: Submission,
    /// It may have been taken before, by this peer or another, without the offerer having heard of it.
    pub again: bool,
}

/// What became of an [`Offer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in durable hands; the offerer may forget it. `duplicate`: it was before.
    Taken { duplicate: bool },
    /// Not now; offer it again, here or elsewhere.
    Later { reason: String },
    /// Not now, and a server behind this one may have it: whoever offers it again must say so.
    InDoubt { reason: String },
    /// Never.
    Refused { reason: String },
}

/// Whether messages are taken at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub ready: bool,
    /// Why not.
    pub reason: String,
}

/// Takes messages.
#[async_trait]
pub trait Intake: Send + Sync + 'static {
    /// One verdict for each offer, in their order. Several calls run at the same time.
    async fn take(&self, from: &Identity, offers: Vec<Offer>) -> Vec<Verdict>;

    /// Which of these it has taken before, one answer each.
    ///
    /// # Errors
    /// It cannot know at present.
    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, String>;

    /// Changes are told to every peer; a pool uses no server that is not ready.
    fn standing(&self) -> watch::Receiver<Standing>;
}
