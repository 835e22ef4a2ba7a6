//! PostgreSQL as every role uses it: one schema a role, a pool of connections, and transactions that carry what many
//! callers wait for.
//!
//! [`Database::open`] brings the schema up to date; [`Database::client`] lends a connection whose `search_path` is the
//! role's schema, so that statements name plain tables; [`Database::within`] bounds what is done with it; [`Gather`]
//! makes one transaction of what many callers want at the same time. What the server says becomes a
//! [`StoreError`](crate::StoreError) by `?`.

mod error;
mod gather;
mod lock;
mod migrate;
mod open;
mod tls;

pub use gather::{Batch, Gather};
pub use lock::{lock, lock_key};
pub use open::Database;
pub(crate) use open::check_url;
