//! What the gateway counts.

pub mod connection;
