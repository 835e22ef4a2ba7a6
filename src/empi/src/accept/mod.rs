//! From a request to messages that are durable: read, checked, given their ids, stored, answered.

mod desk;
mod id;
pub mod read;
mod waiting;

pub use desk::Desk;
pub use id::uaop_id;
pub use waiting::Waiting;

/// Of all messages of a request together.
pub const MOST_RECIPIENTS: u32 = 1000;
