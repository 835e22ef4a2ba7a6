//! The gateway: takes messages from UAOPs, keeps them until the outcome is known, and talks to the carriers.
//!
//! One message: [`uplink`] or [`peers`] → [`engine`] (durable in the spool, then acknowledged) → [`account`] (whose turn it is) → spool
//! (which sequence it goes out under) → [`connection`] → carrier → the account → spool → [`events`]. What a carrier brings is
//! durable before it is answered.

pub mod account;
pub mod clock;
pub mod config;
pub mod connection;
pub mod engine;
pub mod events;
pub mod metrics;
pub mod peers;
mod run;
pub mod uplink;

pub use run::run;
