//! Tiers: which serves, and what happens to connections when that changes.

use super::*;
use crate::config::Rate;

fn two_tiers() -> config::Pool {
    checked(settings(&[("a", 1, 1), ("b", 1, 2)]), &down_at_once())
}

#[test]
fn classic_uses_a_lower_tier_only_without_the_higher() {
    let mut world = World::new(two_tiers());
    assert_eq!(world.spread(5, ["a", "b"]), [5, 0]);
    let events = world.fail("a");
    assert_eq!(short(&world, &events), ["down a: check: timeout", "tier 1 to 2"]);
    assert_eq!(world.spread(5, ["a", "b"]), [0, 5]);
    let events = world.pass("a");
    assert_eq!(short(&world, &events), ["up a after check", "tier 2 to 1"]);
    assert_eq!(world.spread(5, ["a", "b"]), [5, 0]);
}

#[test]
fn a_full_tier_passes_on() {
    let mut settings = two_tiers();
    settings.servers[0].max_connections = Some(1);
    let mut world = World::new(settings);
    assert_eq!([world.pick(), world.pick()], ["a", "b"]);
    assert_eq!(world.pool.status(world.now).active_tier, Some(1), "full is not unusable");
}

#[test]
fn the_file_s_order_does_not_decide_between_tiers() {
    let mut world = World::new(settings(&[("backup", 1, 2), ("primary", 1, 1)]));
    assert_eq!(world.pick(), "primary");
}

#[test]
fn pool_down_and_up_are_told_once() {
    let mut world = World::new(two_tiers());
    drop(world.fail("b"));
    let events = world.fail("a");
    assert_eq!(short(&world, &events), ["down a: check: timeout", "pool down", "tier 1 to -"]);
    assert_eq!(world.fail("a"), []);
    let events = world.pass("b");
    assert_eq!(short(&world, &events), ["up b after check", "pool up", "tier - to 2"]);
}

#[test]
fn on_return_stay_closes_nothing() {
    let mut world = World::new(two_tiers());
    drop(world.fail("a"));
    assert_eq!(world.pick(), "b");
    let events = world.pass("a");
    assert_eq!(short(&world, &events), ["up a after check", "tier 2 to 1"]);
}

#[test]
fn on_return_close_closes_every_lower_tier_and_the_sorry_server() {
    let settings = config::Pool { on_return: OnReturn::Close, sorry_server: sorry(), ..two_tiers() };
    let mut world = World::new(settings);
    drop(world.fail("a"));
    assert_eq!(world.pick(), "b");
    drop(world.fail("b"));
    assert_eq!(world.pick(), "sorry_server");
    let events = world.pass("b");
    assert_eq!(
        short(&world, &events),
        ["up b after check", "pool up", "tier - to 2", "close sorry_server PrimaryReturned"]
    );
    let events = world.pass("a");
    assert_eq!(
        short(&world, &events),
        ["up a after check", "tier 2 to 1", "close b PrimaryReturned", "close sorry_server PrimaryReturned"]
    );
}

#[test]
fn on_return_drain_has_its_pace_and_a_second_server_of_the_tier_is_no_return() {
    let rate = Rate { count: 10, per: secs(1) };
    let mut settings = checked(settings(&[("a", 1, 1), ("a2", 1, 1), ("b", 1, 2)]), &down_at_once());
    settings.on_return = OnReturn::Drain { rate, jitter_percent: 20 };
    let mut world = World::new(settings);
    drop(world.fail("a"));
    drop(world.fail("a2"));
    assert_eq!(world.pick(), "b");
    let b = world.id("b");
    let events = world.pass("a");
    assert_eq!(
        events.last(),
        Some(&Event::CloseConnections {
            server: b,
            reason: CloseReason::PrimaryReturned,
            pace: Pace::Drain { rate, jitter_percent: 20 }
        })
    );
    let events = world.pass("a2");
    assert_eq!(short(&world, &events), ["up a2 after check"]);
}

/// Tier 1 dead to live connections only, with a connection on tier 2.
fn ejected_primary() -> World {
    let passive = Some(passive());
    let mut world = World::new(config::Pool {
        on_return: OnReturn::Close,
        passive,
        ..settings(&[("a", 1, 1), ("b", 1, 2)])
    });
    eject(&mut world);
    assert_eq!(world.pick(), "b");
    world
}

fn eject(world: &mut World) {
    drop(world.fail_connect("a"));
    let events = world.fail_connect("a");
    assert!(short(world, &events).contains(&"tier 1 to 2".to_owned()));
}

