//! When the next active check is due.

use std::time::{Duration, Instant};

use super::Phase;
use crate::balance::rng::SplitMix64;
use crate::config::Check;

/// The next check of one server. Intervals run from one result to the next check, so a slow check never
/// overlaps the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    next: Instant,
    hurry: Hurry,
}

/// A failed connection brings the next check forward, but not twice in a row: a flood of failed connections
/// at most doubles the rate of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hurry {
    Allowed,
    Asked,
    Spent,
}

impl Schedule {
    /// The first check is due at once.
    pub fn new(now: Instant) -> Self {
        Self { next: now, hurry: Hurry::Allowed }
    }

    pub fn next(&self) -> Instant {
        self.next
    }

    /// A check has ended; plans the next.
    pub fn checked(&mut self, check: &Check, phase: Phase, rng: &mut SplitMix64, now: Instant) {
        self.next = now + jittered(interval(check, phase), check.jitter_percent, rng);
        self.hurry = match self.hurry {
            Hurry::Asked => Hurry::Spent,
            Hurry::Spent | Hurry::Allowed => Hurry::Allowed,
        };
    }

    /// A live connection failed. Returns whether the next check came forward to `now`.
    pub fn hurry(&mut self, now: Instant) -> bool {
        let forward = self.hurry == Hurry::Allowed && self.next > now;
        if forward {
            self.next = now;
            self.hurry = Hurry::Asked;
        }
        forward
    }

    /// The check has become another one, or its server another.
    pub fn at_once(&mut self, now: Instant) {
        self.next = now;
    }

    /// Intervals have changed: a shorter one counts from now.
    pub fn not_later_than(&mut self, check: &Check, phase: Phase, rng: &mut SplitMix64, now: Instant) {
        self.next = self.next.min(now + jittered(interval(check, phase), check.jitter_percent, rng));
    }
}

/// HAProxy's `inter`, `fastinter` and `downinter`.
fn interval(check: &Check, phase: Phase) -> Duration {
    match phase {
        Phase::SteadyUp => check.interval,
        Phase::InTransition => check.fast_interval,
        Phase::SteadyDown => check.down_interval,
    }
}

/// `interval` ± up to `percent` of it, evenly spread.
fn jittered(interval: Duration, percent: u8, rng: &mut SplitMix64) -> Duration {
    let spread = interval.saturating_mul(u32::from(percent.min(100))) / 100;
    let nanos = u64::try_from(spread.as_nanos()).unwrap_or(u64::MAX / 4).saturating_mul(2);
    interval - spread + Duration::from_nanos(rng.below(nanos.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CheckKind, StartState};
    use crate::health::test_epoch;

    fn check(jitter_percent: u8) -> Check {
        Check {
            kind: CheckKind::Tcp,
            interval: Duration::from_secs(10),
            fast_interval: Duration::from_secs(1),
            down_interval: Duration::from_secs(30),
            jitter_percent,
            timeout: Duration::from_secs(1),
            rise: 2,
            fall: 3,
            start: StartState::FullyUp,
            address: None,
            port: None,
            proxy_protocol: None,
        }
    }

    fn plan(check: &Check, phase: Phase, seed: u64) -> Duration {
        let now = test_epoch();
        let mut schedule = Schedule::new(now);
        schedule.checked(check, phase, &mut SplitMix64::new(seed), now);
        schedule.next() - now
    }

    #[test]
    fn each_phase_has_its_interval() {
        assert_eq!(plan(&check(0), Phase::SteadyUp, 1), Duration::from_secs(10));
        assert_eq!(plan(&check(0), Phase::InTransition, 1), Duration::from_secs(1));
        assert_eq!(plan(&check(0), Phase::SteadyDown, 1), Duration::from_secs(30));
    }

    #[test]
    fn jitter_spreads_over_both_sides_and_no_further() {
        let plans: Vec<_> = (0..1000).map(|seed| plan(&check(20), Phase::SteadyUp, seed)).collect();
        let (least, most) = (plans.iter().min().unwrap(), plans.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(8) && *least < Duration::from_millis(8100), "{least:?}");
        assert!(*most <= Duration::from_secs(12) && *most > Duration::from_millis(11900), "{most:?}");
        assert_eq!(plan(&check(20), Phase::SteadyUp, 5), plan(&check(20), Phase::SteadyUp, 5));
    }

    #[test]
    fn failed_connections_bring_every_second_check_forward() {
        let mut now = test_epoch();
        let (check, mut rng) = (check(0), SplitMix64::new(1));
        let mut schedule = Schedule::new(now);
        assert!(!schedule.hurry(now), "due already");
        schedule.checked(&check, Phase::InTransition, &mut rng, now);

        now += Duration::from_millis(100);
        assert!(schedule.hurry(now));
        assert!(!schedule.hurry(now));
        assert_eq!(schedule.next(), now);
        schedule.checked(&check, Phase::InTransition, &mut rng, now);

        assert!(!schedule.hurry(now + Duration::from_millis(100)), "this one was brought forward");
        now += Duration::from_secs(1);
        assert_eq!(schedule.next(), now);
        schedule.checked(&check, Phase::InTransition, &mut rng, now);
        assert!(schedule.hurry(now + Duration::from_millis(100)));
    }
}
