//! One account at a carrier: what waits, whose turn it is, what the carrier said.
//!
//! [`core`] decides and keeps the state, [`task`] does: it takes messages from the [`inbox`] and news from the connections,
//! makes durable what has happened, and only then sends or answers.

pub mod core;
pub mod facts;
pub mod inbox;
pub mod level;
pub mod lines;
pub mod memory;
pub mod mo;
pub mod pace;
pub mod queue;
pub mod render;
pub mod task;
pub mod verdict;
