//! The gateway: takes messages from UAOPs, keeps them until the outcome is known, and talks to the carriers.

pub mod clock;
pub mod config;
pub mod connection;
pub mod metrics;
