//! What the operator says about one virtual router, and what being fit to serve does to its priority.

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::time::Duration;

use super::{Addresses, AdvertInterval, Priority, Version};

/// How many advertisements a Backup may miss by default.
pub const DOWN_ADVERTS: NonZeroU8 = NonZeroU8::new(3).unwrap();

/// The greatest priority that says "I cannot serve". No router that can should be configured at or below it.
pub const UNABLE_MAX: Priority = Priority::LEAST.plus(9);

/// How much worse a degraded router is than a healthy one.
const DEGRADED_LOSS: u8 = 50;

/// Of one virtual router on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub version: Version,
    /// With the weights of what is tracked. Of a router that can serve: above [`UNABLE_MAX`], or the peers take it for one
    /// that cannot.
    pub priority: Priority,
    pub interval: AdvertInterval,
    /// How many advertisements a Backup may miss before it takes over.
    pub down_adverts: NonZeroU8,
    pub preempt: Preempt,
    pub addresses: Addresses,
    /// What we send from. Of two equal priorities the greater address wins.
    pub source: IpAddr,
    /// Member of a [`Group`](super::Group): takes over when all members can.
    pub grouped: bool,
    pub announce: AnnounceAgain,
}

/// Whether a Backup takes the addresses from an Active router with a lower priority, but able to serve. From
/// one that is not it takes them in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preempt {
    Never,
    #[default]
    AtOnce,
    /// After it has been heard, and we have been no worse, for so long.
    After(Duration),
}

/// When gratuitous ARP and unsolicited neighbour advertisements are repeated. `None`: not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnounceAgain {
    /// Once, after taking over: a switch may have been busy with the link that just failed.
    pub after: Option<Duration>,
    /// For as long as we are Active.
    pub every: Option<Duration>,
}

impl Default for AnnounceAgain {
    fn default() -> Self {
        Self { after: Some(Duration::from_secs(5)), every: Some(Duration::from_secs(60)) }
    }
}

/// Whether this host can do what the addresses are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Eligibility {
    /// Must not have the addresses whatever becomes of them: a tracked thing without a weight has failed.
    Barred,
    /// Cannot serve now. Keeps the addresses until a router that can takes them, and takes them if nobody
    /// else has them: what is left (a sorry server) is better than nothing.
    Unable,
    /// Serves with less than it should have.
    Degraded,
    #[default]
    Full,
}

impl Eligibility {
    /// What is advertised. The bands are for peers of any make: they understand no more than a priority.
    /// An owner is one always.
    pub fn priority(self, configured: Priority) -> Priority {
        if configured == Priority::OWNER {
            return configured;
        }
        let number = configured.get();
        match self {
            Self::Full => configured,
            Self::Degraded => {
                configured.min(Priority::LEAST.plus(number.saturating_sub(DEGRADED_LOSS + 1)).max(ABLE_MIN))
            }
            // 1 to 10, in the order of what is configured.
            Self::Unable | Self::Barred => Priority::LEAST.plus(((u16::from(number) - 1) * 9 / 253) as u8),
        }
    }
}

const ABLE_MIN: Priority = UNABLE_MAX.plus(1);

impl Priority {
    /// Whether a router of this priority can serve.
    pub fn is_able(self) -> bool {
        self > UNABLE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bands() {
        let table = [
            (255, [255, 255, 255]),
            (254, [254, 204, 10]),
            (250, [250, 200, 9]),
            (100, [100, 50, 4]),
            (60, [60, 11, 3]),
            (30, [30, 11, 2]),
            (11, [11, 11, 1]),
        ];
        for (configured, expected) in table {
            let configured = Priority::try_from(configured).unwrap();
            let bands = [Eligibility::Full, Eligibility::Degraded, Eligibility::Unable];
            assert_eq!(bands.map(|band| band.priority(configured).get()), expected);
        }
    }

    #[test]
    fn worse_never_ranks_better() {
        for number in 11..255 {
            let configured = Priority::try_from(number).unwrap();
            let full = Eligibility::Full.priority(configured);
            let degraded = Eligibility::Degraded.priority(configured);
            let unable = Eligibility::Unable.priority(configured);
            assert!(unable < degraded && degraded <= full, "{number}");
            assert!(degraded.is_able() && !unable.is_able(), "{number}");
        }
    }
}
