//! Checks, ejection, agent, names, the operator, and what they do to live connections.

use super::*;

fn two(check: &Check) -> World {
    World::new(checked(settings(&[("a", 1, 1), ("b", 1, 1)]), check))
}

#[test]
fn fall_failures_take_a_server_out_and_rise_successes_bring_it_back() {
    let mut world = two(&tcp_check());
    assert_eq!(world.fail("a"), []);
    assert_eq!(world.fail("a"), []);
    let events = world.fail("a");
    assert_eq!(short(&world, &events), ["down a: check: timeout"]);
    assert_eq!(world.spread(4, ["a", "b"]), [0, 4]);
    assert_eq!(world.pass("a"), []);
    let events = world.pass("a");
    assert_eq!(short(&world, &events), ["up a after check"]);
    assert_eq!(world.spread(4, ["a", "b"]), [2, 2]);
    let counters = world.status("a").counters;
    assert_eq!((counters.checks_failed, counters.checks_passed, counters.downs), (3, 2, 1));
}

#[test]
fn servers_that_start_as_up_are_unproven_until_one_passes_its_check() {
    let mut world = two(&tcp_check());
    assert!(world.pool.is_unproven());
    assert_eq!(world.fail("a"), []);
    assert!(world.pool.is_unproven(), "it failed, and is not down yet");
    assert_eq!(world.pass("b"), []);
    assert!(!world.pool.is_unproven());
    assert!(!World::new(settings(&[("a", 1, 1)])).pool.is_unproven(), "nobody checks it");
}

#[test]
fn checks_run_at_once_and_then_at_the_interval_of_the_phase() {
    let mut world = two(&tcp_check());
    let a = world.id("a");
    let due = |world: &World| world.pool.next_check(a).map(|at| at - world.now);
    assert_eq!(due(&world), Some(Duration::ZERO));
    drop(world.pass("a"));
    assert_eq!(due(&world), Some(secs(10)));
    drop(world.fail("a"));
    assert_eq!(due(&world), Some(secs(1)));
    drop(world.fail("a"));
    drop(world.fail("a"));
    assert_eq!(due(&world), Some(secs(5)));
}

#[test]
fn a_failed_connection_asks_for_a_check_at_once() {
    let mut world = two(&tcp_check());
    let a = world.id("a");
    drop(world.pass("a"));
    world.wait(secs(2));
    let events = world.fail_connect("a");
    assert_eq!(short(&world, &events), ["check a"]);
    assert_eq!(world.pool.next_check(a), Some(world.now));
    assert_eq!(world.fail_connect("a"), [], "asked already");
}

/// What makes an answer that is still under way one to a former question.
#[test]
fn an_answer_to_a_former_question_says_nothing() {
    type Change = fn(&mut World);
    let changes: [(&str, Change); 4] = [
        ("another check", |world| {
            drop(world.reconfigure(|pool| pool.servers[0].check.as_mut().unwrap().port = Some(8080)));
        }),
        ("the check goes and comes back", |world| {
            let mut check = None;
            drop(world.reconfigure(|pool| check = pool.servers[0].check.take()));
            drop(world.reconfigure(|pool| pool.servers[0].check = check.take()));
        }),
        ("maintenance and back", |world| {
            drop(world.admin("a", AdminState::Maint));
            drop(world.admin("a", AdminState::Ready));
        }),
        ("another address", |world| drop(world.resolve("a", &["192.0.2.78"]))),
    ];
    for (name, change) in changes {
        let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1)]), &down_at_once());
        settings.servers[0].address = Address::Name { host: "a.example".to_owned(), port: 7099 };
        let mut world = World::new(settings);
        drop(world.resolve("a", &["192.0.2.77"]));
        drop(world.pass("a"));
        let (a, former) = (world.id("a"), world.question("a"));
        world.wait(secs(3));
        change(&mut world);
        let due = world.pool.next_check(a);
        assert_eq!(due, Some(world.now), "{name}: asked at once");

        world.wait(secs(1));
        assert_eq!(world.answer("a", former, failed()), [], "{name}");
        world.pool.check_skipped(a, former, world.now);
        assert_eq!((world.status("a").state, world.pool.next_check(a)), (State::Up, due), "{name}");
        let events = world.fail("a");
        assert_eq!(short(&world, &events), ["down a: check: timeout"], "{name}");
    }
}

