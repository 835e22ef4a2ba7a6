//! Inside a tier, and who may be picked at all.

use super::*;

#[test]
fn round_robin_by_weight() {
    let mut world = World::new(settings(&[("a", 5, 1), ("b", 1, 1), ("c", 1, 1)]));
    let order: String = (0..7).map(|_| world.visit()).collect();
    assert_eq!(order, "aabacaa");
}

#[test]
fn a_pick_takes_a_slot_until_its_end_is_told() {
    let mut world = World::new(settings(&[("a", 1, 1)]));
    let id = world.id("a");
    for _ in 0..4 {
        world.try_pick("198.51.100.1", &[]).unwrap();
    }
    assert_eq!(world.pool.connected(id), []);
    assert_eq!(world.pool.connected(id), []);
    assert_eq!((world.status("a").live, world.status("a").pending), (4, 2));
    world.pool.connect_abandoned(id);
    assert_eq!(world.pool.connect_failed(id, world.now), []);
    assert_eq!((world.status("a").live, world.status("a").pending), (2, 0));
    assert_eq!(world.close("a"), []);
    assert_eq!(world.close("a"), []);
    let status = world.status("a");
    assert_eq!((status.live, status.counters.connections, status.counters.connect_failures), (0, 2, 1));
}

#[test]
fn least_connections_looks_at_live_ones_per_weight() {
    let mut settings = settings(&[("a", 2, 1), ("b", 1, 1)]);
    settings.balance = Balance::LeastConnections;
    let mut world = World::new(settings);
    let order: String = (0..6).map(|_| world.pick()).collect();
    assert_eq!(order.matches('a').count(), 4);
    assert_eq!(world.close("b"), []);
    assert_eq!(world.pick(), "b");
}

#[test]
fn random_two_is_decided_by_the_seed() {
    let run = |seed| {
        let mut settings = settings(&[("a", 1, 1), ("b", 1, 1), ("c", 1, 1)]);
        settings.balance = Balance::RandomTwo;
        let mut world = World::new(settings.clone());
        world.pool = Pool::new(settings, world.now, seed);
        (0..30).map(|_| world.pick()).collect::<String>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    for name in ['a', 'b', 'c'] {
        assert!(run(1).matches(name).count() >= 7, "{}", run(1));
    }
}

#[test]
fn source_hash_keeps_a_source_on_its_server_and_comes_back_to_it() {
    let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1), ("c", 1, 1)]), &down_at_once());
    settings.balance = Balance::SourceHash;
    let mut world = World::new(settings);
    let sources: Vec<_> = (1..200).map(|host| format!("198.51.100.{host}")).collect();
    let homes: Vec<_> = sources.iter().map(|source| world.visit_from(source)).collect();
    assert!(["a", "b", "c"].iter().all(|name| homes.iter().filter(|home| home == name).count() > 40));

    drop(world.fail("b"));
    let without: Vec<_> = sources.iter().map(|source| world.visit_from(source)).collect();
    assert!(!without.contains(&"b".to_owned()));
    let moved = homes.iter().zip(&without).filter(|(home, now)| *home != "b" && home != now).count();
    assert!(moved < 20, "{moved} sources of other servers moved");
    drop(world.pass("b"));
    let again: Vec<_> = sources.iter().map(|source| world.visit_from(source)).collect();
    assert_eq!(again, homes);
}

#[test]
fn source_hash_passes_on_from_a_server_that_is_full_or_was_tried() {
    let mut settings = settings(&[("a", 1, 1), ("b", 1, 1)]);
    settings.balance = Balance::SourceHash;
    settings.servers[0].max_connections = Some(1);
    settings.servers[1].max_connections = Some(1);
    let mut world = World::new(settings);
    let home = world.visit();
    let other = if home == "a" { "b" } else { "a" };
    assert_eq!(*world.try_pick("198.51.100.1", &[&home]).unwrap().name, *other);
    assert_eq!(world.pick(), home);
    assert_eq!(world.pick(), "Full");
}

