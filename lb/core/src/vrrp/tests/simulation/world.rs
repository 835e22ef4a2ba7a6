//! Hosts, a network between them, and a clock that jumps from one thing to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::*;
use crate::balance::rng::SplitMix64;

/// A socket's buffer, in packets.
const INBOX: usize = 64;
/// Of netlink.
const INSTALL_TAKES: Duration = Duration::from_micros(300);
/// Of ARP, there and back.
const PROBE_TAKES: Duration = Duration::from_micros(200);

/// What carries a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) whole: bool,
    /// In thousandths.
    pub(super) loss: u64,
    pub(super) duplication: u64,
    pub(super) most_delay: Duration,
    /// Whether a packet may overtake another.
    pub(super) reorders: bool,
}

/// One host. Its kernel keeps the addresses while the process does not run.
pub(super) struct Host {
    pub(super) settings: Settings,
    /// `None`: the host is off.
    pub(super) machine: Option<Machine>,
    pub(super) has_addresses: bool,
    pub(super) installs_fail: bool,
    pub(super) link_up: bool,
    stalled: bool,
    inbox: Vec<Event>,
    /// Counts runs and removals, so that what was under way before comes to nothing.
    epoch: u64,
    /// Changes of state.
    pub(super) transitions: u32,
    /// Since when it has been running, able to run and without fault; as far as the last look goes.
    pub(super) fit_since: Option<Instant>,
}

impl Host {
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled
    }

    pub(super) fn is_fit(&self) -> bool {
        let state = self.machine.as_ref().map(Machine::state);
        !self.stalled && matches!(state, Some(State::Backup | State::Active))
    }

    pub(super) fn priority(&self) -> Option<Priority> {
        self.machine.as_ref().map(Machine::priority)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    Packet { to: usize, heard: Heard },
    Answer { to: usize, address: IpAddr },
    Install { host: usize, epoch: u64, term: Term },
}

pub(super) struct World {
    pub(super) hosts: Vec<Host>,
    /// From, to.
    pub(super) links: Vec<Vec<Link>>,
    pub(super) now: Instant,
    pub(super) rng: SplitMix64,
    pending: Vec<Option<Pending>>,
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    /// When the last packet arrives, from, to.
    last_arrival: Vec<Vec<Instant>>,
    /// What happened, for whoever has to understand a failure.
    pub(super) log: Vec<String>,
    start: Instant,
}

