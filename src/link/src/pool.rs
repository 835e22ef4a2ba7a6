//! Several peers that can stand in for each other.

use domain::Submission;
use tokio::sync::{mpsc, watch};

use crate::{Identity, LineState, PoolSettings, Role, Verdict};

/// What changed; each is worth a log line, a metric, mostly an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Up {
        server: String,
    },
    Down {
        server: String,
        reason: String,
    },
    /// Another tier is used; `None`: none.
    Tier {
        from: Option<u8>,
        to: Option<u8>,
    },
}

/// A server as `/status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerView {
    pub name: String,
    pub priority: u8,
    pub usable: bool,
    pub line: LineState,
    /// Of the pool's lanes, how many use it.
    pub lanes: usize,
}

/// A handle; all clones are one.
#[derive(Clone, Debug)]
pub struct Pool {}

impl Pool {
    #[must_use]
    pub fn open(_: PoolSettings, _me: Identity, _expected: Role, _news: mpsc::UnboundedSender<News>) -> Self {
        unimplemented!()
    }

    /// Offers messages until each has a verdict that is not `Later`: to the best server, to another when that is lost or
    /// puts it off, again and again. `again`: they may have been offered in another life.
    pub async fn submit(&self, _: Vec<Submission>, _again: bool) -> Vec<Verdict> {
        unimplemented!()
    }

    /// Whether any server is usable.
    #[must_use]
    pub fn usable(&self) -> watch::Receiver<bool> {
        unimplemented!()
    }

    #[must_use]
    pub fn servers(&self) -> Vec<ServerView> {
        unimplemented!()
    }
}