#[test]
fn a_limit_holds_and_frees() {
    let mut settings = settings(&[("a", 1, 1), ("b", 1, 1)]);
    settings.servers[0].max_connections = Some(1);
    settings.servers[1].max_connections = Some(2);
    let mut world = World::new(settings);
    let names: Vec<_> = (0..4).map(|_| world.pick()).collect();
    assert_eq!(names, ["a", "b", "b", "Full"]);
    assert_eq!(world.close("a"), []);
    assert_eq!(world.pick(), "a");
}

#[test]
fn a_retry_goes_on_to_what_was_not_tried() {
    let mut world = World::new(settings(&[("a", 1, 1), ("b", 1, 1), ("c", 1, 2)]));
    assert_eq!(*world.try_pick("198.51.100.1", &["a"]).unwrap().name, *"b");
    // nginx: the backup is reached when all of the first tier were tried, though none is known to be down.
    assert_eq!(*world.try_pick("198.51.100.1", &["a", "b"]).unwrap().name, *"c");
    assert_eq!(world.try_pick("198.51.100.1", &["a", "b", "c"]), Err(NoServer::Exhausted));
}

#[test]
fn no_usable_server_is_down_or_the_sorry_servers() {
    let down = checked(settings(&[("a", 1, 1)]), &Check { start: StartState::FullyDown, ..tcp_check() });
    assert_eq!(World::new(down.clone()).pick(), "Down");

    let mut world = World::new(config::Pool { sorry_server: sorry(), ..down });
    let pick = world.try_pick("198.51.100.1", &[]).unwrap();
    assert!(pick.sorry && pick.address.ip() == ip("192.0.2.250"));
    assert_eq!(world.try_pick("198.51.100.1", &["sorry_server"]), Err(NoServer::Exhausted));
    assert!(world.status("sorry_server").sorry);
}

#[test]
fn the_sorry_server_serves_when_all_were_tried_but_not_when_they_are_only_full() {
    let mut settings = config::Pool { sorry_server: sorry(), ..settings(&[("a", 1, 1)]) };
    settings.servers[0].max_connections = Some(1);
    let mut world = World::new(settings);
    assert!(world.try_pick("198.51.100.1", &["a"]).unwrap().sorry);
    assert_eq!(world.pick(), "a");
    assert_eq!(world.pick(), "Full");
}

#[test]
fn a_server_without_weight_gets_nothing_until_it_has_some() {
    let mut world = World::new(settings(&[("a", 0, 1), ("b", 1, 1)]));
    assert_eq!(world.spread(10, ["a", "b"]), [0, 10]);
    let a = world.id("a");
    let events = world.pool.set_weight(a, Some(3), world.now);
    assert_eq!(short(&world, &events), ["weight a 0 to 3", "up a after weight_zero"]);
    assert_eq!(world.spread(40, ["a", "b"]), [30, 10]);
    drop(world.pool.set_weight(a, None, world.now));
    assert_eq!(world.status("a").state, State::Draining);
}

mod persistence {
    use super::*;

