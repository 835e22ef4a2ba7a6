//! Whether a server is usable: active checks, passive ejection, agent.

pub mod active;
pub mod agent;
pub mod passive;
pub mod schedule;

pub use active::{Active, Outcome, Phase, Transition};
pub use agent::{AgentError, AgentReply};
pub use passive::Passive;
pub use schedule::Schedule;

/// The one moment from which tests count; they add durations to it.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "an Instant can be had from nowhere else; no test depends on its value"
)]
pub(crate) fn test_epoch() -> std::time::Instant {
    std::time::Instant::now()
}
