use lb_core::config::{OnReturn, Rate};
use proptest::prelude::*;
use settings::Address;

use super::*;
use crate::{PoolSettings, ServerSettings};

const SECOND: Duration = Duration::from_secs(1);

/// Servers with priority and weight.
fn core(servers: &[(u8, u16)], on_return: OnReturn) -> (Core, Instant) {
    let servers = servers
        .iter()
        .enumerate()
        .map(|(number, &(priority, weight))| ServerSettings {
            name: format!("s{number}"),
            address: Address::Name { host: format!("s{number}.example"), port: 9400 },
            weight,
            priority,
        })
        .collect();
    let mut settings = PoolSettings::new("uaops", servers);
    settings.pool.on_return = on_return;
    let now = Instant::now();
    (Core::new(settings.pool, now + SECOND, now, 7), now)
}

fn pass(core: &mut Core, server: usize, now: Instant) -> Vec<News> {
    let mut news = core.passed(server, Duration::ZERO, now);
    news.extend(core.passed(server, Duration::ZERO, now));
    news
}

fn lanes(core: &Core) -> Vec<usize> {
    core.servers().iter().map(|server| core.lanes_on(server.id)).collect()
}

/// Where so many messages go.
fn messages(core: &mut Core, count: usize) -> Vec<usize> {
    let mut to = vec![0; core.servers().len()];
    for _ in 0..count {
        to[core.lane().unwrap()] += 1;
    }
    to
}

fn up(server: &str) -> News {
    News::Up { server: server.to_owned() }
}

fn down(server: &str) -> News {
    News::Down { server: server.to_owned(), reason: "refused".to_owned() }
}

#[test]
fn messages_go_by_weight_inside_the_first_tier() {
    let (mut core, now) = core(&[(1, 300), (1, 100), (2, 100)], OnReturn::Close);
    for server in 0..3 {
        core.passed(server, Duration::ZERO, now);
    }
    assert_eq!(lanes(&core), [24, 8, 0]);
    assert_eq!(messages(&mut core, 320), [240, 80, 0]);
}

#[test]
fn whoever_is_connected_first_does_not_get_the_lanes_before_the_primary_has_spoken() {
    let (mut core, now) = core(&[(1, 100), (2, 100)], OnReturn::Stay);
    assert!(core.passed(1, Duration::ZERO, now).is_empty());
    assert!(!core.is_usable());
    let news = core.passed(0, Duration::ZERO, now);
    assert_eq!(news, [up("s0"), News::Tier { from: None, to: Some(1) }, up("s1")]);
    assert_eq!(lanes(&core), [32, 0]);
}

#[test]
fn a_primary_that_says_nothing_is_not_waited_for_for_ever() {
    let (mut core, now) = core(&[(1, 100), (2, 100)], OnReturn::Stay);
    core.passed(1, Duration::ZERO, now);
    assert_eq!(core.deadline(), Some(now + SECOND));
    assert_eq!(core.tick(now + SECOND), [up("s1"), News::Tier { from: None, to: Some(2) }]);
    assert_eq!(lanes(&core), [0, 32]);
    assert_eq!(core.broken(0, "refused", now + SECOND), [down("s0")]);
    assert!(core.broken(0, "refused", now + SECOND).is_empty(), "it is told once");
}

#[test]
fn that_no_server_is_there_at_the_start_is_told() {
    let (mut core, now) = core(&[(1, 100), (2, 100)], OnReturn::Stay);
    assert!(core.broken(1, "refused", now).is_empty());
    let news = core.broken(0, "refused", now);
    assert_eq!(news, [down("s0"), down("s1"), News::Tier { from: None, to: None }]);
    assert!(core.lane().is_none() && !core.is_usable());
}

#[test]
fn a_broken_line_takes_all_lanes_at_once_and_a_check_that_fails_does_not() {
    let (mut core, now) = core(&[(1, 100), (2, 100)], OnReturn::Close);
    core.passed(0, Duration::ZERO, now);
    core.passed(1, Duration::ZERO, now);
    assert!(core.failed(0, "no answer", now).is_empty());
    assert_eq!(lanes(&core), [32, 0]);
    let news = core.broken(0, "refused", now);
    assert_eq!(news, [down("s0"), News::Tier { from: Some(1), to: Some(2) }]);
    assert_eq!(lanes(&core), [0, 32]);
    assert_eq!(core.broken(1, "refused", now), [down("s1"), News::Tier { from: Some(2), to: None }]);
    assert_eq!(lanes(&core), [0, 0]);
}

/// The primary goes and comes back.
fn returned(on_return: OnReturn) -> (Core, Instant) {
    let (mut core, now) = core(&[(1, 100), (2, 100)], on_return);
    core.passed(0, Duration::ZERO, now);
    core.passed(1, Duration::ZERO, now);
    core.broken(0, "refused", now);
    assert!(core.passed(0, Duration::ZERO, now).is_empty(), "it takes as many as `rise` says");
    let news = core.passed(0, Duration::ZERO, now);
    assert_eq!(news, [up("s0"), News::Tier { from: Some(2), to: Some(1) }]);
    (core, now)
}