    fn world() -> World {
        let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1), ("c", 1, 2)]), &down_at_once());
        settings.persistence = Some(config::Persistence { timeout: secs(60), prefix_v4: 32, prefix_v6: 64 });
        World::new(settings)
    }

    #[test]
    fn a_source_goes_where_it_was_until_its_time_is_over() {
        let mut world = world();
        assert_eq!(world.visit_from("10.0.0.1"), "a");
        for _ in 0..5 {
            world.wait(secs(59));
            assert_eq!(world.visit_from("10.0.0.1"), "a");
        }
        assert_eq!(world.pool.next_deadline(), Some(world.now + secs(61)), "with a second of grace");
        world.wait(secs(60));
        assert_eq!(world.tick(), []);
        assert_eq!(world.pool.status(world.now).persistent_sources, 0);
        assert_eq!(world.visit_from("10.0.0.1"), "b", "round robin goes on");
    }

    #[test]
    fn a_draining_server_keeps_its_sources_and_gets_no_others() {
        for drain in ["operator", "agent", "weight"] {
            let mut world = world();
            assert_eq!(world.visit_from("10.0.0.1"), "a");
            let a = world.id("a");
            drop(match drain {
                "operator" => world.admin("a", AdminState::Drain),
                "agent" => world.agent("a", "drain"),
                _ => world.pool.set_weight(a, Some(0), world.now),
            });
            assert_eq!(world.visit_from("10.0.0.1"), "a", "{drain}");
            assert_eq!(world.visit_from("10.0.0.2"), "b", "{drain}");
            assert_eq!(world.visit_from("10.0.0.3"), "b", "{drain}");
        }
    }

    #[test]
    fn a_server_that_is_down_in_maintenance_or_tried_loses_the_source_to_another() {
        let mut world = world();
        assert_eq!(world.visit_from("10.0.0.1"), "a");
        drop(world.fail("a"));
        assert_eq!(world.visit_from("10.0.0.1"), "b");
        drop(world.pass("a"));
        assert_eq!(world.visit_from("10.0.0.1"), "b", "it is b's now");
        drop(world.admin("b", AdminState::Maint));
        assert_eq!(world.visit_from("10.0.0.1"), "a");
        drop(world.admin("b", AdminState::Ready));
        assert_eq!(*world.try_pick("10.0.0.1", &["a"]).unwrap().name, *"b");
    }

    #[test]
    fn a_lower_tier_does_not_hold_sources_when_the_higher_one_is_back() {
        let mut world = world();
        drop(world.fail("a"));
        drop(world.fail("b"));
        assert_eq!(world.visit_from("10.0.0.1"), "c");
        drop(world.pass("b"));
        assert_eq!(world.visit_from("10.0.0.1"), "b");
    }
}

mod slow_start {
    use super::*;

    fn world() -> World {
        let mut settings = checked(settings(&[("a", 100, 1), ("b", 100, 1)]), &down_at_once());
        settings.slow_start = Some(secs(100));
        settings.servers[0].max_connections = Some(50);
        World::new(settings)
    }

    #[test]
    fn not_at_the_start_nor_at_the_first_time_up() {
        assert_eq!(world().spread(20, ["a", "b"]), [10, 10]);
        let check = Check { start: StartState::FullyDown, ..down_at_once() };
        let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1)]), &check);
        settings.slow_start = Some(secs(100));
        let mut world = World::new(settings);
        drop(world.pass("a"));
        drop(world.pass("b"));
        assert_eq!(world.spread(20, ["a", "b"]), [10, 10]);
    }

    #[test]
    fn weight_and_limit_grow_from_one_percent() {
        let mut world = world();
        drop(world.fail("a"));
        drop(world.pass("a"));
        for (wait, weight, limit) in
            [(0, 1.0, 1), (30, 30.0, 15), (20, 50.0, 25), (49, 99.0, 49), (1, 100.0, 50)]
        {
            world.wait(secs(wait));
            let status = world.status("a");
            assert_eq!((status.effective_weight, status.max_connections), (weight, Some(limit)), "{wait}");
        }
    }

    #[test]
    fn shares_follow_the_slowed_weight_exactly() {
        let mut world = world();
        drop(world.fail("a"));
        drop(world.pass("a"));
        world.wait(secs(25));
        assert_eq!(world.spread(125, ["a", "b"]), [25, 100]);
    }

    #[test]
    fn also_after_an_ejection_but_not_after_a_drain() {
        let mut settings = settings(&[("a", 10, 1), ("b", 10, 1)]);
        settings.slow_start = Some(secs(100));
        settings.passive = Some(passive());
        let mut world = World::new(settings);
        drop(world.admin("a", AdminState::Drain));
        drop(world.admin("a", AdminState::Ready));
        assert_eq!(world.status("a").effective_weight, 10.0);
        drop(world.fail_connect("a"));
        drop(world.fail_connect("a"));
        world.wait(secs(30));
        drop(world.tick());
        assert_eq!(world.status("a").effective_weight, 0.1);
    }
}
