//! The time of day.

use domain::Millis;

/// Now.
pub fn millis() -> Millis {
    Millis(u64::try_from(runtime::clock::since_epoch().as_millis()).unwrap_or(u64::MAX))
}
