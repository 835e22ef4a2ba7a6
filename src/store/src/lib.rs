//! What must survive a kill: SQLite behind one writer thread with batched commits, and on it the gateway's spool.

pub mod spool;
pub mod sqlite;

pub use sqlite::{Refused, StoreError};
