//! The frames, and what they mean in our own types.

mod convert;

/// Made from `proto/link.proto`.
#[allow(
    dead_code,
    unused_qualifications,
    unnameable_types,
    clippy::all,
    clippy::pedantic,
    clippy::use_self,
    clippy::redundant_clone,
    reason = "generated"
)]
mod generated {
    tonic::include_proto!("smsline.link.v1");
}

pub use convert::{identity, offer, verdict};
pub use generated::link_client::LinkClient;
pub use generated::link_server::{Link, LinkServer};
pub use generated::*;

/// Of this program. It grows when an old peer would misunderstand a new one.
pub const PROTOCOL: u32 = 1;
/// Of this program, for people.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Bytes of a frame, at most, when it is read.
pub const LARGEST_FRAME: usize = 16 << 20;
/// Bytes and messages or events of a frame that is sent; a single one may be larger.
pub const FRAME_BYTES: usize = 1 << 20;
pub const FRAME_COUNT: usize = 256;
/// Bytes of a message that can be offered at all.
pub const LARGEST_OFFER: usize = 4 << 20;
/// Events that may be unacknowledged on a connection, and their bytes (the last batch may go beyond).
pub const UNACKNOWLEDGED: usize = 4096;
pub const UNACKNOWLEDGED_BYTES: usize = 4 << 20;

impl From<up::Frame> for Up {
    fn from(frame: up::Frame) -> Self {
        Self { frame: Some(frame) }
    }
}

impl From<down::Frame> for Down {
    fn from(frame: down::Frame) -> Self {
        Self { frame: Some(frame) }
    }
}

// personal data
impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission").field("uaop_id", &self.uaop_id).finish_non_exhaustive()
    }
}
