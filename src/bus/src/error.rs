//! Why the bus does not do what it should.

use thiserror::Error;

/// What went wrong, and whether trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BusError {
    /// It cannot be reached, or does not answer in time: try again.
    #[error("the bus is away: {0}")]
    Away(String),
    /// It refuses, and will refuse again.
    #[error("the bus refuses: {0}")]
    Refused(String),
    /// Its files cannot be used.
    #[error("{file}: {detail}")]
    Files { file: String, detail: String },
}

impl BusError {
    /// Whether trying again may help.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused(_) | Self::Files { .. } => false,
        }
    }
}
