//! `lb vrrp`, and what `lb drill` shares with it: wishes, and waiting for what comes of them.

use std::time::{Duration, Instant};

use anyhow::bail;
use runtime::command::say;

use super::args::VrrpAction;
use crate::admin::api::{Asked, Which};
use crate::admin::client::{Client, ClientError};
use crate::control::Entry;
use crate::vrrp::{ActivePeer, RouterStatus, State};

/// Of an operator at the terminal.
pub(super) const PATIENCE: Patience =
    Patience { limit: Duration::from_secs(5), look: Duration::from_millis(3) };

/// How long to wait for what comes of a wish.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub limit: Duration,
    /// Between two looks.
    pub look: Duration,
}

/// The virtual routers of a daemon, for those who move them.
pub(super) trait Routers {
    async fn router(&self, name: &str) -> Result<RouterStatus, ClientError>;
    async fn release(&self, name: &str) -> Result<Asked, ClientError>;
    async fn take(&self, name: &str) -> Result<Asked, ClientError>;
    async fn timeline(&self, which: Which) -> Result<Vec<Entry>, ClientError>;
}

impl Routers for Client {
    async fn router(&self, name: &str) -> Result<RouterStatus, ClientError> {
        self.virtual_router(name).await
    }

    async fn release(&self, name: &str) -> Result<Asked, ClientError> {
        Self::release(self, name).await
    }

    async fn take(&self, name: &str) -> Result<Asked, ClientError> {
        Self::take(self, name).await
    }

    async fn timeline(&self, which: Which) -> Result<Vec<Entry>, ClientError> {
        Self::timeline(self, which).await
    }
}

/// What came of a release.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Released {
    /// That router was first heard so many seconds after the wish.
    To { peer: ActivePeer, seconds: f64 },
    /// This host was not Active.
    WasNotHere(RouterStatus),
    /// Nobody took the addresses: this host has them again.
    BackHere { seconds: f64 },
    /// The time is over.
    NotYet(RouterStatus),
}

/// What came of a take.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Taken {
    Here {
        seconds: f64,
    },
    WasHere,
    /// That router has a better priority, and does not give way.
    Outranked {
        peer: ActivePeer,
        ours: u8,
    },
    /// It takes no part, for the reason in its status.
    Cannot(RouterStatus),
    /// The time is over.
    NotYet(RouterStatus),
}

pub(super) async fn vrrp(client: Client, action: VrrpAction) -> anyhow::Result<()> {
    let told = match action {
        VrrpAction::Release { name } => tell_released(&name, &release(&client, &name, PATIENCE).await?),
        VrrpAction::Take { name } => tell_taken(&name, &take(&client, &name, PATIENCE).await?),
    };
    match told {
        Ok(text) => say(&text),
        Err(text) => bail!(text),
    }
    Ok(())
}

/// Releases, and waits until another router is Active.
pub(super) async fn release(
    routers: &impl Routers,
    name: &str,
    patience: Patience,
) -> Result<Released, ClientError> {
    let before = routers.router(name).await?;
    let began = Instant::now();
    routers.release(name).await?;
    if before.state != State::Active {
        return Ok(Released::WasNotHere(before));
    }
    loop {
        let asked = began.elapsed().as_secs_f64();
        let status = routers.router(name).await?;
        match (status.state, &status.active_peer) {
            // it is Active since after the wish
            (State::Active, _) if status.state_seconds < asked => {
                return Ok(Released::BackHere { seconds: asked - status.state_seconds });
            }
            (State::Initialize | State::Backup | State::Fault, Some(peer)) => {
                let seconds = (began.elapsed().as_secs_f64() - peer.heard_seconds).max(0.0);
                return Ok(Released::To { peer: peer.clone(), seconds });
            }
            (State::Active, _) | (State::Initialize | State::Backup | State::Fault, None) => {}
        }
        if began.elapsed() >= patience.limit {
            return Ok(Released::NotYet(status));
        }
        tokio::time::sleep(patience.look).await;
    }
}

