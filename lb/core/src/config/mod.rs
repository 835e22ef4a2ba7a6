//! The configuration: its model. Reading, cross-checks and diff are siblings.

mod model;

pub use model::*;
