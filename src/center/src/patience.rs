//! What must be done is tried until it is.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use domain::alarm::Severity;
use prometheus::IntCounterVec;

use crate::bell::Bell;

const FIRST: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(5);

/// Of whom the center has to be patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Store,
    Bus,
}

impl Engine {
    const fn word(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Bus => "bus",
        }
    }

    const fn alarm(self) -> &'static str {
        match self {
            Self::Store => "store_away",
            Self::Bus => "bus_away",
        }
    }
}

/// Tries again after failures, at longer and longer intervals; an alarm says so meanwhile.
#[derive(Clone, Debug)]
pub struct Patience {
    bell: Bell,
    failures: IntCounterVec,
    /// Of whom the alarm is.
    of: String,
}

/// How long until the next try.
#[derive(Debug)]
pub struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pauses {
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(MOST);
    }
}

impl Patience {
    /// `node`: of the center; `part` of it, so that one part does not end the alarm of another.
    pub fn new(bell: Bell, failures: IntCounterVec, node: &str, part: &str) -> Self {
        Self { bell, failures, of: format!("center:{node}:{part}") }
    }

    /// Tries until it is done.
    pub async fn until_done<T, E, F>(&self, engine: Engine, mut work: impl FnMut() -> F) -> T
    where
        E: fmt::Display,
        F: Future<Output = Result<T, E>>,
    {
        let mut pauses = Pauses::default();
        loop {
            match work().await {
                Ok(done) => {
                    self.works(engine);
                    return done;
                }
                Err(error) => {
                    self.fails(engine, &error);
                    pauses.pause().await;
                }
            }
        }
    }

    pub fn fails(&self, engine: Engine, error: &impl fmt::Display) {
        self.failures.with_label_values(&[engine.word()]).inc();
        tracing::debug!(of = self.of, %error, "{} failed", engine.word());
        self.bell.raise(engine.alarm(), &self.of, Severity::Critical, &error.to_string());
    }

    pub fn works(&self, engine: Engine) {
        self.bell.over(engine.alarm(), &self.of);
    }
}
