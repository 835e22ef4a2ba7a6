//! Two hosts with a group of two virtual routers each, on two links.

use super::*;

const LINKS: usize = 2;

struct Host {
    members: Vec<Machine>,
    group: Group,
}

/// Both hosts, and which links carry packets.
struct World {
    hosts: [Host; 2],
    links: [bool; LINKS],
    running: [bool; 2],
    now: Instant,
}

impl World {
    fn new() -> Self {
        let host = |number: u8, source: &str| {
            let settings = Settings { grouped: true, source: ip(source), ..settings(number) };
            Host { members: vec![Machine::new(settings); LINKS], group: Group::new(LINKS) }
        };
        let hosts = [host(250, LOWER_PEER), host(200, GREATER_PEER)];
        let mut world = Self { hosts, links: [true; LINKS], running: [true; 2], now: test_epoch() };
        for host in 0..2 {
            for link in 0..LINKS {
                world.tell(host, link, Event::Startup);
            }
        }
        world
    }

    fn tell(&mut self, host: usize, link: usize, event: Event) {
        let Host { members, group } = &mut self.hosts[host];
        let actions = members[link].on_event(self.now, event);
        let others = group.on_actions(link, &actions);
        for action in actions {
            match action {
                Action::SendAdvert { priority } => self.send(host, link, priority),
                Action::InstallAddresses(term) => self.tell(host, link, Event::AddressesInstalled(term)),
                _ => {}
            }
        }
        for (member, event) in others {
            self.tell(host, member, event);
        }
    }

    fn send(&mut self, host: usize, link: usize, number: Option<Priority>) {
        let peer = 1 - host;
        if self.links[link] && self.running[peer] {
            let source = [LOWER_PEER, GREATER_PEER][host];
            let heard = heard(source, number.map_or(0, Priority::get));
            self.tell(peer, link, Event::AdvertReceived(heard));
        }
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some((at, host, link)) = self.next().filter(|&(at, ..)| at <= end) {
            self.now = at;
            self.tell(host, link, Event::TimerExpired);
        }
        self.now = end;
    }

    fn next(&self) -> Option<(Instant, usize, usize)> {
        let running = (0..2).filter(|&host| self.running[host]);
        running
            .flat_map(|host| (0..LINKS).map(move |link| (host, link)))
            .filter_map(|(host, link)| {
                self.hosts[host].members[link].next_deadline().map(|at| (at, host, link))
            })
            .min()
    }

    fn states(&self, host: usize) -> [State; LINKS] {
        std::array::from_fn(|link| self.hosts[host].members[link].state())
    }
}

#[test]
fn the_better_host_has_all() {
    let mut world = World::new();
    world.wait(millis(1000));
    assert_eq!(world.states(0), [State::Active; 2]);
    assert_eq!(world.states(1), [State::Backup; 2]);
}

#[test]
fn a_dead_host_loses_all() {
    let mut world = World::new();
    world.wait(millis(1000));
    world.running[0] = false;
    world.wait(millis(350));
    assert_eq!(world.states(1), [State::Active; 2]);
}

#[test]
fn a_link_that_carries_nothing_moves_nothing() {
    let mut world = World::new();
    world.wait(millis(1000));
    world.links[0] = false;
    world.wait(millis(2000));
    assert_eq!(world.states(0), [State::Active; 2]);
    assert_eq!(world.states(1), [State::Backup; 2]);
}

#[test]
fn a_link_that_goes_down_moves_all_and_back() {
    let mut world = World::new();
    world.wait(millis(1000));
    world.links[0] = false;
    world.tell(0, 0, Event::LinkDown);
    let fault = |reason| State::Fault(reason);
    assert_eq!(world.states(0), [fault(FaultReason::InterfaceDown), fault(FaultReason::GroupMember)]);
    world.wait(millis(400));
    assert_eq!(world.states(1), [State::Active; 2]);

    world.links[0] = true;
    world.tell(0, 0, Event::LinkUp);
    assert_eq!(world.states(0), [State::Backup; 2]);
    world.wait(millis(400));
    assert_eq!(world.states(0), [State::Active; 2], "it preempts");
    assert_eq!(world.states(1), [State::Backup; 2]);
}

#[test]
fn a_member_that_is_released_takes_the_others_with_it() {
    let mut world = World::new();
    world.wait(millis(1000));
    for link in 0..LINKS {
        world.tell(0, link, Event::Release);
    }
    assert_eq!(world.states(0), [State::Backup; 2]);
    // The skew time of both.
    world.wait(millis(25));
    assert_eq!(world.states(1), [State::Active; 2]);
    world.wait(millis(2000));
    assert_eq!(world.states(1), [State::Active; 2]);
}

#[test]
fn shutdown_hands_over_all() {
    let mut world = World::new();
    world.wait(millis(1000));
    for link in 0..LINKS {
        world.tell(0, link, Event::Shutdown);
    }
    world.running[0] = false;
    world.wait(millis(25));
    assert_eq!(world.states(1), [State::Active; 2]);
}

#[test]
fn a_group_of_members_that_live_already_goes_on() {
    let grouped = || Settings { grouped: true, ..settings(200) };
    let waiting = {
        let mut router = Router::backup(grouped());
        router.wait_for_timer();
        router
    };
    assert!(waiting.machine.waits_for_group());
    let listening = Router::backup(grouped());
    let mut group = Group::of([&waiting.machine, &listening.machine]);
    let mut ready = Actions::default();
    ready.push(Action::Ready(true));
    assert_eq!(group.on_actions(1, &ready), [(0, Event::GroupReady), (1, Event::GroupReady)]);

    let mut faulty = Router::backup(grouped());
    faulty.on(Event::LinkDown);
    let mut told = Router::backup(grouped());
    told.on(Event::GroupFault(true));
    // told once, and not again by the group's next life
    let mut group = Group::of([&told.machine, &faulty.machine]);
    assert_eq!(group.on_actions(0, &Actions::default()), []);
    let mut alone = Group::of([&told.machine]);
    assert_eq!(alone.on_actions(0, &Actions::default()), [(0, Event::GroupFault(false))]);
}
