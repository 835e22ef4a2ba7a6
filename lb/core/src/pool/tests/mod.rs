//! The pool as its callers see it. Every test tells a story on a clock of its own.

mod health;
mod properties;
mod reconfigure;
mod selection;
mod tiers;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::*;
use crate::config::{
    Address, Balance, Check, CheckKind, Connect, Egress, OnDown, OnReturn, SpillOver, StartState, Tiers,
};
use crate::health::test_epoch;

/// A pool, its clock, and shorthands.
struct World {
    pool: Pool,
    now: Instant,
}

impl World {
    fn new(settings: config::Pool) -> Self {
        let now = test_epoch();
        Self { pool: Pool::new(settings, now, 42), now }
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
    }

    fn id(&self, name: &str) -> ServerId {
        let found = self.pool.servers().find(|server| **server.name == *name);
        found.unwrap_or_else(|| panic!("no server {name}")).id
    }

    fn try_pick(&mut self, source: &str, tried: &[&str]) -> Result<Pick, NoServer> {
        let tried: Vec<_> = tried.iter().map(|name| self.id(name)).collect();
        self.pool.pick(&Request { source: ip(source), tried: &tried }, self.now)
    }

    /// Name of the server that the next connection goes to, which is made and stays; or why there is none.
    fn pick(&mut self) -> String {
        self.pick_for("198.51.100.1")
    }

    fn pick_for(&mut self, source: &str) -> String {
        match self.try_pick(source, &[]) {
            Ok(pick) => {
                assert_eq!(self.pool.connected(pick.server), []);
                pick.name.to_string()
            }
            Err(error) => format!("{error:?}"),
        }
    }

    /// As [`Self::pick`], and the connection ends at once.
    fn visit_from(&mut self, source: &str) -> String {
        let name = self.pick_for(source);
        if self.pool.servers().any(|server| **server.name == *name) {
            assert_eq!(self.close(&name), []);
        }
        name
    }

    fn visit(&mut self) -> String {
        self.visit_from("198.51.100.1")
    }

    /// How many of `connections` short ones go to each of `names`.
    fn spread<const N: usize>(&mut self, connections: usize, names: [&str; N]) -> [usize; N] {
        let mut counts = [0; N];
        for _ in 0..connections {
            let name = self.visit();
            let position = names.iter().position(|wanted| *wanted == name);
            counts[position.unwrap_or_else(|| panic!("unexpected {name}"))] += 1;
        }
        counts
    }

    fn close(&mut self, name: &str) -> Vec<Event> {
        let id = self.id(name);
        self.pool.closed(id, false, self.now)
    }

    fn pass(&mut self, name: &str) -> Vec<Event> {
        let question = self.question(name);
        self.answer(name, question, CheckResult::Passed { took: Duration::from_millis(2) })
    }

    fn fail(&mut self, name: &str) -> Vec<Event> {
        let question = self.question(name);
        self.answer(name, question, failed())
    }

    fn question(&self, name: &str) -> Question {
        self.pool.servers().find(|server| **server.name == *name).unwrap().question
    }

    fn answer(&mut self, name: &str, question: Question, result: CheckResult) -> Vec<Event> {
        let id = self.id(name);
        self.pool.check_result(id, question, result, self.now)
    }

    fn fail_connect(&mut self, name: &str) -> Vec<Event> {
        let id = self.id(name);
        let others: Vec<_> =
            self.pool.servers().map(|server| server.id).filter(|&other| other != id).collect();
        let request = Request { source: ip("198.51.100.1"), tried: &others };
        let pick = self.pool.pick(&request, self.now).unwrap();
        assert_eq!(pick.server, id);
        self.pool.connect_failed(id, self.now)
    }

    fn admin(&mut self, name: &str, state: AdminState) -> Vec<Event> {
        let id = self.id(name);
        self.pool.set_admin(id, state, self.now)
    }

    fn agent(&mut self, name: &str, line: &str) -> Vec<Event> {
        let id = self.id(name);
        self.pool.agent_reply(id, crate::health::AgentReply::parse(line.as_bytes()).unwrap(), self.now)
    }

    fn resolve(&mut self, name: &str, addresses: &[&str]) -> Vec<Event> {
        let addresses: Vec<_> = addresses.iter().map(|address| ip(address)).collect();
        let id = self.id(name);
        self.pool.resolved(id, &addresses, self.now)
    }

    fn reconfigure(&mut self, change: impl FnOnce(&mut config::Pool)) -> Vec<Event> {
        let mut settings = self.pool.settings().clone();
        change(&mut settings);
        self.pool.reconfigure(settings, self.now)
    }

