//! SQLite as every role uses it: one file, one process, one writer thread whose commits carry all that waits.

mod figures;
mod lock;
mod migrate;
mod open;
mod queue;
mod writer;

pub use crate::error::{Refused, StoreError};
pub use figures::{COMMIT_BOUNDS_SECONDS, Figures};
pub use open::{Database, Tuning};
pub use writer::{Stage, Writer};
