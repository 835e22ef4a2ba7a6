//! The role `center`: what UAOPs put on the bus becomes the journey of each message, a report for the bank, an answer to
//! whoever asks.
//!
//! | module | does |
//! |---|---|
//! | [`config`] | the file |
//! | `intake` | records of the bus → facts and alarms → store; what cannot be understood is set aside |
//! | `outbox` | finished reports and users' messages → the topics of their EMPIs |
//! | `own` | messages of the center's own → a UAOP |
//! | `bell` | alarms of the center's own |
//! | `upkeep` | overdue messages, retention, how it stands |
//! | [`api`] | the HTTP API for operators |
//! | `run` | the life of the process |

pub mod api;
mod bell;
mod clock;
pub mod config;
mod intake;
mod metrics;
mod outbox;
mod own;
mod patience;
mod record;
mod run;
mod standing;
#[cfg(test)]
mod tests;
mod upkeep;

pub use config::Config;
pub use run::run;