#[test]
fn a_reload_that_changes_no_question_keeps_the_answer_under_way() {
    let mut world = two(&down_at_once());
    let former = world.question("a");
    drop(world.reconfigure(|pool| {
        pool.servers[0].weight = 7;
        pool.servers[0].check.as_mut().unwrap().interval = secs(3);
    }));
    let events = world.answer("a", former, failed());
    assert_eq!(short(&world, &events), ["down a: check: timeout"]);
}

#[test]
fn on_down_close_closes_what_lives() {
    let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1)]), &down_at_once());
    settings.on_down = OnDown::Close;
    let mut world = World::new(settings);
    let events = world.fail("b");
    assert_eq!(short(&world, &events), ["down b: check: timeout"], "nothing lives there");
    assert_eq!(world.pick(), "a");
    let events = world.fail("a");
    assert_eq!(
        short(&world, &events),
        ["down a: check: timeout", "close a ServerDown", "pool down", "tier 1 to -"]
    );
    drop(world.pass("a"));
    let events = world.admin("a", AdminState::Maint);
    assert_eq!(short(&world, &events)[..2], ["down a: set to maint", "close a Maint"]);
}

#[test]
fn maintenance_stops_checks_and_ends_in_the_start_state() {
    let mut world = two(&Check { start: StartState::FullyDown, ..tcp_check() });
    let a = world.id("a");
    drop([world.pass("a"), world.pass("a")]);
    assert_eq!(world.status("a").state, State::Up);

    drop(world.admin("a", AdminState::Maint));
    assert_eq!((world.status("a").state, world.pool.next_check(a)), (State::Maint, None));
    assert_eq!(world.fail("a"), [], "a result that comes late");
    drop(world.admin("a", AdminState::Ready));
    assert_eq!(world.status("a").state, State::Down);
    assert_eq!(world.pool.next_check(a), Some(world.now));
    assert_eq!(world.pass("a"), []);
    let events = world.pass("a");
    assert!(short(&world, &events).contains(&"up a after check".to_owned()));
}

#[test]
fn drain_is_told_and_undone() {
    let mut world = two(&tcp_check());
    let events = world.admin("a", AdminState::Drain);
    assert_eq!(short(&world, &events), ["draining a: set to drain"]);
    assert_eq!(world.spread(4, ["a", "b"]), [0, 4]);
    let events = world.admin("a", AdminState::Ready);
    assert_eq!(short(&world, &events), ["up a after drain"]);
}

mod passive_health {
    use super::*;

    fn world(servers: &[(&str, u16, u8)]) -> World {
        World::new(config::Pool { passive: Some(passive()), ..settings(servers) })
    }

    #[test]
    fn failures_in_the_window_eject_for_a_time() {
        let mut world = world(&[("a", 1, 1), ("b", 1, 1)]);
        assert_eq!(world.fail_connect("a"), []);
        world.wait(secs(9));
        let events = world.fail_connect("a");
        assert_eq!(short(&world, &events), ["ejected a for 30s"]);
        let status = world.status("a");
        assert_eq!((status.state, status.ejected_seconds), (State::Ejected, Some(30.0)));
        assert_eq!(world.spread(4, ["a", "b"]), [0, 4]);

        assert_eq!(world.pool.next_deadline(), Some(world.now + secs(30)));
        world.wait(secs(29));
        assert_eq!(world.tick(), []);
        world.wait(secs(1));
        let events = world.tick();
        assert_eq!(short(&world, &events), ["readmitted a"]);
        assert_eq!(world.pool.next_deadline(), None);
        assert_eq!(world.spread(4, ["a", "b"]), [2, 2]);
    }

