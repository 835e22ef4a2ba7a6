//! Whatever happens, in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// One thing that workers, checks, operators or time may do. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Operation {
    Pick { source: u8, tried: Vec<u8> },
    End { connection: u8, how: End },
    Check { server: u8, passes: bool },
    Agent { server: u8, line: &'static str },
    Resolve { server: u8, addresses: Vec<u8> },
    Admin { server: u8, state: AdminState },
    Weight { server: u8, weight: Option<u16> },
    Wait { millis: u16 },
    Remove { server: u8 },
    Restore,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Connected,
    ConnectFailed,
    Abandoned,
    Closed,
    EarlyReset,
}

fn operation() -> impl Strategy<Value = Operation> {
    let how = prop::sample::select(vec![
        End::Connected,
        End::ConnectFailed,
        End::Abandoned,
        End::Closed,
        End::EarlyReset,
    ]);
    let line =
        prop::sample::select(vec!["50%", "0%", "100%", "maxconn:1", "ready", "drain", "maint", "down", "up"]);
    let admin = prop::sample::select(vec![AdminState::Ready, AdminState::Drain, AdminState::Maint]);
    prop_oneof![
        6 => (any::<u8>(), prop::collection::vec(any::<u8>(), 0..3))
            .prop_map(|(source, tried)| Operation::Pick { source, tried }),
        6 => (any::<u8>(), how).prop_map(|(connection, how)| Operation::End { connection, how }),
        4 => (any::<u8>(), any::<bool>()).prop_map(|(server, passes)| Operation::Check { server, passes }),
        1 => (any::<u8>(), line).prop_map(|(server, line)| Operation::Agent { server, line }),
        1 => (any::<u8>(), prop::collection::vec(0u8..3, 0..2))
            .prop_map(|(server, addresses)| Operation::Resolve { server, addresses }),
        1 => (any::<u8>(), admin).prop_map(|(server, state)| Operation::Admin { server, state }),
        1 => (any::<u8>(), prop::option::of(0u16..4))
            .prop_map(|(server, weight)| Operation::Weight { server, weight }),
        2 => any::<u16>().prop_map(|millis| Operation::Wait { millis }),
        1 => any::<u8>().prop_map(|server| Operation::Remove { server }),
        1 => Just(Operation::Restore),
    ]
}

fn any_settings() -> impl Strategy<Value = config::Pool> {
    let balance = prop::sample::select(vec![
        Balance::RoundRobin,
        Balance::LeastConnections,
        Balance::RandomTwo,
        Balance::SourceHash,
    ]);
    let tiers = prop::sample::select(vec![Tiers::Classic, spill_over(0), spill_over(50)]);
    let servers = prop::collection::vec((0u16..4, 1u8..4, prop::option::of(1u32..4)), 1..5);
    (balance, tiers, servers, any::<[bool; 4]>()).prop_map(
        |(balance, tiers, servers, [persist, sorry_server, slow, close])| {
            let names = ["a", "b", "c", "d"];
            let list: Vec<_> =
                servers.iter().zip(names).map(|(&(weight, tier, _), name)| (name, weight, tier)).collect();
            let mut settings = checked(settings(&list), &Check { fall: 2, ..tcp_check() });
            for (server, (_, _, limit)) in settings.servers.iter_mut().zip(servers) {
                server.max_connections = limit;
            }
            settings.servers[0].address = Address::Name { host: "a.example".to_owned(), port: 7099 };
            config::Pool {
                balance,
                tiers,
                passive: Some(passive()),
                persistence: persist.then_some(config::Persistence {
                    timeout: secs(60),
                    prefix_v4: 30,
                    prefix_v6: 64,
                }),
                sorry_server: sorry_server.then(sorry).flatten(),
                slow_start: slow.then_some(secs(20)),
                on_down: if close { OnDown::Close } else { OnDown::Keep },
                on_return: if close { OnReturn::Close } else { OnReturn::Stay },
                agent: Some(config::Agent {
                    port: 1,
                    address: None,
                    interval: secs(1),
                    timeout: secs(1),
                    send: vec![],
                }),
                ..settings
            }
        },
    )
}

