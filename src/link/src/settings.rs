//! How connections are made and watched.

use std::time::Duration;

use lb_core::config::{
    self, Balance, Check, CheckKind, Connect, Egress, OnDown, OnReturn, Rate, StartState, Tiers,
};
use settings::{Address, Problem, Section, between, not_zero};

/// One connection.
#[derive(Clone, Debug, PartialEq)]
pub struct LineSettings {
    pub server: Address,
    /// For the connection and the first word.
    pub connect: Duration,
    /// A peer that says nothing for so long, though it is asked, is gone.
    pub silence: Duration,
    /// Between tries to connect: from the first to the last, doubled each time.
    pub reconnect: (Duration, Duration),
    /// Messages that may be under way without a verdict.
    pub window: usize,
}

/// A server of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSettings {
    pub name: String,
    pub address: Address,
    /// Share inside its tier, 1 to 1000.
    pub weight: u16,
    /// Tier: 1 is used first.
    pub priority: u8,
}

/// Several servers that can stand in for each other.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolSettings {
    /// As `lb` has it: servers, tiers, rise and fall, what happens when a primary returns.
    pub pool: config::Pool,
    /// Of each of its connections; `server` is the server's address.
    pub line: LineSettings,
}

/// When servers are asked whether they are there.
#[derive(Clone, Copy, Debug)]
struct Asking {
    interval: Duration,
    timeout: Duration,
    rise: u32,
    fall: u32,
}

impl PoolSettings {
    /// The defaults, with these servers.
    #[must_use]
    pub fn new(name: &str, servers: Vec<ServerSettings>) -> Self {
        Self::build(name, servers, Asking::DEFAULT)
    }

    /// Reads a pool under `key` (`uaops:`): lb's words for servers, tiers, checks and the return of a primary.
    pub fn read(section: &mut Section<'_>, key: &'static str) -> Option<Self> {
        if !section.has(key) {
            section.missing(key, &format!("add `{key}:` with at least one item under `servers:`"));
            return None;
        }
        let mut section = section.section(key)?;
        let servers = servers(&mut section);
        let asking = section.section("check").map_or(Asking::DEFAULT, asking);
        let mut settings = Self::build(key, servers.clone().unwrap_or_default(), asking);
        if section.has("on_return") {
            settings.pool.on_return = config::on_return(&mut section);
        }
        let line = &mut settings.line;
        line.connect = section.checked("connect", line.connect, not_zero);
        line.reconnect =
            section.section("reconnect").map_or(line.reconnect, |s| reconnect(s, line.reconnect));
        line.window = usize::from(section.checked("window", WINDOW, between(1, 65_535)));
        settings.pool.connect = Connect { timeout: line.connect, budget: line.connect };
        section.finish();
        servers.map(|_| settings)
    }

    fn build(name: &str, servers: Vec<ServerSettings>, asking: Asking) -> Self {
        let check = asking.check();
        let connect = Duration::from_secs(1);
        let line = LineSettings {
            server: servers.first().map_or_else(nowhere, |server| server.address.clone()),
            connect,
            silence: asking.interval * asking.fall + asking.timeout,
            reconnect: (Duration::from_millis(50), Duration::from_secs(1)),
            window: usize::from(WINDOW),
        };
        let servers = servers
            .into_iter()
            .map(|ServerSettings { name, address, weight, priority }| config::Server {
                name,
                address,
                weight,
                priority,
                max_connections: None,
                check: Some(check.clone()),
            })
            .collect();
        let pool = config::Pool {
            name: name.to_owned(),
            balance: Balance::RoundRobin,
            tiers: Tiers::Classic,
            persistence: None,
            check: Some(check),
            agent: None,
            // a line that breaks is as good as all the checks that would have failed
            passive: None,
            connect: Connect { timeout: connect, budget: connect },
            on_down: OnDown::Close,
            on_return: OnReturn::Drain {
                rate: Rate { count: 10, per: Duration::from_secs(1) },
                jitter_percent: 20,
            },
            proxy_protocol: None,
            egress: Egress::Auto,
            slow_start: None,
            queue_timeout: Duration::ZERO,
            sorry_server: None,
            servers,
        };
        Self { pool, line }
    }
}

const WINDOW: u16 = 4096;

/// Stands where there is no server.
fn nowhere() -> Address {
    Address::Name { host: "localhost".to_owned(), port: 1 }
}

impl Asking {
    const DEFAULT: Self =
        Self { interval: Duration::from_millis(500), timeout: Duration::from_secs(1), rise: 2, fall: 2 };

    fn check(self) -> Check {
        Check {
            kind: CheckKind::Tcp,
            interval: self.interval,
            // a line that is up again is not left waiting
            fast_interval: (self.interval / 5).max(Duration::from_millis(1)),
            down_interval: self.interval,
            jitter_percent: 10,
            timeout: self.timeout,
            rise: self.rise,
            fall: self.fall,
            // at a start nothing is connected; the first answer is enough
            start: StartState::Down,
            address: None,
            port: None,
            proxy_protocol: None,
        }
    }
}

fn asking(mut section: Section<'_>) -> Asking {
    let default = Asking::DEFAULT;
    let asking = Asking {
        interval: section.checked("interval", default.interval, not_zero),
        timeout: section.checked("timeout", default.timeout, not_zero),
        rise: section.checked("rise", default.rise, between(1, 1000)),
        fall: section.checked("fall", default.fall, between(1, 1000)),
    };
    section.finish();
    asking
}

fn reconnect(mut section: Section<'_>, (first, most): (Duration, Duration)) -> (Duration, Duration) {
    let first = section.checked("first", first, not_zero);
    let most = section.checked("most", most.max(first), not_zero);
    if most < first {
        section.fault("most", Problem::new("this is shorter than `first`", "raise `most` or lower `first`"));
    }
    section.finish();
    (first, most)
}

/// `None` if there is none that is right.
fn servers(section: &mut Section<'_>) -> Option<Vec<ServerSettings>> {
    let items = section.items("servers");
    if items.is_empty() {
        section.missing("servers", "add at least one server with `name:` and `address:`");
    }
    let faults = section.faults();
    let mut servers: Vec<ServerSettings> = Vec::new();
    for node in items {
        let Some(mut section) = Section::open(node, faults) else { continue };
        let name: Option<String> = section.required("name");
        let address: Option<Address> = section.required("address");
        let weight = section.checked("weight", 100, between(1, 1000));
        let priority = section.checked("priority", 1, between(1, 255));
        if let Some(name) = &name
            && servers.iter().any(|other| other.name == *name)
        {
            let problem = format!("another server is called `{name}`");
            section.fault("name", Problem::new(problem, "choose another name"));
        }
        if let Some(other) = servers.iter().find(|other| Some(&other.address) == address.as_ref()) {
            let problem = format!("server `{}` has the same address", other.name);
            let advice = "one server per address; use `weight` to give it a larger share";
            section.fault("address", Problem::new(problem, advice));
        }
        section.finish();
        if let (Some(name), Some(address)) = (name, address) {
            servers.push(ServerSettings { name, address, weight, priority });
        }
    }
    (!servers.is_empty()).then_some(servers)
}

#[cfg(test)]
mod tests;
