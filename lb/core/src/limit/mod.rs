//! Who may connect, how many and how fast.

mod access;
mod sources;

pub use sources::{Refused, SourceTable};
