//! What a pool decides. Its connections are lanes: messages go round the lanes, and each lane has a server, which lb's
//! pool picks for it as it does for a connection. So weights, tiers and `on_return` mean what they mean there.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use lb_core::balance::rng::SplitMix64;
use lb_core::config;
use lb_core::pool::{self, CheckResult, Event, Pace, Reason, Request, ServerId};

use super::News;

/// Weights are as fine as this.
pub(super) const LANES: usize = 32;

#[derive(Debug)]
pub(super) struct Core {
    pool: pool::Pool,
    servers: Vec<Server>,
    lanes: [Option<ServerId>; LANES],
    /// The lane of the next message.
    next: usize,
    /// As last announced.
    tier: Option<u8>,
    drain: Option<Drain>,
    /// Until when the first word of every server is waited for. Whoever connects first would have the lanes otherwise, be
    /// it the primary or not.
    start: Option<Instant>,
    rng: SplitMix64,
}

#[derive(Debug)]
pub(super) struct Server {
    pub id: ServerId,
    pub name: String,
    pub priority: u8,
    pub up: bool,
    fall: u32,
    /// Before the start is over: what is known. After it: whether anything was told.
    first: First,
}

#[derive(Debug)]
enum First {
    Unknown,
    Passed(Duration),
    Failed(String),
    Told,
}

/// Lanes are closed one after the other.
#[derive(Debug)]
struct Drain {
    servers: Vec<ServerId>,
    interval: Duration,
    jitter_percent: u8,
    next: Instant,
}

