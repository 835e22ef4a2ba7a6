//! The real `lb` among real peers: one binary of tests, one module for each topic.

// a test that cannot go on says so by a panic, in its helpers too
#![allow(clippy::unwrap_used)]

mod client;
mod daemon;

mod agent;
mod balance;
mod checks;
mod health;
mod limits;
mod names;
mod passive;
mod peers;
mod pressure;
mod relay;
