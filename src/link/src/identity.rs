//! Who speaks.

use std::fmt;

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Empi,
    Uaop,
    Gateway,
    Center,
}

/// Who a process is; both sides say it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub role: Role,
    /// Unique for its role; a gateway's consumer of events goes by it.
    pub node: String,
    /// Its data centre.
    pub site: String,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empi => "empi",
            Self::Uaop => "uaop",
            Self::Gateway => "gateway",
            Self::Center => "center",
        })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.role, self.node, self.site)
    }
}