    #[test]
    fn early_resets_count_and_ordinary_ends_do_not() {
        let mut world = world(&[("a", 1, 1), ("b", 1, 2)]);
        let a = world.id("a");
        for _ in 0..10 {
            assert_eq!(world.visit(), "a");
        }
        assert_eq!(world.pick(), "a");
        assert_eq!(world.pool.closed(a, true, world.now), []);
        assert_eq!(world.status("a").failures, 1);
        assert_eq!(world.pick(), "a");
        let events = world.pool.closed(a, true, world.now);
        assert_eq!(short(&world, &events), ["ejected a for 30s", "tier 1 to 2"]);
        assert_eq!(world.status("a").live, 0);
    }

    #[test]
    fn the_last_usable_server_is_never_ejected_and_the_sorry_server_does_not_count() {
        let mut world = world(&[("a", 1, 1), ("b", 1, 2)]);
        drop(world.reconfigure(|settings| settings.sorry_server = sorry()));
        drop(world.admin("b", AdminState::Maint));
        for _ in 0..10 {
            assert_eq!(world.fail_connect("a"), []);
        }
        assert_eq!(world.pick(), "a");
        drop(world.admin("b", AdminState::Ready));
        let events = world.fail_connect("a");
        assert_eq!(short(&world, &events), ["ejected a for 30s", "tier 1 to 2"], "now there is another");
    }

    #[test]
    fn an_ejection_is_void_when_the_others_go_down() {
        let mut world = world(&[("a", 1, 1), ("b", 1, 1)]);
        drop(world.fail_connect("a"));
        drop(world.fail_connect("a"));
        let events = world.admin("b", AdminState::Maint);
        assert_eq!(short(&world, &events), ["down b: set to maint", "readmitted a"]);
        assert_eq!(world.pick(), "a");
    }

    #[test]
    fn a_check_that_saw_the_outage_and_its_end_ends_an_ejection() {
        let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1)]), &tcp_check());
        settings.passive = Some(passive());
        let mut world = World::new(settings);
        for _ in 0..2 {
            drop(world.fail_connect("a"));
        }
        assert_eq!(world.status("a").state, State::Ejected);
        for _ in 0..3 {
            drop(world.fail("a"));
        }
        drop(world.pass("a"));
        let events = world.pass("a");
        assert_eq!(short(&world, &events), ["readmitted a", "up a after check"]);
        assert_eq!(world.spread(4, ["a", "b"]), [2, 2]);
    }

    #[test]
    fn an_ejection_closes_nothing_and_a_passed_check_does_not_end_it() {
        let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 1)]), &tcp_check());
        settings.passive = Some(passive());
        settings.on_down = OnDown::Close;
        let mut world = World::new(settings);
        assert_eq!(world.pick(), "a");
        drop(world.fail_connect("a"));
        let events = world.fail_connect("a");
        assert_eq!(short(&world, &events), ["ejected a for 30s"]);
        assert_eq!(world.pass("a"), []);
        assert_eq!(world.status("a").state, State::Ejected);
    }
}

mod agent {
    use super::*;

    #[test]
    fn its_weight_is_a_share_of_the_file_s_or_replaces_it() {
        let mut world = two(&tcp_check());
        let events = world.agent("a", "50%");
        assert_eq!(short(&world, &events), ["weight a 1 to 0.5"]);
        assert_eq!(world.spread(30, ["a", "b"]), [10, 20]);
        drop(world.agent("a", "weight:4"));
        assert_eq!(world.spread(50, ["a", "b"]), [40, 10]);
        let events = world.agent("a", "0%");
        assert_eq!(short(&world, &events), ["weight a 4 to 0", "draining a: its weight is 0"]);
    }

