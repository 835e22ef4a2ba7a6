//! The gateways of this data centre, and how each stands.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{GatewayId, Target, UaopId};
use link::{Line, LineError, LineState, Offer, Verdict};
use tokio::sync::watch;
use tokio::time::Instant;

/// What the stages ask of a gateway.
#[async_trait]
pub trait Peer: Send + Sync {
    /// See [`Line::submit`].
    async fn submit(&self, offers: Vec<Offer>) -> Result<Vec<Verdict>, LineError>;

    /// See [`Line::known`].
    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, LineError>;

    /// See [`Line::acknowledge`].
    fn acknowledge(&self, up_to: i64);
}

#[async_trait]
impl Peer for Line {
    async fn submit(&self, offers: Vec<Offer>) -> Result<Vec<Verdict>, LineError> {
        Self::submit(self, offers).await
    }

    async fn known(&self, ids: Vec<UaopId>) -> Result<Vec<bool>, LineError> {
        Self::known(self, ids).await
    }

    fn acknowledge(&self, up_to: i64) {
        Self::acknowledge(self, up_to);
    }
}

/// How a gateway stands, seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It takes messages.
    Ready,
    /// It is connected, and takes none.
    Unready { reason: String },
    /// It cannot be asked.
    Away { reason: String, since: Instant },
}

impl Condition {
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }

    /// For how long it could not be asked; `None`: it can be.
    #[must_use]
    pub fn away_for(&self) -> Option<Duration> {
        match self {
            Self::Ready | Self::Unready { .. } => None,
            Self::Away { since, .. } => Some(since.elapsed()),
        }
    }

    /// Why it takes no messages.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Unready { reason } | Self::Away { reason, .. } => Some(reason),
        }
    }
}

/// One picture of all of them.
pub type Conditions = Arc<BTreeMap<GatewayId, Condition>>;

/// How all stand. A handle; all clones are one.
#[derive(Clone, Debug)]
pub struct Board(Arc<watch::Sender<Conditions>>);

impl Board {
    /// Nobody is connected yet.
    #[must_use]
    pub fn new(names: impl Iterator<Item = GatewayId>) -> Self {
        let away = || Condition::Away { reason: "not connected yet".to_owned(), since: Instant::now() };
        Self(Arc::new(watch::Sender::new(Arc::new(names.map(|name| (name, away())).collect()))))
    }

    #[must_use]
    pub fn now(&self) -> Conditions {
        Arc::clone(&self.0.borrow())
    }

    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Conditions> {
        self.0.subscribe()
    }

    /// Keeps the entry of a gateway up to date until its line is closed.
    pub async fn follow(self, name: GatewayId, site: String, mut line: watch::Receiver<LineState>) {
        loop {
            let state = line.borrow_and_update().clone();
            self.note(&name, |before| judge(&name, &site, state, before));
            if line.changed().await.is_err() {
                return;
            }
        }
    }

    /// A gateway's condition is another one.
    pub fn note(&self, name: &GatewayId, judge: impl FnOnce(Option<&Condition>) -> Condition) {
        self.0.send_if_modified(|conditions| {
            let before = conditions.get(name);
            let after = judge(before);
            if before == Some(&after) {
                return false;
            }
            Arc::make_mut(conditions).insert(name.clone(), after);
            true
        });
    }
}

/// A gateway that is another one than the file says, or in another data centre, counts as away.
fn judge(name: &GatewayId, site: &str, state: LineState, before: Option<&Condition>) -> Condition {
    let reason = match state {
        LineState::Up { peer, .. } if peer.node != name.as_str() => {
            format!("`{}` answers there", peer.node)
        }
        LineState::Up { peer, .. } if peer.site != site => {
            format!("it is in data centre `{}`, not in `{site}`", peer.site)
        }
        LineState::Up { standing, .. } if standing.ready => return Condition::Ready,
        LineState::Up { standing, .. } => return Condition::Unready { reason: standing.reason },
        LineState::Down(reason) => reason,
    };
    let since = match before {
        Some(Condition::Away { since, .. }) => *since,
        Some(Condition::Ready | Condition::Unready { .. }) | None => Instant::now(),
    };
    Condition::Away { reason, since }
}

/// The first tier of a route that has a gateway which takes messages; 0 = none.
#[must_use]
pub fn tier(targets: &[Target], conditions: &Conditions) -> u8 {
    let ready = |target: &&Target| conditions.get(&target.gateway).is_some_and(Condition::is_ready);
    targets.iter().filter(ready).map(|target| target.priority).min().unwrap_or(0)
}
