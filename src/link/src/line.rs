//! One connection to one peer, kept up.

use domain::UaopId;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use crate::{Identity, LineSettings, Numbered, Offer, Role, Standing, Verdict};

/// Events of a gateway, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose.
    pub from: Identity,
    pub events: Vec<Numbered>,
}

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineState {
    /// And why.
    Down(String),
    Up {
        peer: Identity,
        standing: Standing,
    },
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LineError {
    /// Nothing was sent.
    #[error("not connected: {0}")]
    Down(String),
    /// The connection broke, or the answer did not come: the peer may have taken it.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The peer cannot do it.
    #[error("{0}")]
    Failed(String),
}

/// A handle; all clones are one. The connection ends with the last.
#[derive(Clone, Debug)]
pub struct Line {}

impl Line {
    /// Connects, and again whenever the connection is lost, until the last handle is dropped. `events`: where a gateway's
    /// events go; without it they are not asked for.
    #[must_use]
    pub fn open(
        _: LineSettings,
        _me: Identity,
        _expected: Role,
        _events: Option<mpsc::Sender<Batch>>,
    ) -> Self {
        unimplemented!()
    }

    #[must_use]
    pub fn state(&self) -> watch::Receiver<LineState> {
        unimplemented!()
    }

    /// Offers messages; one verdict each, in their order. Waits while the window is full.
    ///
    /// # Errors
    /// See [`LineError`].
    pub async fn submit(&self, _: Vec<Offer>) -> Result<Vec<Verdict>, LineError> {
        unimplemented!()
    }

    /// Which of these the peer has taken.
    ///
    /// # Errors
    /// See [`LineError`].
    pub async fn known(&self, _: Vec<UaopId>) -> Result<Vec<bool>, LineError> {
        unimplemented!()
    }

    /// Everything up to here is in durable hands. Without a connection it is not told; the events come again then.
    pub fn acknowledge(&self, _up_to: i64) {
        unimplemented!()
    }
}
