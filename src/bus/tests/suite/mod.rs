//! The tests, each for any engine.

mod groups;
mod records;
mod topics;

pub use groups::*;
pub use records::*;
pub use topics::*;
