//! What the gateway counts.

mod account;
pub mod connection;
mod families;

pub use account::{AccountMetrics, MoMetrics};
pub use families::Families;
