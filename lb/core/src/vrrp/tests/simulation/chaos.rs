//! What a seed does to the hosts and the network.

use super::super::*;
use super::world::{Link, World};
use crate::balance::rng::SplitMix64;

/// Something that starts or ends at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Disturbance {
    Stall(usize),
    Wake(usize),
    Cut(usize),
    Shutdown(usize),
    Start(usize),
    LinkDown(usize),
    LinkUp(usize),
    Part { from: usize, to: usize },
    Join { from: usize, to: usize },
    Loss(u64),
    InstallsFail(usize, bool),
    AddressLost(usize),
    Eligible(usize, Eligibility),
    Release(usize),
    Take(usize),
    Conflict(usize),
}

pub(super) fn settings(rng: &mut SplitMix64) -> Vec<Settings> {
    let hosts = 2 + rng.below(2) as u8;
    let base = [254, 220, 130][rng.below(3) as usize];
    let gap = [0, 1, 4, 40][rng.below(4) as usize];
    let preempt = [Preempt::AtOnce, Preempt::AtOnce, Preempt::Never, Preempt::After(INTERVAL * 7)];
    let preempt = preempt[rng.below(4) as usize];
    let own = |number: u8| Settings {
        source: IpAddr::from([192, 0, 2, 10 + number]),
        preempt,
        ..super::super::settings(base - gap * number)
    };
    (0..hosts).map(own).collect()
}

/// Of a network that works.
pub(super) const WHOLE: Link =
    Link { whole: true, loss: 0, duplication: 0, most_delay: Duration::from_millis(2), reorders: false };

pub(super) fn bad(rng: &mut SplitMix64) -> Link {
    let loss = [0, 50, 300][rng.below(3) as usize];
    Link { whole: true, loss, duplication: 100, most_delay: INTERVAL * 3 / 10, reorders: true }
}

/// In order of time since the start, all within `length`.
pub(super) fn plan(rng: &mut SplitMix64, hosts: usize, length: Duration) -> Vec<(Duration, Disturbance)> {
    let mut plan = Vec::new();
    for _ in 0..4 + rng.below(12) {
        let at = within(rng, length);
        let host = rng.below(hosts as u64) as usize;
        let other = (host + 1 + rng.below(hosts as u64 - 1) as usize) % hosts;
        let end = at + within(rng, INTERVAL * 15);
        let (begin, over) = match rng.below(12) {
            0 | 1 => (Disturbance::Stall(host), Some(Disturbance::Wake(host))),
            2 => (Disturbance::Cut(host), Some(Disturbance::Start(host))),
            3 => (Disturbance::Shutdown(host), Some(Disturbance::Start(host))),
            4 => (Disturbance::LinkDown(host), Some(Disturbance::LinkUp(host))),
            5 | 6 => {
                let (from, to) = (host, other);
                (Disturbance::Part { from, to }, Some(Disturbance::Join { from, to }))
            }
            7 => (Disturbance::Loss(rng.below(600)), None),
            8 => (Disturbance::InstallsFail(host, true), Some(Disturbance::InstallsFail(host, false))),
            9 => (any_eligibility(rng, host), Some(any_eligibility(rng, host))),
            10 => (Disturbance::AddressLost(host), Some(Disturbance::Conflict(host))),
            _ => (Disturbance::Release(host), Some(Disturbance::Take(other))),
        };
        plan.push((at, begin));
        // Some things do not end.
        if let Some(over) = over.filter(|_| rng.below(8) != 0) {
            plan.push((end, over));
        }
    }
    plan.retain(|&(at, _)| at < length);
    plan.sort_by_key(|&(at, _)| at);
    plan
}

fn any_eligibility(rng: &mut SplitMix64, host: usize) -> Disturbance {
    let levels = [Eligibility::Full, Eligibility::Degraded, Eligibility::Unable, Eligibility::Barred];
    Disturbance::Eligible(host, levels[rng.below(4) as usize])
}

fn within(rng: &mut SplitMix64, length: Duration) -> Duration {
    Duration::from_micros(rng.below(length.as_micros() as u64))
}

impl World {
    pub(super) fn disturb(&mut self, disturbance: Disturbance) {
        self.note(format_args!("{disturbance:?}"));
        match disturbance {
            Disturbance::Stall(host) => self.stall(host),
            Disturbance::Wake(host) => self.wake(host),
            Disturbance::Cut(host) => self.cut(host),
            Disturbance::Shutdown(host) => {
                if !self.hosts[host].is_stalled() {
                    self.tell(host, Event::Shutdown);
                    self.cut(host);
                }
            }
            Disturbance::Start(host) => {
                if self.hosts[host].machine.is_none() {
                    self.start(host);
                }
            }
            Disturbance::LinkDown(host) => {
                self.tell(host, Event::LinkDown);
                self.hosts[host].link_up = false;
            }
            Disturbance::LinkUp(host) => {
                self.hosts[host].link_up = true;
                self.tell(host, Event::LinkUp);
            }
            Disturbance::Part { from, to } => self.links[from][to].whole = false,
            Disturbance::Join { from, to } => self.links[from][to].whole = true,
            Disturbance::Loss(loss) => self.links.iter_mut().flatten().for_each(|link| link.loss = loss),
            Disturbance::InstallsFail(host, fail) => self.hosts[host].installs_fail = fail,
            Disturbance::AddressLost(host) => {
                // One that does not run cannot know, and may announce them when it wakes.
                let this = &mut self.hosts[host];
                if !this.is_stalled() && std::mem::take(&mut this.has_addresses) {
                    self.tell(host, Event::AddressLost);
                }
            }
            Disturbance::Eligible(host, eligibility) => {
                let priority = self.hosts[host].settings.priority;
                self.tell(host, Event::EligibilityChanged { eligibility, priority });
            }
            Disturbance::Release(host) => self.tell(host, Event::Release),
            Disturbance::Take(host) => self.tell(host, Event::Take),
            Disturbance::Conflict(host) => self.tell(host, Event::ConflictSeen(ip("192.0.2.100"))),
        }
    }

    /// Everything works that is still there.
    pub(super) fn calm(&mut self) {
        self.note("calm");
        self.links.iter_mut().flatten().for_each(|link| *link = WHOLE);
        for host in 0..self.hosts.len() {
            self.hosts[host].installs_fail = false;
            self.wake(host);
        }
    }
}
