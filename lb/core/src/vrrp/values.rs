//! The protocol's small values, valid from birth.

use std::fmt;
use std::num::NonZeroU8;
use std::time::Duration;

use thiserror::Error;

/// Of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// RFC 3768: IPv4, whole seconds.
    V2,
    /// RFC 9568: IPv4 and IPv6, centiseconds.
    V3,
}

/// Of the addresses that an advertisement carries, and of the packet that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    V4,
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// Why a number is no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ValueError {
    #[error("a virtual router id is 1 to 255")]
    Vrid,
    #[error("a priority is 1 to 255")]
    Priority,
    #[error("VRRPv2 has advertisement intervals of whole seconds from 1s to 255s, not {0:?}")]
    IntervalV2(Duration),
    #[error("VRRPv3 has advertisement intervals of whole centiseconds from 10ms to 40.95s, not {0:?}")]
    IntervalV3(Duration),
}

/// Which virtual router of a network segment, 1 to 255.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vrid(NonZeroU8);

impl Vrid {
    pub fn get(self) -> u8 {
        self.0.get()
    }
}

impl TryFrom<u8> for Vrid {
    type Error = ValueError;

    fn try_from(number: u8) -> Result<Self, ValueError> {
        NonZeroU8::new(number).map(Self).ok_or(ValueError::Vrid)
    }
}

impl fmt::Debug for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vrid({})", self.get())
    }
}

/// 1 to 255; the greatest wins. 0 on the wire is no priority but "I let go", and is `None` in an `Option`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(NonZeroU8);

impl Priority {
    /// Of a router that owns the addresses: they are its interface's own.
    pub const OWNER: Self = Self(NonZeroU8::MAX);
    pub const LEAST: Self = Self(NonZeroU8::MIN);

    pub fn get(self) -> u8 {
        self.0.get()
    }

    /// 255 at most.
    pub(super) const fn plus(self, more: u8) -> Self {
        Self(self.0.saturating_add(more))
    }

    /// 1 at least.
    pub(crate) const fn minus(self, less: u8) -> Self {
        match NonZeroU8::new(self.0.get().saturating_sub(less)) {
            Some(number) => Self(number),
            None => Self::LEAST,
        }
    }

    /// As on the wire.
    pub fn from_wire(number: u8) -> Option<Self> {
        NonZeroU8::new(number).map(Self)
    }
}

impl TryFrom<u8> for Priority {
    type Error = ValueError;

    fn try_from(number: u8) -> Result<Self, ValueError> {
        Self::from_wire(number).ok_or(ValueError::Priority)
    }
}

impl fmt::Debug for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.get())
    }
}

/// The time between two advertisements, one that its version can put on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdvertInterval(Duration);

impl AdvertInterval {
    const NANOS_V2: u128 = 1_000_000_000;
    const NANOS_V3: u128 = 10_000_000;

    /// What both RFCs have as a default.
    pub const SECOND: Self = Self(Duration::from_secs(1));
    /// 10 centiseconds.
    pub const TENTH: Self = Self(Duration::from_millis(100));

    /// # Errors
    /// The version cannot say it.
    pub fn new(version: Version, interval: Duration) -> Result<Self, ValueError> {
        let nanos = interval.as_nanos();
        let (unit, most, error) = match version {
            Version::V2 => (Self::NANOS_V2, 255, ValueError::IntervalV2(interval)),
            Version::V3 => (Self::NANOS_V3, 4095, ValueError::IntervalV3(interval)),
        };
        if !nanos.is_multiple_of(unit) || !(1..=most).contains(&(nanos / unit)) {
            return Err(error);
        }
        Ok(Self(interval))
    }

    pub fn get(self) -> Duration {
        self.0
    }
}

impl fmt::Debug for AdvertInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vrid_and_a_priority_are_1_to_255() {
        assert_eq!(Vrid::try_from(0), Err(ValueError::Vrid));
        assert_eq!(Priority::try_from(0), Err(ValueError::Priority));
        for number in 1..=255 {
            assert_eq!(Vrid::try_from(number).unwrap().get(), number);
            assert_eq!(Priority::try_from(number).unwrap().get(), number);
        }
    }

    #[test]
    fn an_interval_is_what_the_version_can_say() {
        let millis = Duration::from_millis;
        for (version, interval, good) in [
            (Version::V3, millis(0), false),
            (Version::V3, millis(5), false),
            (Version::V3, millis(10), true),
            (Version::V3, millis(15), false),
            (Version::V3, millis(40_950), true),
            (Version::V3, millis(40_960), false),
            (Version::V2, millis(0), false),
            (Version::V2, millis(100), false),
            (Version::V2, millis(1000), true),
            (Version::V2, millis(1500), false),
            (Version::V2, millis(255_000), true),
            (Version::V2, millis(256_000), false),
        ] {
            let interval_of = AdvertInterval::new(version, interval);
            assert_eq!(interval_of.is_ok(), good, "{version:?} {interval:?}");
        }
    }
}
