//! The machine as its driver sees it.

mod beyond;
mod clauses;
mod group;
mod matrix;
mod probe;
mod reconfigure;
mod simulation;
mod stalls;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::health::test_epoch;

/// Of advertisements, unless a test says otherwise.
const INTERVAL: Duration = Duration::from_millis(100);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn priority(number: u8) -> Priority {
    Priority::try_from(number).unwrap()
}

fn interval(duration: Duration) -> AdvertInterval {
    AdvertInterval::new(Version::V3, duration).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn addresses(list: &[&str]) -> Addresses {
    Addresses::new(list.iter().map(|address| ip(address)).collect()).unwrap()
}

/// Of 192.0.2.2, between the peers 192.0.2.1 and 192.0.2.3.
fn settings(number: u8) -> Settings {
    Settings {
        version: Version::V3,
        priority: priority(number),
        interval: interval(INTERVAL),
        down_adverts: DOWN_ADVERTS,
        preempt: Preempt::AtOnce,
        addresses: addresses(&["192.0.2.100"]),
        source: ip("192.0.2.2"),
        grouped: false,
        announce: AnnounceAgain::default(),
    }
}

const LOWER_PEER: &str = "192.0.2.1";
const GREATER_PEER: &str = "192.0.2.3";

fn heard(source: &str, number: u8) -> Heard {
    Heard {
        source: ip(source),
        priority: Priority::from_wire(number),
        interval: interval(INTERVAL),
        addresses: addresses(&["192.0.2.100"]),
    }
}

/// A machine, its clock, and shorthands.
#[derive(Clone)]
struct Router {
    machine: Machine,
    now: Instant,
}

impl Router {
    fn new(settings: Settings) -> Self {
        Self { machine: Machine::new(settings), now: test_epoch() }
    }

    /// Started.
    fn backup(settings: Settings) -> Self {
        let mut router = Self::new(settings);
        router.on(Event::Startup);
        assert_eq!(router.state(), State::Backup);
        router
    }

    /// With its addresses, a moment after it took over.
    fn active(settings: Settings) -> Self {
        let mut router = Self::backup(settings);
        let actions = router.wait_for_timer();
        router.on(Event::AddressesInstalled(installing(&actions)));
        router.now += millis(1);
        assert_eq!(router.state(), State::Active);
        router
    }

    fn state(&self) -> State {
        self.machine.state()
    }

    fn on(&mut self, event: Event) -> Vec<Action> {
        self.machine.on_event(self.now, event).as_slice().to_vec()
    }

    fn hears(&mut self, source: &str, number: u8) -> Vec<Action> {
        self.on(Event::AdvertReceived(heard(source, number)))
    }

    /// To the next deadline, punctually.
    /// Until something is done that the protocol asks for.
    fn wait_for_timer(&mut self) -> Vec<Action> {
        loop {
            self.now = self.machine.next_deadline().unwrap();
            let actions = self.on(Event::TimerExpired);
            self.assert_next_deadline();
            if actions != [Action::Probe] {
                return actions;
            }
        }
    }

    /// A timer that has expired and stays where it is would keep its driver busy for ever.
    fn assert_next_deadline(&self) {
        assert!(self.machine.next_deadline().is_none_or(|deadline| deadline > self.now));
    }

    /// So long, with every timer punctual.
    fn wait(&mut self, duration: Duration) -> Vec<Action> {
        let end = self.now + duration;
        let mut actions = Vec::new();
        while let Some(deadline) = self.machine.next_deadline().filter(|&deadline| deadline <= end) {
            self.now = deadline;
            actions.extend(self.on(Event::TimerExpired));
            self.assert_next_deadline();
        }
        self.now = end;
        actions
    }

    /// So long, and nothing runs.
    fn stall(&mut self, duration: Duration) {
        self.now += duration;
    }

    fn until_timer(&self) -> Option<Duration> {
        let mut ahead = self.clone();
        ahead.machine.next_deadline()?;
        ahead.wait_for_timer();
        Some(ahead.now - self.now)
    }
}

fn installing(actions: &[Action]) -> Term {
    let found = actions.iter().find_map(|action| match action {
        Action::InstallAddresses(term) => Some(*term),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing is installed: {actions:?}"))
}

fn advert(number: u8) -> Action {
    Action::SendAdvert { priority: Priority::from_wire(number) }
}

fn notify(state: State, reason: Reason) -> Action {
    Action::Notify { state, reason }
}

/// Without what only the flight recorder sees.
fn effects(actions: &[Action]) -> Vec<Action> {
    actions.iter().filter(|action| !matches!(action, Action::Record(_))).cloned().collect()
}

fn records(actions: &[Action]) -> Vec<Record> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Record(record) => Some(*record),
            _ => None,
        })
        .collect()
}
