//! SQLite as every role uses it: one file, one process, one writer thread whose commits carry all that waits.

mod completion;
mod figures;
mod lock;
mod migrate;
mod open;
mod queue;
mod readers;
mod writer;

pub use crate::error::{Refused, StoreError};
pub(crate) use completion::completion;
pub use figures::{COMMIT_BOUNDS_SECONDS, Figures};
pub use open::{Database, Tuning};
pub(crate) use readers::{Readers, Unread};
pub use writer::{Stage, Writer};
