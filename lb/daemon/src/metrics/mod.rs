//! Everything that is counted. Families are registered once; listeners, pools and servers get handles, so that the
//! data plane looks up no labels.
//!
//! `docs/metrics.md` describes every name; a test holds the page against the running endpoint.

mod families;
mod forget;
mod refresh;
mod vrrp;

use prometheus::{Histogram, IntCounter};

pub use families::Metrics;
pub use refresh::refresh;
pub use vrrp::{RouterMetrics, VrrpFamilies};

/// What one listener counts.
#[derive(Debug)]
pub struct ListenerMetrics {
    pub accepted: IntCounter,
    pub received_bytes: IntCounter,
    pub sent_bytes: IntCounter,
    pub duration: Histogram,
    /// By [`crate::end::EndReason`], in the order of its declaration.
    pub ended: Vec<IntCounter>,
}

/// What one server counts.
#[derive(Debug)]
pub struct ServerMetrics {
    pub connections: IntCounter,
    pub received_bytes: IntCounter,
    pub sent_bytes: IntCounter,
    pub connect_duration: Histogram,
    pub early_resets: IntCounter,
}
