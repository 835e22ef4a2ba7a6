//! The time of day.

use std::sync::Arc;

use domain::Millis;
use runtime::clock::WallClock;
use tokio::sync::watch;

/// What the time is; a test has its own.
pub trait Time: Send + Sync {
    fn now(&self) -> Millis;

    /// Whether it may be believed when it says that something's time is over.
    fn steady(&self) -> bool;
}

pub type Clock = Arc<dyn Time>;

impl Time for WallClock {
    fn now(&self) -> Millis {
        let (_, wall) = Self::now(self);
        wall.into()
    }

    fn steady(&self) -> bool {
        Self::steady(self)
    }
}

/// Waits until it is `true`, or nobody can say so any more.
pub async fn told(signal: &mut watch::Receiver<bool>) {
    // the one who could say it has ended, which says the same
    let _ = signal.wait_for(|told| *told).await;
}
