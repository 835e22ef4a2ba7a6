//! What must survive a kill: SQLite behind one writer thread with batched commits, and on it the gateway's spool.

pub mod center;
pub mod empi;
mod place;
pub mod spool;
pub mod sqlite;

pub use place::{Place, Postgres, open_center, open_empi};
pub use sqlite::{Refused, StoreError};