/// The pool, and what a faithful caller knows.
struct Model {
    world: World,
    whole: config::Pool,
    /// Connections: server, and whether connected.
    connections: Vec<(ServerId, bool)>,
    /// As told by events.
    pool_up: bool,
}

impl Model {
    fn new(settings: config::Pool) -> Self {
        let world = World::new(settings.clone());
        let pool_up = world.pool.status(world.now).usable > 0;
        Self { world, whole: settings, connections: Vec::new(), pool_up }
    }

    fn server(&self, number: u8) -> ServerId {
        let ids: Vec<_> = self.world.pool.status(self.world.now).servers.iter().map(|s| s.id).collect();
        ids.get(usize::from(number) % ids.len().max(1)).copied().unwrap_or(ServerId(0))
    }

    fn run(&mut self, operation: Operation) {
        let now = self.world.now;
        let events = match operation {
            Operation::Pick { source, tried } => {
                let tried: Vec<_> = tried.iter().map(|&number| self.server(number)).collect();
                self.pick(source, &tried);
                Vec::new()
            }
            Operation::End { connection, how } => self.end(connection, how),
            Operation::Check { server, passes } => {
                let took = secs(1);
                let result = if passes {
                    CheckResult::Passed { took }
                } else {
                    CheckResult::Failed { took, reason: "refused".to_owned() }
                };
                let id = self.server(server);
                let asked = self.world.pool.servers().find(|server| server.id == id);
                let question = asked.map(|server| server.question).unwrap_or_default();
                self.world.pool.check_result(id, question, result, now)
            }
            Operation::Agent { server, line } => {
                let reply = crate::health::AgentReply::parse(line.as_bytes()).unwrap();
                self.world.pool.agent_reply(self.server(server), reply, now)
            }
            Operation::Resolve { server, addresses } => {
                let addresses: Vec<_> =
                    addresses.iter().map(|host| IpAddr::from([192, 0, 2, 100 + host])).collect();
                self.world.pool.resolved(self.server(server), &addresses, now)
            }
            Operation::Admin { server, state } => self.world.pool.set_admin(self.server(server), state, now),
            Operation::Weight { server, weight } => {
                self.world.pool.set_weight(self.server(server), weight, now)
            }
            Operation::Wait { millis } => {
                self.world.wait(Duration::from_millis(u64::from(millis)));
                self.world.tick()
            }
            Operation::Remove { server } => {
                let count = self.world.pool.settings().servers.len();
                self.world.reconfigure(|settings| {
                    if count > 1 {
                        settings.servers.remove(usize::from(server) % count);
                    }
                })
            }
            Operation::Restore => self.world.pool.reconfigure(self.whole.clone(), now),
        };
        self.listen(&events);
        self.compare();
    }

    fn pick(&mut self, source: u8, tried: &[ServerId]) {
        let now = self.world.now;
        let before = self.world.pool.status(now);
        let request = Request { source: IpAddr::from([10, 0, 0, source % 16]), tried };
        let open = |server: &ServerStatus| {
            !tried.contains(&server.id) && server.max_connections.is_none_or(|limit| server.live < limit)
        };
        match self.world.pool.pick(&request, now) {
            Ok(pick) => {
                let server = before.servers.iter().find(|server| server.id == pick.server).unwrap();
                assert!(open(server), "{server:?} is full or was tried");
                assert_eq!(server.resolved, Some(pick.address.to_string()));
                let persistent = self.whole.persistence.is_some() && server.state == State::Draining;
                let panic = before.tiers.iter().any(|tier| tier.priority == server.tier && tier.panic);
                let allowed = server.admin == AdminState::Ready && server.state != State::Retired;
                assert!(
                    server.state == State::Up || persistent || panic && allowed,
                    "{server:?} is not usable"
                );
                if pick.sorry {
                    let better = |other: &&ServerStatus| {
                        other.state == State::Up && !other.sorry && !tried.contains(&other.id)
                    };
                    assert_eq!(before.servers.iter().find(better), None);
                }
                self.connections.push((pick.server, false));
            }
            Err(error) => {
                let usable = |server: &&ServerStatus| server.state == State::Up && !server.sorry;
                assert!(!before.servers.iter().filter(usable).any(open), "{error:?} though one is open");
                let full = before.servers.iter().filter(usable).any(|server| !tried.contains(&server.id));
                let panic = before.tiers.iter().any(|tier| tier.panic);
                assert!(panic || (error == NoServer::Full) == full, "{error:?}");
            }
        }
    }

