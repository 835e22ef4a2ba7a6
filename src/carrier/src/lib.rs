//! A simulated carrier, good enough to test a customer against.

pub mod behaviour;
pub mod config;
pub mod record;
