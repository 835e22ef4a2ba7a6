//! Process-level tests: the real `lb` among real peers, one module per topic.

#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![allow(clippy::print_stderr, reason = "numbers that were measured, and why a test was skipped")]

mod bad_input;
mod failover;
mod namespaces;
mod nodes;
mod reload;
mod scene;
mod stop;
mod unplugged;
