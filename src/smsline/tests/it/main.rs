//! The program as its users have it: a process, its exit code and what it prints.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod check;
mod events;
mod gateway;
mod program;
mod roles;
mod send;
mod status;
