//! The time of day.

use std::fmt;
use std::sync::Arc;

use domain::Millis;

/// Where the time of day comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The host's.
    pub fn system() -> Self {
        Self(Arc::new(|| runtime::clock::since_epoch().into()))
    }

    /// One that goes with tokio's time, which tests can pause.
    #[cfg(test)]
    pub fn from(start: Millis) -> Self {
        let began = tokio::time::Instant::now();
        Self(Arc::new(move || start.later(began.elapsed())))
    }

    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
