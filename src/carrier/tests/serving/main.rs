//! A carrier that serves, and customers over real connections.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod behaviour;
mod carrier;
mod control;
mod customer;
mod deliveries;
mod login;
mod submits;
