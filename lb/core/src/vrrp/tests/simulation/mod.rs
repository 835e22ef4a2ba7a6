//! Two and three hosts on a network that loses, delays and repeats, driven by a seed.
//!
//! 1. Addresses are on a host only while its router is Active; they are announced only while they are there.
//! 2. Once packets flow, two hosts never have the addresses for longer than [`TWO_AFTER_CHAOS`], and never
//!    for longer than [`TWO`] after that.
//! 3. While a host is fit, the addresses are never nowhere for longer than [`NONE`].
//! 4. Once packets flow, every host changes its state at most [`SETTLING`] times, and after [`SETTLED`] never.
//! 5. Then the addresses are with a host that can serve, if there is one, and with the best, if it preempts.
//! 6. A planned move interrupts for no longer than the skew time of the next host, and one for a better host
//!    not at all.

mod chaos;
mod world;

use self::chaos::{Disturbance, WHOLE};
use self::world::World;
use super::*;
use crate::balance::rng::SplitMix64;

const SEEDS: u64 = 1000;
const CHAOS: Duration = Duration::from_secs(8);
const CALM: Duration = Duration::from_secs(20);

/// One that woke up listens for one interval and a half before it speaks, and so may the other.
const TWO_AFTER_CHAOS: Duration = Duration::from_millis(155);
/// The winner's advertisement is on its way.
const TWO: Duration = Duration::from_millis(5);
/// Three times the down interval of the least priority. One does in an orderly world; here an advertisement
/// may have been late, and another router may have tried and failed meanwhile.
const NONE: Duration = Duration::from_millis(1200);
/// The pause after failed installs is the longest of what may be left to happen.
const SETTLED: Duration = Duration::from_secs(10);
const SETTLING: u32 = 4;

/// What the invariants need to remember.
struct Watch {
    two_since: Option<Instant>,
    none_since: Option<Instant>,
    calm_since: Option<Instant>,
}

impl Watch {
    fn look(&mut self, world: &mut World) {
        let now = world.now;
        for (index, host) in world.hosts.iter_mut().enumerate() {
            let state = host.machine.as_ref().map(Machine::state);
            assert!(
                !host.has_addresses || state == Some(State::Active),
                "{index} has the addresses in {state:?}"
            );
            host.fit_since = host.is_fit().then(|| host.fit_since.unwrap_or(now));
        }
        let holders = world.hosts.iter().filter(|host| host.has_addresses).count();
        since(&mut self.two_since, holders > 1, now);
        since(&mut self.none_since, holders == 0, now);

        if let (Some(calm), Some(two)) = (self.calm_since, self.two_since) {
            let since_calm = now - two.max(calm);
            let bound = if two <= calm + TWO_AFTER_CHAOS { TWO_AFTER_CHAOS } else { TWO };
            assert!(since_calm <= bound, "two have had the addresses for {since_calm:?}");
        }
        if let Some(none) = self.none_since {
            let fit = world.hosts.iter().filter_map(|host| host.fit_since).min();
            let lacking = fit.map_or(Duration::ZERO, |fit| now - none.max(fit));
            assert!(lacking <= NONE, "nobody has had the addresses for {lacking:?}");
        }
    }
}

fn since(start: &mut Option<Instant>, holds: bool, now: Instant) {
    *start = holds.then(|| start.unwrap_or(now));
}

/// Runs to `end`, looking after every step.
fn run(world: &mut World, watch: &mut Watch, end: Instant) {
    loop {
        let more = world.step(end);
        watch.look(world);
        if !more {
            return;
        }
    }
}

fn chaos_and_calm(seed: u64, world: &mut World) {
    let mut rng = SplitMix64::new(seed ^ 0x5eed);
    let mut watch = Watch { two_since: None, none_since: None, calm_since: None };
    let start = world.now;
    for host in 0..world.hosts.len() {
        world.start(host);
    }
    for (at, disturbance) in chaos::plan(&mut rng, world.hosts.len(), CHAOS) {
        run(world, &mut watch, start + at);
        world.disturb(disturbance);
        watch.look(world);
    }
    run(world, &mut watch, start + CHAOS);

    world.calm();
    watch.calm_since = Some(world.now);
    world.hosts.iter_mut().for_each(|host| host.transitions = 0);
    run(world, &mut watch, start + CHAOS + SETTLED);
    for (index, host) in world.hosts.iter_mut().enumerate() {
        let transitions = std::mem::take(&mut host.transitions);
        assert!(transitions <= SETTLING, "{index} changed its state {transitions} times");
    }
    run(world, &mut watch, start + CHAOS + CALM);
    for (index, host) in world.hosts.iter().enumerate() {
        assert_eq!(host.transitions, 0, "{index} has not settled");
    }
    the_right_one_has_the_addresses(world);
}