    #[test]
    fn its_limit_replaces_the_file_s() {
        let mut world = two(&tcp_check());
        drop(world.agent("a", "maxconn:1"));
        let names: Vec<_> = (0..4).map(|_| world.pick()).collect();
        assert_eq!(names, ["a", "b", "b", "b"]);
        drop(world.agent("a", "maxconn:0"));
        assert_eq!(world.status("a").max_connections, None);
    }

    #[test]
    fn only_the_agent_undoes_what_it_said() {
        let mut world = two(&tcp_check());
        let events = world.agent("a", "down # disk full");
        assert_eq!(short(&world, &events), ["down a: agent: down: disk full"]);
        drop(world.pass("a"));
        drop(world.admin("a", AdminState::Ready));
        assert_eq!(
            world.agent("a", "75% ready"),
            [Event::WeightChanged { server: world.id("a"), name: "a".into(), from: 1.0, to: 0.75 }]
        );
        assert_eq!(world.status("a").state, State::Down, "ready is not up");
        let events = world.agent("a", "up");
        assert_eq!(short(&world, &events), ["up a after agent_down"]);

        drop(world.agent("a", "drain"));
        drop(world.admin("a", AdminState::Ready));
        assert_eq!(world.status("a").state, State::Draining);
        drop(world.agent("a", "maint"));
        assert_eq!(world.status("a").state, State::Maint);
        drop(world.agent("a", "ready"));
        assert_eq!(world.status("a").state, State::Up);
    }

    #[test]
    fn it_cannot_undo_the_check_or_the_operator() {
        let mut world = two(&down_at_once());
        drop(world.fail("a"));
        drop(world.agent("a", "up ready"));
        assert_eq!(world.status("a").state, State::Down);
        drop(world.admin("b", AdminState::Drain));
        drop(world.agent("b", "up ready"));
        assert_eq!(world.status("b").state, State::Draining);
    }
}

mod names {
    use super::*;

    fn world() -> World {
        let mut settings = checked(settings(&[("a", 1, 1), ("b", 1, 2)]), &tcp_check());
        settings.servers[0].address = Address::Name { host: "a.example".to_owned(), port: 7099 };
        settings.on_down = OnDown::Close;
        World::new(settings)
    }

    #[test]
    fn a_name_is_down_until_it_resolves() {
        let mut world = world();
        let a = world.id("a");
        assert_eq!(world.status("a").state, State::Down);
        assert_eq!(world.pool.next_check(a), None);
        assert_eq!(world.pick(), "b");
        world.wait(secs(3));
        let events = world.resolve("a", &["192.0.2.77", "192.0.2.78"]);
        assert_eq!(
            short(&world, &events),
            ["address a 192.0.2.77:7099", "up a after unresolved", "tier 2 to 1"]
        );
        assert_eq!(world.pool.next_check(a), Some(world.now));
        assert_eq!(world.try_pick("198.51.100.1", &[]).unwrap().address.ip(), ip("192.0.2.77"));
    }

    #[test]
    fn its_address_stays_while_it_is_in_the_answer() {
        let mut world = world();
        drop(world.resolve("a", &["192.0.2.77", "192.0.2.78"]));
        assert_eq!(world.pick(), "a");
        assert_eq!(world.resolve("a", &["192.0.2.78", "192.0.2.77"]), []);
        let events = world.resolve("a", &["192.0.2.78"]);
        assert_eq!(short(&world, &events), ["address a 192.0.2.78:7099", "close a AddressChanged"]);
    }

    #[test]
    fn a_name_that_resolves_no_more_is_down() {
        let mut world = world();
        drop(world.resolve("a", &["192.0.2.77"]));
        assert_eq!(world.pick(), "a");
        let events = world.resolve("a", &[]);
        assert_eq!(
            short(&world, &events),
            ["down a: its name does not resolve", "close a ServerDown", "tier 1 to 2"]
        );
        assert_eq!(world.pick(), "b");
    }

    #[test]
    fn a_socket_address_is_not_for_the_resolver() {
        let mut world = world();
        assert_eq!(world.resolve("b", &[]), []);
        assert_eq!(world.status("b").state, State::Up);
    }
}
