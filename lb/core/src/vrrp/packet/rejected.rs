//! Why a packet was dropped.

use thiserror::Error;

/// The first check that a packet failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Rejected {
    #[error("TTL or hop limit {0}: it has crossed a router")]
    Ttl(u8),
    #[error("{0} bytes are too few or too many")]
    Length(usize),
    #[error("VRRP version {0}")]
    Version(u8),
    #[error("type {0} is not that of an advertisement")]
    Type(u8),
    #[error("VRRPv2 knows no IPv6")]
    Family,
    #[error("it carries no address")]
    Count,
    #[error("wrong checksum")]
    Checksum,
    #[error("virtual router {0} is another")]
    Vrid(u8),
    #[error("authentication type {0} is another")]
    AuthType(u8),
    #[error("wrong password")]
    Password,
    /// In the version's unit.
    #[error("advertisement interval {0}")]
    Interval(u16),
    #[error("the first IPv6 address is not link-local")]
    FirstAddress,
}

impl Rejected {
    /// For metrics: one of few.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Ttl(_) => "ttl",
            Self::Length(_) => "length",
            Self::Version(_) => "version",
            Self::Type(_) => "type",
            Self::Family => "family",
            Self::Count => "count",
            Self::Checksum => "checksum",
            Self::Vrid(_) => "vrid",
            Self::AuthType(_) => "auth_type",
            Self::Password => "password",
            Self::Interval(_) => "interval",
            Self::FirstAddress => "first_address",
        }
    }
}