impl World {
    pub(super) fn new(settings: Vec<Settings>, seed: u64, link: Link) -> Self {
        let hosts: Vec<_> = settings
            .into_iter()
            .map(|settings| Host {
                settings,
                machine: None,
                has_addresses: false,
                installs_fail: false,
                link_up: true,
                stalled: false,
                inbox: Vec::new(),
                epoch: 0,
                transitions: 0,
                fit_since: None,
            })
            .collect();
        let links = vec![vec![link; hosts.len()]; hosts.len()];
        let now = test_epoch();
        let last_arrival = vec![vec![now; hosts.len()]; hosts.len()];
        Self {
            last_arrival,
            hosts,
            links,
            now,
            rng: SplitMix64::new(seed),
            pending: Vec::new(),
            queue: BinaryHeap::new(),
            log: Vec::new(),
            start: now,
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    pub(super) fn note(&mut self, what: impl std::fmt::Display) {
        self.log.push(format!("{:>12?} {what}", self.elapsed()));
    }

    pub(super) fn start(&mut self, host: usize) {
        self.note(format_args!("{host} starts"));
        self.hosts[host].machine = Some(Machine::new(self.hosts[host].settings.clone()));
        if !self.hosts[host].link_up {
            self.tell(host, Event::LinkDown);
        }
        self.tell(host, Event::Startup);
    }

    /// Power cut.
    pub(super) fn cut(&mut self, host: usize) {
        self.note(format_args!("{host} is cut off"));
        let host = &mut self.hosts[host];
        host.machine = None;
        host.has_addresses = false;
        host.stalled = false;
        host.inbox.clear();
        host.epoch += 1;
    }

    pub(super) fn stall(&mut self, host: usize) {
        self.note(format_args!("{host} stalls"));
        self.hosts[host].stalled = true;
    }

    pub(super) fn wake(&mut self, host: usize) {
        if !std::mem::take(&mut self.hosts[host].stalled) {
            return;
        }
        self.note(format_args!("{host} wakes"));
        for event in std::mem::take(&mut self.hosts[host].inbox) {
            self.tell(host, event);
        }
    }

    /// Tells a host's router, or keeps it for when it runs.
    pub(super) fn tell(&mut self, host: usize, event: Event) {
        let now = self.now;
        let this = &mut self.hosts[host];
        if this.stalled {
            let is_packet = matches!(event, Event::AdvertReceived(_));
            if !is_packet || this.inbox.len() < INBOX {
                this.inbox.push(event);
            }
            return;
        }
        let Some(machine) = &mut this.machine else {
            return;
        };
        let actions = machine.on_event(now, event);
        self.carry_out(host, actions);
    }

    fn carry_out(&mut self, host: usize, actions: Actions) {
        for action in actions {
            let state = self.hosts[host].machine.as_ref().map(Machine::state);
            match action {
                Action::SendAdvert { priority } => {
                    if self.hosts[host].link_up {
                        self.send(host, priority);
                    }
                }
                Action::InstallAddresses(term) => {
                    let epoch = self.hosts[host].epoch;
                    self.schedule(INSTALL_TAKES, Pending::Install { host, epoch, term });
                }
                Action::RemoveAddresses => {
                    self.hosts[host].has_addresses = false;
                    self.hosts[host].epoch += 1;
                }
                Action::Announce(_) => {
                    assert!(self.hosts[host].has_addresses, "{host} announces what it does not have");
                    assert_eq!(state, Some(State::Active), "{host} announces");
                }
                Action::Notify { state, reason } => {
                    self.note(format_args!("{host} is {state:?}: {reason:?}"));
                    self.hosts[host].transitions += 1;
                }
                Action::Probe => self.probe(host),
                Action::Ready(_) | Action::Record(_) => {}
            }
        }
    }

    /// The kernel of whoever has the addresses answers, whether its process runs or not.
    fn probe(&mut self, from: usize) {
        let reaches = |to: usize| self.links[from][to].whole && self.links[to][from].whole;
        let answers = |to: usize| to != from && self.hosts[to].has_addresses && self.hosts[to].link_up;
        if self.hosts[from].link_up && (0..self.hosts.len()).any(|to| answers(to) && reaches(to)) {
            let address = self.hosts[from].settings.addresses.as_slice()[0];
            self.schedule(PROBE_TAKES, Pending::Answer { to: from, address });
        }
    }

    fn send(&mut self, from: usize, priority: Option<Priority>) {
        let Settings { source, interval, .. } = self.hosts[from].settings;
        let addresses = self.hosts[from].settings.addresses.clone();
        let heard = Heard { source, priority, interval, addresses };
        for to in (0..self.hosts.len()).filter(|&to| to != from) {
            let link = self.links[from][to];
            let copies = 1 + u32::from(self.rng.below(1000) < link.duplication);
            for _ in 0..copies {
                let lost = !link.whole || self.rng.below(1000) < link.loss;
                let delay = Duration::from_micros(self.rng.below(link.most_delay.as_micros() as u64) + 20);
                if !lost {
                    let last = &mut self.last_arrival[from][to];
                    let after =
                        if link.reorders { Duration::ZERO } else { last.saturating_duration_since(self.now) };
                    let delay = delay.max(after);
                    *last = (*last).max(self.now + delay);
                    self.schedule(delay, Pending::Packet { to, heard: heard.clone() });
                }
            }
        }
    }

    fn schedule(&mut self, after: Duration, pending: Pending) {
        self.queue.push(Reverse((self.now + after, self.pending.len())));
        self.pending.push(Some(pending));
    }

    /// Does what is next, but nothing after `end`; false when there is nothing left until then.
    pub(super) fn step(&mut self, end: Instant) -> bool {
        let timer = (0..self.hosts.len())
            .filter(|&host| !self.hosts[host].stalled)
            .filter_map(|host| Some((self.hosts[host].machine.as_ref()?.next_deadline()?, host)))
            .min();
        let queued = self.queue.peek().map(|Reverse((at, _))| *at);
        match (timer, queued) {
            // What has arrived goes before what has expired.
            (_, Some(at)) if at <= end && timer.is_none_or(|(timer, _)| at <= timer.max(self.now)) => {
                self.now = at;
                self.arrive();
                true
            }
            (Some((at, host)), _) if at <= end => {
                self.now = self.now.max(at);
                self.tell(host, Event::TimerExpired);
                let machine = self.hosts[host].machine.as_ref();
                let next = machine.and_then(Machine::next_deadline);
                assert!(next.is_none_or(|next| next > self.now), "{host} is woken for ever");
                true
            }
            _ => {
                self.now = end;
                false
            }
        }
    }

    fn arrive(&mut self) {
        let Some(pending) = self.queue.pop().and_then(|Reverse((_, index))| self.pending[index].take())
        else {
            return;
        };
        match pending {
            Pending::Packet { to, heard } => {
                if self.hosts[to].link_up {
                    self.tell(to, Event::AdvertReceived(heard));
                }
            }
            Pending::Answer { to, address } => {
                if self.hosts[to].link_up {
                    self.tell(to, Event::AddressAnswered(address));
                }
            }
            Pending::Install { host, epoch, term } => {
                let this = &mut self.hosts[host];
                if this.epoch != epoch || this.machine.is_none() {
                    return;
                }
                if this.installs_fail {
                    self.tell(host, Event::AddressesFailed(term));
                } else {
                    this.has_addresses = true;
                    self.tell(host, Event::AddressesInstalled(term));
                }
            }
        }
    }
}