    fn end(&mut self, connection: u8, how: End) -> Vec<Event> {
        if self.connections.is_empty() {
            return Vec::new();
        }
        let position = usize::from(connection) % self.connections.len();
        let (server, connected) = self.connections[position];
        let now = self.world.now;
        let pool = &mut self.world.pool;
        let events = match (connected, how) {
            (false, End::Connected) => {
                self.connections[position].1 = true;
                return pool.connected(server);
            }
            (false, End::ConnectFailed | End::EarlyReset) => pool.connect_failed(server, now),
            (false, End::Abandoned | End::Closed) => {
                pool.connect_abandoned(server);
                Vec::new()
            }
            (true, End::EarlyReset | End::ConnectFailed) => pool.closed(server, true, now),
            (true, End::Connected | End::Abandoned | End::Closed) => pool.closed(server, false, now),
        };
        self.connections.remove(position);
        events
    }

    /// Events must add up to the state.
    fn listen(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::PoolUp => {
                    assert!(!self.pool_up);
                    self.pool_up = true;
                }
                Event::PoolDown => {
                    assert!(self.pool_up);
                    self.pool_up = false;
                }
                Event::Ejected { .. } => {
                    assert!(self.world.pool.status(self.world.now).usable > 0, "ejected the last one");
                }
                Event::CloseConnections { server, .. } => {
                    assert!(self.connections.iter().any(|(id, _)| id == server), "nothing to close");
                }
                Event::ServerUp { .. }
                | Event::ServerDraining { .. }
                | Event::ServerDown { .. }
                | Event::Readmitted { .. }
                | Event::WeightChanged { .. }
                | Event::AddressChanged { .. }
                | Event::CheckNow { .. }
                | Event::TierChanged { .. } => {}
            }
        }
    }

    fn compare(&self) {
        let status = self.world.pool.status(self.world.now);
        assert_eq!(self.pool_up, status.usable > 0);
        let mut live: BTreeMap<ServerId, (u32, u32)> = BTreeMap::new();
        for &(server, connected) in &self.connections {
            let entry = live.entry(server).or_default();
            entry.0 += 1;
            entry.1 += u32::from(!connected);
        }
        for server in &status.servers {
            let expected = live.remove(&server.id).unwrap_or_default();
            assert_eq!((server.live, server.pending), expected, "{server:?}");
            assert!(server.state != State::Retired || server.live > 0, "{server:?} lingers");
        }
        assert!(live.is_empty(), "connections on servers that are gone: {live:?}");
        let up = status.servers.iter().filter(|server| server.state == State::Up && !server.sorry);
        assert_eq!(up.count(), status.usable);
        if status.usable == 0 {
            let ejected = status
                .servers
                .iter()
                .find(|server| server.state == State::Ejected && server.reason.is_none());
            assert_eq!(ejected, None, "ejected though it is the last");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_operations_breaks_the_pool(
        settings in any_settings(),
        operations in prop::collection::vec(operation(), 1..120),
    ) {
        let mut model = Model::new(settings);
        for operation in operations {
            model.run(operation);
        }
    }
}