    fn tick(&mut self) -> Vec<Event> {
        self.pool.tick(self.now)
    }

    fn status(&self, name: &str) -> ServerStatus {
        let servers = self.pool.status(self.now).servers;
        servers.into_iter().find(|server| server.name == name).unwrap()
    }
}

fn failed() -> CheckResult {
    CheckResult::Failed { took: secs(1), reason: "timeout".to_owned() }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Servers `(name, weight, priority)` on addresses of their own.
fn settings(servers: &[(&str, u16, u8)]) -> config::Pool {
    config::Pool {
        name: "empi".to_owned(),
        balance: Balance::RoundRobin,
        tiers: Tiers::Classic,
        persistence: None,
        check: None,
        agent: None,
        passive: None,
        connect: Connect { timeout: secs(1), budget: secs(5) },
        on_down: OnDown::Keep,
        on_return: OnReturn::Stay,
        proxy_protocol: None,
        egress: Egress::Auto,
        slow_start: None,
        queue_timeout: Duration::ZERO,
        sorry_server: None,
        servers: servers
            .iter()
            .zip(1..)
            .map(|(&(name, weight, priority), host)| config::Server {
                name: name.to_owned(),
                address: Address::Socket(SocketAddr::from(([192, 0, 2, host], 7099))),
                weight,
                priority,
                max_connections: None,
                check: None,
            })
            .collect(),
    }
}

/// Rise 2, fall 3, starts fully up, no jitter.
fn tcp_check() -> Check {
    Check {
        kind: CheckKind::Tcp,
        interval: secs(10),
        fast_interval: secs(1),
        down_interval: secs(5),
        jitter_percent: 0,
        timeout: secs(1),
        rise: 2,
        fall: 3,
        start: StartState::FullyUp,
        address: None,
        port: None,
        proxy_protocol: None,
    }
}

fn checked(mut settings: config::Pool, check: &Check) -> config::Pool {
    for server in &mut settings.servers {
        server.check = Some(check.clone());
    }
    settings
}

/// One failure is enough.
fn down_at_once() -> Check {
    Check { rise: 1, fall: 1, ..tcp_check() }
}

/// Two failures in 10 s eject for 30 s.
fn passive() -> config::Passive {
    config::Passive {
        failures: 2,
        window: secs(10),
        ejection: secs(30),
        max_ejection: secs(300),
        early_reset: secs(1),
    }
}

fn spill_over(panic_threshold_percent: u8) -> Tiers {
    Tiers::SpillOver(SpillOver { overprovisioning_percent: 140, panic_threshold_percent })
}

fn sorry() -> Option<Address> {
    Some(Address::Socket(SocketAddr::from(([192, 0, 2, 250], 7099))))
}

/// Events in short words: `down a`, `close a PrimaryReturned`.
fn short(world: &World, events: &[Event]) -> Vec<String> {
    let name = |id: &ServerId| {
        let servers = world.pool.status(world.now).servers;
        servers
            .into_iter()
            .find(|server| server.id == *id)
            .map_or_else(|| "?".to_owned(), |server| server.name)
    };
    let tier = |tier: &Option<u8>| tier.map_or("-".to_owned(), |tier| tier.to_string());
    events
        .iter()
        .map(|event| match event {
            Event::ServerUp { name, after, .. } => format!("up {name} after {}", after.label()),
            Event::ServerDraining { name, reason, .. } => format!("draining {name}: {reason}"),
            Event::ServerDown { name, reason, .. } => format!("down {name}: {reason}"),
            Event::Ejected { name, for_, .. } => format!("ejected {name} for {for_:?}"),
            Event::Readmitted { name, .. } => format!("readmitted {name}"),
            Event::WeightChanged { name, from, to, .. } => format!("weight {name} {from} to {to}"),
            Event::AddressChanged { name, to, .. } => format!("address {name} {to}"),
            Event::CheckNow { server } => format!("check {}", name(server)),
            Event::PoolUp => "pool up".to_owned(),
            Event::PoolDown => "pool down".to_owned(),
            Event::TierChanged { from, to } => format!("tier {} to {}", tier(from), tier(to)),
            Event::CloseConnections { server, reason, pace: Pace::AtOnce } => {
                format!("close {} {reason:?}", name(server))
            }
            Event::CloseConnections { server, reason, pace: Pace::Drain { .. } } => {
                format!("close {} {reason:?} slowly", name(server))
            }
        })
        .collect()
}