#[test]
fn the_end_of_an_ejection_closes_nothing_until_a_connection_was_made() {
    let mut world = ejected_primary();
    for ejection in [30, 60] {
        world.wait(secs(ejection));
        let events = world.tick();
        assert_eq!(short(&world, &events), ["readmitted a", "tier 2 to 1"]);
        eject(&mut world);
    }
    world.wait(secs(90));
    drop(world.tick());
    let pick = world.try_pick("198.51.100.1", &[]).unwrap();
    let events = world.pool.connected(pick.server);
    assert_eq!(short(&world, &events), ["close b PrimaryReturned"]);
    assert_eq!(world.pick(), "a", "once is enough");
}

#[test]
fn a_void_ejection_is_no_return_either() {
    let mut world = ejected_primary();
    let events = world.admin("b", AdminState::Maint);
    assert_eq!(short(&world, &events), ["down b: set to maint", "readmitted a", "tier 2 to 1"]);
    let pick = world.try_pick("198.51.100.1", &[]).unwrap();
    let events = world.pool.connected(pick.server);
    assert_eq!(short(&world, &events), ["close b PrimaryReturned"]);
}

#[test]
fn a_server_that_was_not_ejected_brings_its_tier_back_at_once() {
    let mut world = ejected_primary();
    world.wait(secs(30));
    drop(world.tick());
    let events = world.reconfigure(|pool| {
        let mut another = pool.servers[0].clone();
        another.name = "a2".to_owned();
        another.address = sorry().unwrap();
        pool.servers.push(another);
    });
    assert_eq!(short(&world, &events), ["close b PrimaryReturned"]);
}

mod spill_over {
    use super::*;

    /// Four servers in each of two tiers.
    fn world(panic_threshold: u8) -> World {
        let servers = ["a1", "a2", "a3", "a4"].map(|name| (name, 1, 1));
        let backups = ["b1", "b2", "b3", "b4"].map(|name| (name, 1, 2));
        let mut settings = checked(settings(&[servers, backups].concat()), &down_at_once());
        settings.tiers = spill_over(panic_threshold);
        World::new(settings)
    }

    fn by_tier(world: &mut World, connections: usize) -> (usize, usize) {
        let first = (0..connections).filter(|_| world.visit().starts_with('a')).count();
        (first, connections - first)
    }

    #[test]
    fn each_tier_has_exactly_its_share() {
        let mut world = world(0);
        assert_eq!(by_tier(&mut world, 100), (100, 0));
        drop(world.fail("a1"));
        assert_eq!(by_tier(&mut world, 100), (100, 0), "three of four carry 105 %");
        drop(world.fail("a2"));
        assert_eq!(by_tier(&mut world, 100), (70, 30));
        drop(world.fail("a3"));
        assert_eq!(by_tier(&mut world, 200), (70, 130));
        let loads: Vec<_> = world.pool.status(world.now).tiers.iter().map(|tier| tier.load_percent).collect();
        assert_eq!(loads, [35, 65]);
    }

    #[test]
    fn without_panic_a_dead_pool_fails_at_once() {
        let mut world = world(0);
        for name in ["a1", "a2", "a3", "a4", "b1", "b2", "b3", "b4"] {
            drop(world.fail(name));
        }
        assert_eq!(world.pick(), "Down");
    }

    #[test]
    fn in_panic_a_tier_uses_all_its_servers_but_those_in_maintenance() {
        let mut world = world(50);
        for name in ["a2", "a3", "b2", "b3", "b4"] {
            drop(world.fail(name));
        }
        // 50 % and 25 % usable: 70 and 35 together carry it all, no panic.
        assert!(!world.pool.status(world.now).tiers.iter().any(|tier| tier.panic));
        drop(world.fail("a4"));
        drop(world.admin("a3", AdminState::Maint));
        // 35 and 35 do not; both are below the threshold.
        assert_eq!(by_tier(&mut world, 100), (50, 50));
        let first: std::collections::BTreeSet<_> =
            (0..100).map(|_| world.visit()).filter(|name| name.starts_with('a')).collect();
        assert_eq!(first.into_iter().collect::<Vec<_>>(), ["a1", "a2", "a4"]);
    }

    #[test]
    fn a_tier_that_was_tried_or_is_full_passes_on() {
        let mut world = world(0);
        let pick = world.try_pick("198.51.100.1", &["a1", "a2", "a3", "a4"]).unwrap();
        assert_eq!(pick.tier, 2, "though its load is 0");
    }

    #[test]
    fn nothing_is_closed_on_return() {
        let mut world = world(0);
        drop(world.reconfigure(|settings| settings.on_return = OnReturn::Close));
        for name in ["a1", "a2", "a3", "a4"] {
            drop(world.fail(name));
        }
        assert!(world.pick().starts_with('b'));
        let events = world.pass("a1");
        assert_eq!(short(&world, &events), ["up a1 after check", "tier 2 to 1"]);
    }
}
