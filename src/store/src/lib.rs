//! What must survive a kill. Two engines, SQLite behind one writer thread with batched commits and PostgreSQL with the
//! same batches; on the first one the gateway's spool, on either one the stores of the EMPI and of the center.

pub mod center;
pub mod empi;
mod error;
mod place;
pub mod postgres;
mod row;
pub mod spool;
pub mod sqlite;

pub use error::{Refused, StoreError};
pub use place::{Place, Postgres, open_center, open_empi};