impl Core {
    pub(super) fn new(settings: config::Pool, start: Instant, now: Instant, seed: u64) -> Self {
        let wanted = settings.servers.clone();
        let mut pool = pool::Pool::new(settings, now, seed);
        // names are looked up whenever a connection is made; to the pool they are always known
        let ids: Vec<ServerId> = pool.servers().map(|server| server.id).collect();
        for id in ids {
            let _ = pool.resolved(id, &[SOMEWHERE], now);
        }
        let servers = wanted.iter().filter_map(|server| {
            let id = pool.servers().find(|known| **known.name == server.name)?.id;
            Some(Server {
                id,
                name: server.name.clone(),
                priority: server.priority,
                up: false,
                fall: server.check.as_ref().map_or(1, |check| check.fall),
                first: First::Unknown,
            })
        });
        let servers = servers.collect();
        Self {
            pool,
            servers,
            lanes: [None; LANES],
            next: 0,
            tier: None,
            drain: None,
            start: Some(start),
            rng: SplitMix64::new(seed),
        }
    }

    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }

    pub(super) fn lanes_on(&self, server: ServerId) -> usize {
        self.lanes.iter().filter(|lane| **lane == Some(server)).count()
    }

    pub(super) fn is_usable(&self) -> bool {
        self.lanes.iter().any(Option::is_some)
    }

    /// A check has passed.
    pub(super) fn passed(&mut self, server: usize, took: Duration, now: Instant) -> Vec<News> {
        if self.start.is_some() {
            return self.first(server, First::Passed(took), now);
        }
        let events = self.check_result(server, CheckResult::Passed { took }, now);
        self.follow(events, now)
    }

    /// A check has failed.
    pub(super) fn failed(&mut self, server: usize, reason: &str, now: Instant) -> Vec<News> {
        self.fail(server, reason, 1, now)
    }

    /// The connection is broken, or the server says that it takes nothing: there is no doubt, and it does not take as many
    /// checks as usual.
    pub(super) fn broken(&mut self, server: usize, reason: &str, now: Instant) -> Vec<News> {
        let times = self.servers.get(server).map_or(1, |server| server.fall);
        self.fail(server, reason, times, now)
    }

    fn fail(&mut self, server: usize, reason: &str, times: u32, now: Instant) -> Vec<News> {
        if self.start.is_some() {
            return self.first(server, First::Failed(reason.to_owned()), now);
        }
        let mut news = Vec::new();
        for _ in 0..times {
            let result = CheckResult::Failed { took: Duration::ZERO, reason: reason.to_owned() };
            let events = self.check_result(server, result, now);
            news.extend(self.follow(events, now));
        }
        if let Some(server) = self.servers.get_mut(server)
            && let First::Unknown = std::mem::replace(&mut server.first, First::Told)
        {
            news.push(News::Down { server: server.name.clone(), reason: reason.to_owned() });
        }
        news
    }

    fn check_result(&mut self, server: usize, result: CheckResult, now: Instant) -> Vec<Event> {
        let Some(id) = self.servers.get(server).map(|server| server.id) else { return Vec::new() };
        let question = self.pool.servers().find(|view| view.id == id).map(|view| view.question);
        question.map_or_else(Vec::new, |question| self.pool.check_result(id, question, result, now))
    }

    /// When the server is to be asked next.
    pub(super) fn next_check(&self, server: usize) -> Option<Instant> {
        if self.start.is_some() {
            return self.start;
        }
        self.pool.next_check(self.servers.get(server)?.id)
    }

    fn first(&mut self, server: usize, first: First, now: Instant) -> Vec<News> {
        if let Some(server) = self.servers.get_mut(server) {
            server.first = first;
        }
        if self.servers.iter().any(|server| matches!(server.first, First::Unknown)) {
            return Vec::new();
        }
        self.begin(now)
    }

    /// The start is over: the best tier is told first.
    fn begin(&mut self, now: Instant) -> Vec<News> {
        self.start = None;
        let mut order: Vec<usize> = (0..self.servers.len()).collect();
        order.sort_by_key(|&server| self.servers.get(server).map(|server| server.priority));
        let mut news = Vec::new();
        for server in order {
            let Some(first) =
                self.servers.get_mut(server).map(|s| std::mem::replace(&mut s.first, First::Unknown))
            else {
                continue;
            };
            news.extend(match first {
                First::Unknown | First::Told => Vec::new(),
                First::Passed(took) => self.passed(server, took, now),
                First::Failed(reason) => self.broken(server, &reason, now),
            });
        }
        if self.tier.is_none() {
            news.push(News::Tier { from: None, to: None });
        }
        news
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let drain = self.drain.as_ref().map(|drain| drain.next);
        [self.pool.next_deadline(), drain, self.start].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        if self.start.is_some_and(|start| start <= now) {
            news.extend(self.begin(now));
        }
        let events = self.pool.tick(now);
        news.extend(self.follow(events, now));
        while let Some(drain) = self.drain.take_if(|drain| drain.next <= now) {
            news.extend(self.drain_one(drain, now));
        }
        news
    }

    fn drain_one(&mut self, mut drain: Drain, now: Instant) -> Vec<News> {
        let lane = self.lanes.iter().position(|lane| lane.is_some_and(|id| drain.servers.contains(&id)));
        // none is left: it is over
        let Some(lane) = lane else { return Vec::new() };
        let spread = drain.interval * u32::from(drain.jitter_percent.min(100)) / 100;
        let jitter = Duration::from_nanos(self.rng.below(nanos(spread * 2).max(1)));
        drain.next += (drain.interval - spread + jitter).max(Duration::from_millis(1));
        self.drain = Some(drain);
        let events = self.close(lane, now);
        self.follow(events, now)
    }

    /// The server for the next message.
    pub(super) fn lane(&mut self) -> Option<usize> {
        for _ in 0..LANES {
            let lane = self.lanes.get(self.next).copied().flatten();
            self.next = (self.next + 1) % LANES;
            if let Some(id) = lane {
                return self.position(id);
            }
        }
        None
    }

    /// Another server, for messages that these would not take.
    pub(super) fn other(&mut self, tried: &[usize], now: Instant) -> Option<usize> {
        let tried: Vec<ServerId> =
            tried.iter().filter_map(|&server| self.servers.get(server)).map(|server| server.id).collect();
        let pick = self.pool.pick(&Request { source: SOMEWHERE, tried: &tried }, now).ok()?;
        self.pool.connect_abandoned(pick.server);
        self.position(pick.server)
    }

    /// Half of it to all of it.
    pub(super) fn jittered(&mut self, pause: Duration) -> Duration {
        let half = pause / 2;
        half + Duration::from_nanos(self.rng.below(nanos(half).max(1)))
    }

    fn position(&self, id: ServerId) -> Option<usize> {
        self.servers.iter().position(|server| server.id == id)
    }

    /// Carries out what the pool says, and gives each lane a server.
    fn follow(&mut self, events: Vec<Event>, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        let mut todo = events;
        let mut back = false;
        for event in std::mem::take(&mut todo) {
            match event {
                Event::ServerUp { server, name, .. } => {
                    back |= self.tell(server, true) == self.tier;
                    news.push(News::Up { server: name.to_string() });
                }
                Event::ServerDown { server, name, reason } => {
                    self.tell(server, false);
                    news.push(News::Down { server: name.to_string(), reason: word(&reason) });
                }
                Event::TierChanged { from, to } => {
                    // the lanes that a drain would close may be on the tier that is needed now
                    self.drain = None;
                    self.tier = to;
                    news.push(News::Tier { from, to });
                }
                Event::CloseConnections { server, pace: Pace::AtOnce, .. } => self.close_all(&[server], now),
                Event::CloseConnections { server, pace: Pace::Drain { rate, jitter_percent }, .. } => {
                    let interval = rate.per / rate.count.max(1);
                    let fresh =
                        || Drain { servers: Vec::new(), interval, jitter_percent, next: now + interval };
                    self.drain.get_or_insert_with(fresh).servers.push(server);
                }
                // nothing of these is configured, or nothing follows from it here
                Event::ServerDraining { .. }
                | Event::Ejected { .. }
                | Event::Readmitted { .. }
                | Event::WeightChanged { .. }
                | Event::AddressChanged { .. }
                | Event::CheckNow { .. }
                | Event::PoolUp
                | Event::PoolDown => {}
            }
        }
        if back {
            self.share_anew(now);
        }
        self.fill(now);
        news
    }

    /// Returns the server's tier.
    fn tell(&mut self, id: ServerId, up: bool) -> Option<u8> {
        let server = self.servers.iter_mut().find(|server| server.id == id)?;
        server.up = up;
        server.first = First::Told;
        Some(server.priority)
    }

    /// A server of the tier in use is back. Lanes do not end by themselves, as connections do: it would never get any.
    fn share_anew(&mut self, now: Instant) {
        let tier = self.servers.iter().filter(|server| Some(server.priority) == self.tier);
        let tier: Vec<ServerId> = tier.map(|server| server.id).collect();
        self.close_all(&tier, now);
    }

    fn close_all(&mut self, servers: &[ServerId], now: Instant) {
        for lane in 0..LANES {
            if self.lanes[lane].is_some_and(|id| servers.contains(&id)) {
                // a lane is closed in good order: nothing follows
                drop(self.close(lane, now));
            }
        }
    }

    fn close(&mut self, lane: usize, now: Instant) -> Vec<Event> {
        let server = self.lanes.get_mut(lane).and_then(Option::take);
        server.map_or_else(Vec::new, |server| self.pool.closed(server, false, now))
    }

    fn fill(&mut self, now: Instant) {
        for lane in &mut self.lanes {
            if lane.is_none()
                && let Ok(pick) = self.pool.pick(&Request { source: SOMEWHERE, tried: &[] }, now)
            {
                *lane = Some(pick.server);
                // nothing is on trial: nothing is ever ejected
                drop(self.pool.connected(pick.server));
            }
        }
    }
}

/// Lanes have no client, and lb's pool needs no address of a server that it does not connect to.
const SOMEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn word(reason: &Reason) -> String {
    match reason {
        Reason::Check(text) => text.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
