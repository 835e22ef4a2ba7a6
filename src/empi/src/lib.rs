//! The role `empi`: the bank front-end.
//!
//! A message: `serve` (socket) → `api` (routes) → `door` (who is it) → `accept` (is it one; durable in the store, then
//! answered) → `queue` (to a UAOP). A report: `topic` (from the bus into the store) → `api` (fetched by the bank) and
//! `calls` (told to the bank).

pub mod accept;
pub mod alarms;
pub mod api;
pub mod calls;
pub mod clock;
pub mod config;
pub mod door;
mod housekeeping;
pub mod metrics;
pub mod problem;
pub mod queue;
mod run;
mod serve;
pub mod signature;
pub mod standing;
mod switches;
#[cfg(test)]
mod testing;
pub mod topic;

pub use config::Config;
pub use run::run;