fn the_right_one_has_the_addresses(world: &World) {
    let fit = || world.hosts.iter().filter(|host| host.is_fit());
    let holders: Vec<_> = world.hosts.iter().filter(|host| host.has_addresses).collect();
    let [holder] = holders[..] else {
        assert_eq!((holders.len(), fit().count()), (0, 0), "nobody has the addresses");
        return;
    };
    let theirs = holder.priority().unwrap();
    for host in fit() {
        let (ours, machine) = (host.priority().unwrap(), host.machine.as_ref().unwrap());
        assert!(theirs.is_able() || !ours.is_able(), "{ours} can serve and {theirs} has the addresses");
        if host.settings.preempt != Preempt::Never && !machine.is_held() && ours.is_able() {
            assert!(ours <= theirs, "{ours} preempts and {theirs} has the addresses");
        }
    }
}

/// Names the seed of whatever goes wrong, and what happened.
fn with_seed(seed: u64, world: &mut World, story: impl Fn(u64, &mut World)) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| story(seed, world)));
    if let Err(panic) = outcome {
        let why = panic.downcast_ref::<String>().map_or("a panic without a text", String::as_str);
        panic!("seed {seed} fails at {:?}: {why}\n{}", world.elapsed(), world.log.join("\n"));
    }
}

#[test]
fn whatever_happens_the_addresses_come_to_rest_where_they_belong() {
    for seed in 0..SEEDS {
        let mut rng = SplitMix64::new(seed);
        let settings = chaos::settings(&mut rng);
        let link = chaos::bad(&mut rng);
        with_seed(seed, &mut World::new(settings, seed, link), chaos_and_calm);
    }
}

/// The longest time for which nobody had the addresses, until `end`.
fn longest_gap(world: &mut World, end: Instant) -> Duration {
    let mut none_since = None;
    let mut longest = Duration::ZERO;
    let mut look = |world: &World| {
        since(&mut none_since, !world.hosts.iter().any(|host| host.has_addresses), world.now);
        longest = longest.max(none_since.map_or(Duration::ZERO, |none| world.now - none));
    };
    look(world);
    while world.step(end) {
        look(world);
    }
    look(world);
    longest
}

/// Packets and the install.
const SLACK: Duration = Duration::from_millis(4);

fn planned_moves(seed: u64, world: &mut World) {
    let mut rng = SplitMix64::new(seed);
    for host in 0..world.hosts.len() {
        world.start(host);
    }
    let end = world.now + INTERVAL * 10;
    longest_gap(world, end);
    for _ in 0..20 {
        let holder = world.hosts.iter().position(|host| host.has_addresses).unwrap();
        let end = world.now + Duration::from_micros(1_500_000 + rng.below(100_000));
        let mut expected = millis(5);
        let back = match rng.below(5) {
            0 => {
                world.disturb(Disturbance::Shutdown(holder));
                Disturbance::Start(holder)
            }
            1 => {
                world.disturb(Disturbance::Release(holder));
                Disturbance::Take(holder)
            }
            2 => {
                expected = Duration::ZERO;
                world.disturb(Disturbance::Eligible(holder, Eligibility::Unable));
                Disturbance::Eligible(holder, Eligibility::Full)
            }
            3 => {
                world.disturb(Disturbance::LinkDown(holder));
                // It said so before it was down.
                Disturbance::LinkUp(holder)
            }
            _ => {
                // Not planned: the down interval of the next.
                expected = millis(305);
                world.disturb(Disturbance::Cut(holder));
                Disturbance::Start(holder)
            }
        };
        let gap = longest_gap(world, end);
        let bound = if expected.is_zero() { expected } else { expected + SLACK };
        assert!(gap <= bound, "{gap:?} without the addresses, {bound:?} allowed");
        world.disturb(back);
        let end = world.now + INTERVAL * 10;
        let gap = longest_gap(world, end);
        assert_eq!(gap, Duration::ZERO, "the way back interrupts");
        let best = world.hosts.iter().filter(|host| host.is_fit()).map(|host| host.priority()).max();
        let holder = world.hosts.iter().find(|host| host.has_addresses).unwrap();
        assert_eq!(Some(holder.priority()), best);
    }
}

#[test]
fn a_planned_move_takes_the_skew_time_and_the_way_back_none() {
    for seed in 0..100 {
        let own = |number: u8| Settings {
            source: IpAddr::from([192, 0, 2, 10 + number]),
            ..settings(254 - 4 * number)
        };
        let settings = (0..2 + (seed % 2) as u8).map(own).collect();
        with_seed(seed, &mut World::new(settings, seed, WHOLE), planned_moves);
    }
}
