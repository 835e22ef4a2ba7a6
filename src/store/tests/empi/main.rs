//! What every store of an EMPI does, held against both engines; and what only one of them can do.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod engine;
mod model;
mod postgres;
mod schema;
mod suite;
