//! The role `uaop`: routes messages to the gateways of its data centre, and tells the center everything.
//!
//! One message: [`intake`] (routed) → [`dispatch`] (a gateway takes it) → [`copies`] (its copy is durable) → verdict. What a
//! gateway tells: [`events`] → bus → acknowledged. There is no store: who is not told that a message is taken offers it again.

pub mod alarms;
pub mod config;
pub mod copies;
pub mod dispatch;
pub mod endpoint;
pub mod events;
pub mod gateways;
pub mod health;
pub mod intake;
pub mod metrics;
pub mod outcome;
pub mod publisher;
mod run;
pub mod standing;
#[cfg(test)]
mod tests;
mod watch_bus;

pub use config::Config;
pub use run::run;
