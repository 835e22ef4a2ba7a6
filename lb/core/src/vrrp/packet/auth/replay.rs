//! Sequence numbers that come from a clock, and the greatest that was seen of each sender.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;

use super::AuthRejected;

/// How many senders are remembered. A virtual router has two or three; only holders of a key get in.
const SENDERS: usize = 16;

/// What makes a captured packet useless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AntiReplay {
    /// Its time must be within so many seconds of ours, and later than that of the sender's last one. The
    /// clocks must agree.
    Time(Window),
    /// It must be later than the sender's last one. Clocks need not agree, but none may go back.
    Monotonic,
}

/// 1 to 300 whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(i32);

/// Not a number of seconds from 1 to 300.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an anti-replay window is 1 to 300 seconds, not {0}")]
pub struct WindowError(u64);

impl Window {
    /// # Errors
    /// Not 1 to 300.
    pub fn from_secs(seconds: u64) -> Result<Self, WindowError> {
        match i32::try_from(seconds) {
            Ok(window @ 1..=300) => Ok(Self(window)),
            Ok(_) | Err(_) => Err(WindowError(seconds)),
        }
    }

    pub fn get(self) -> Duration {
        Duration::from_secs(u64::from(self.0.unsigned_abs()))
    }

    /// keepalived's default: three advertisements, and 5 s at least.
    pub fn for_interval(interval: Duration) -> Self {
        let seconds = (interval * 3).as_millis().div_ceil(1000).clamp(5, 300);
        Self(seconds as i32)
    }
}

/// Seconds (32 bits), their fraction (16), a counter (16). It wraps, so its order is that of RFC 1982.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence(u64);

impl Sequence {
    pub(super) fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }

    pub(super) fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    fn at(wall: Duration) -> Self {
        let fraction = (u64::from(wall.subsec_nanos()) << 16) / 1_000_000_000;
        Self(wall.as_secs() << 32 | fraction << 16)
    }

    fn is_after(self, other: Self) -> bool {
        (self.0.wrapping_sub(other.0) as i64).cmp(&0) == Ordering::Greater
    }

    /// By how many seconds a clock that shows `wall` is ahead of it.
    fn clock_ahead(self, wall: Duration) -> i32 {
        (wall.as_secs() as u32).wrapping_sub((self.0 >> 32) as u32) as i32
    }
}

impl AntiReplay {
    /// For the next packet after `last`.
    pub(super) fn next(self, last: Option<Sequence>, wall: Duration) -> Sequence {
        let clock = Sequence::at(wall);
        let Some(last) = last.filter(|&last| !clock.is_after(last)) else {
            return clock;
        };
        match self {
            // The clock was put back: growing on from the old time, nobody would accept us.
            Self::Time(_) if !self.is_fresh(last, wall) => clock,
            Self::Time(_) | Self::Monotonic => Sequence(last.0.wrapping_add(1)),
        }
    }

    pub(super) fn check_fresh(self, sequence: Sequence, wall: Duration) -> Result<i32, AuthRejected> {
        let clock_ahead = sequence.clock_ahead(wall);
        if self.is_fresh(sequence, wall) { Ok(clock_ahead) } else { Err(AuthRejected::Stale { clock_ahead }) }
    }

    fn is_fresh(self, sequence: Sequence, wall: Duration) -> bool {
        match self {
            Self::Time(Window(window)) => (-window..=window).contains(&sequence.clock_ahead(wall)),
            Self::Monotonic => true,
        }
    }
}

/// The greatest sequence number of each sender, the one that was heard last at the end.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Vec<(IpAddr, Sequence)>);

impl Marks {
    /// False when `sequence` is not beyond what was seen of `sender`.
    pub(super) fn advance(
        &mut self,
        sender: IpAddr,
        sequence: Sequence,
        anti_replay: AntiReplay,
        wall: Duration,
    ) -> bool {
        let position = self.0.iter().position(|&(address, _)| address == sender);
        if let Some(position) = position {
            let (_, mark) = self.0[position];
            // A mark out of the window orders nothing that the window would let in; forgetting it lets a
            // sender back whose clock was put right.
            if anti_replay.is_fresh(mark, wall) && !sequence.is_after(mark) {
                return false;
            }
            self.0.remove(position);
        } else if self.0.len() == SENDERS {
            self.0.remove(0);
        }
        self.0.push((sender, sequence));
        true
    }
}