/// Takes, and waits until this host is Active or it is known that it will not be.
pub(super) async fn take(
    routers: &impl Routers,
    name: &str,
    patience: Patience,
) -> Result<Taken, ClientError> {
    if routers.router(name).await?.state == State::Active {
        return Ok(Taken::WasHere);
    }
    let began = Instant::now();
    routers.take(name).await?;
    loop {
        let status = routers.router(name).await?;
        match (status.state, &status.active_peer) {
            (State::Active, _) => {
                let seconds = (began.elapsed().as_secs_f64() - status.state_seconds).max(0.0);
                return Ok(Taken::Here { seconds });
            }
            (State::Fault | State::Initialize, _) => return Ok(Taken::Cannot(status)),
            (State::Backup, Some(peer)) if peer.priority > status.priority => {
                return Ok(Taken::Outranked { peer: peer.clone(), ours: status.priority });
            }
            (State::Backup, _) => {}
        }
        if began.elapsed() >= patience.limit {
            return Ok(Taken::NotYet(status));
        }
        tokio::time::sleep(patience.look).await;
    }
}

/// In words; an error is what was not done.
pub(super) fn tell_released(name: &str, released: &Released) -> Result<String, String> {
    match released {
        Released::To { peer: ActivePeer { source, priority, .. }, seconds } => Ok(format!(
            "{name}: released, {source} (priority {priority}) is Active after {}",
            milliseconds(*seconds)
        )),
        Released::WasNotHere(RouterStatus { state: State::Backup, .. }) => {
            Ok(format!("{name}: not Active here; held: it does not preempt until `lb vrrp take {name}`"))
        }
        Released::WasNotHere(status) => Err(format!("{name}: nothing to release: {}", status.reason)),
        Released::BackHere { seconds } => Err(format!(
            "{name}: released, but nobody took it: this host is Active again after {}; is the other host's lb \
             running, and well? (`lb why vip {name}` there)",
            milliseconds(*seconds)
        )),
        Released::NotYet(RouterStatus { state: State::Active, .. }) => {
            Err(format!("{name}: not released; `lb timeline` may tell why"))
        }
        Released::NotYet(_) => Err(format!(
            "{name}: released, but nobody is Active; `lb vrrp take {name}` brings it back at once"
        )),
    }
}

/// In words; an error is what was not done.
pub(super) fn tell_taken(name: &str, taken: &Taken) -> Result<String, String> {
    match taken {
        Taken::Here { seconds } => {
            Ok(format!("{name}: taken, this host is Active after {}", milliseconds(*seconds)))
        }
        Taken::WasHere => Ok(format!("{name}: this host is Active already")),
        Taken::Outranked { peer: ActivePeer { source, priority, .. }, ours } => Err(format!(
            "{name}: not taken: {source} is Active with the better priority {priority} (here: {ours}); release it \
             there: `lb vrrp release {name}`"
        )),
        Taken::Cannot(status) => Err(format!("{name}: not taken: this host cannot: {}", why_not(status))),
        Taken::NotYet(status) => {
            let other = status.active_peer.as_ref().map_or_else(String::new, |peer| {
                format!(
                    "; {} is Active with priority {} (here: {})",
                    peer.source, peer.priority, status.priority
                )
            });
            Err(format!("{name}: not taken{other}; `lb timeline` may tell why"))
        }
    }
}

fn why_not(status: &RouterStatus) -> String {
    let parts = std::iter::once(&status.reason).chain(&status.burdens);
    parts.cloned().collect::<Vec<_>>().join("; ")
}

/// As precise as is of use.
pub(super) fn milliseconds(seconds: f64) -> String {
    let milliseconds = seconds * 1e3;
    if milliseconds < 10.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}

#[cfg(test)]
pub(super) mod tests;