#[test]
fn when_the_primary_returns_lanes_stay() {
    let (mut core, now) = returned(OnReturn::Stay);
    assert_eq!(lanes(&core), [0, 32]);
    core.broken(1, "refused", now);
    assert_eq!(lanes(&core), [32, 0]);
}

#[test]
fn when_the_primary_returns_lanes_are_closed() {
    let (core, _) = returned(OnReturn::Close);
    assert_eq!(lanes(&core), [32, 0]);
}

#[test]
fn when_the_primary_returns_lanes_are_drained_one_after_the_other() {
    let rate = Rate { count: 10, per: SECOND };
    let (mut core, start) = returned(OnReturn::Drain { rate, jitter_percent: 20 });
    assert_eq!(lanes(&core), [0, 32]);
    for lane in 1..=32 {
        let due = core.deadline().unwrap();
        let early = Duration::from_millis(80) * (lane - 1) + Duration::from_millis(100);
        let late = Duration::from_millis(120) * (lane - 1) + Duration::from_millis(100);
        assert!((start + early..=start + late).contains(&due), "{lane}");
        assert!(core.tick(due - Duration::from_nanos(1)).is_empty());
        assert!(core.tick(due).is_empty());
        assert_eq!(lanes(&core), [lane as usize, 32 - lane as usize]);
    }
    let last = core.deadline().unwrap();
    core.tick(last);
    assert_eq!(core.deadline(), None);
}

#[test]
fn a_drain_ends_when_its_lanes_are_needed_where_they_are() {
    let rate = Rate { count: 10, per: SECOND };
    let (mut core, _) = returned(OnReturn::Drain { rate, jitter_percent: 0 });
    let due = core.deadline().unwrap();
    core.tick(due);
    core.broken(0, "refused", due);
    assert_eq!(lanes(&core), [0, 32]);
    assert_eq!(core.deadline(), None);
}

#[test]
fn a_server_of_the_tier_in_use_that_is_back_gets_its_share() {
    let (mut core, now) = core(&[(1, 100), (1, 100)], OnReturn::Stay);
    core.passed(0, Duration::ZERO, now);
    core.passed(1, Duration::ZERO, now);
    core.broken(1, "refused", now);
    assert_eq!(lanes(&core), [32, 0]);
    assert_eq!(pass(&mut core, 1, now), [up("s1")]);
    assert_eq!(lanes(&core), [16, 16]);
}

#[test]
fn another_server_is_one_that_was_not_tried_first_of_the_same_tier() {
    let (mut core, now) = core(&[(1, 100), (1, 100), (2, 100), (2, 1)], OnReturn::Stay);
    for server in 0..4 {
        core.passed(server, Duration::ZERO, now);
    }
    core.broken(3, "refused", now);
    assert_eq!(core.other(&[0], now), Some(1));
    assert_eq!(core.other(&[1, 0], now), Some(2));
    assert_eq!(core.other(&[0, 2, 1], now), None);
    assert_eq!(lanes(&core), [16, 16, 0, 0]);
}

proptest! {
    #[test]
    fn whatever_happens_lanes_are_on_servers_that_are_up_and_all_lanes_if_any_is_up(
        servers in prop::collection::vec((1u8..4, 1u16..1000), 1..5),
        steps in prop::collection::vec((0usize..5, 0u8..5, 0u64..2000), 1..60),
        policy in 0u8..3,
    ) {
        let drain = OnReturn::Drain { rate: Rate { count: 20, per: SECOND }, jitter_percent: 30 };
        let on_return = [OnReturn::Stay, OnReturn::Close, drain][policy as usize];
        let (mut core, mut now) = core(&servers, on_return);
        for (server, step, wait) in steps {
            let server = server % servers.len();
            now += Duration::from_millis(wait);
            match step {
                0 | 1 => drop(core.passed(server, Duration::ZERO, now)),
                2 => drop(core.failed(server, "no answer", now)),
                3 => drop(core.broken(server, "refused", now)),
                _ => {}
            }
            for _ in 0..100 {
                if core.deadline().is_none_or(|deadline| deadline > now) {
                    break;
                }
                core.tick(now);
            }
            let on: Vec<usize> = lanes(&core);
            let any = core.servers().iter().any(|server| server.up);
            prop_assert_eq!(on.iter().sum::<usize>(), if any { LANES } else { 0 });
            for (server, on) in core.servers().iter().zip(&on) {
                prop_assert!(server.up || *on == 0, "{:?}", server);
            }
            if on_return == OnReturn::Close && any {
                let best = core.servers().iter().filter(|s| s.up).map(|s| s.priority).min();
                for (server, on) in core.servers().iter().zip(&on) {
                    prop_assert!(Some(server.priority) == best || *on == 0, "{:?}", server);
                }
            }
        }
    }
}
