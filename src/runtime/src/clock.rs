//! The time of day.

use std::time::{Duration, SystemTime};

/// Since 1970; zero if the host's clock is set before that.
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
