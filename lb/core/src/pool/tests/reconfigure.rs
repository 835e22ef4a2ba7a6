//! What a reload keeps and what it changes.

use super::*;

fn full() -> config::Pool {
    let mut settings =
        checked(settings(&[("a", 10, 1), ("b", 10, 1), ("c", 10, 1), ("d", 10, 1)]), &tcp_check());
    settings.passive = Some(passive());
    settings.agent = Some(config::Agent {
        port: 9000,
        address: None,
        interval: secs(2),
        timeout: secs(1),
        send: Vec::new(),
    });
    settings.persistence = Some(config::Persistence { timeout: secs(600), prefix_v4: 32, prefix_v6: 64 });
    settings
}

#[test]
fn everything_survives_a_reload_that_changes_everything_else() {
    let mut world = World::new(full());
    // a is down by check, b is ejected, c has the operator's weight and a word of the agent, d serves.
    drop([world.fail("a"), world.fail("a"), world.fail("a")]);
    drop([world.fail_connect("b"), world.fail_connect("b")]);
    let c = world.id("c");
    drop(world.pool.set_weight(c, Some(7), world.now));
    drop(world.agent("c", "drain"));
    assert_eq!(world.pick_for("10.0.0.9"), "d");
    drop(world.admin("d", AdminState::Drain));
    let before = world.pool.status(world.now);

    let events = world.reconfigure(|settings| {
        settings.balance = Balance::LeastConnections;
        settings.on_return = OnReturn::Close;
        settings.servers.reverse();
        for server in &mut settings.servers {
            server.max_connections = Some(1000);
            server.check = Some(Check { interval: secs(7), rise: 4, fall: 2, ..tcp_check() });
        }
    });
    assert_eq!(events, []);

    let after = world.pool.status(world.now);
    for old in &before.servers {
        let new = after.servers.iter().find(|server| server.name == old.name).unwrap();
        let expected = ServerStatus { max_connections: Some(1000), ..old.clone() };
        assert_eq!(*new, expected);
    }
    assert_eq!(after.persistent_sources, before.persistent_sources);
    assert_eq!(world.visit_from("10.0.0.9"), "d", "draining, but it was its server");
    // Down, and now it takes four.
    assert_eq!([world.pass("a"), world.pass("a"), world.pass("a")], [[], [], []]);
    assert!(!world.pass("a").is_empty());
}

#[test]
fn a_reload_without_change_changes_nothing_and_tells_nothing() {
    let mut world = World::new(full());
    assert_eq!(world.pick(), "a");
    let before = world.pool.status(world.now);
    for _ in 0..200 {
        assert_eq!(world.reconfigure(|_| {}), []);
    }
    assert_eq!(world.pool.status(world.now), before);
}

#[test]
fn the_operator_s_weight_holds_until_the_file_s_changes() {
    let mut world = World::new(full());
    let a = world.id("a");
    drop(world.pool.set_weight(a, Some(3), world.now));
    drop(world.reconfigure(|settings| settings.servers[1].weight = 5));
    assert_eq!(world.status("a").effective_weight, 3.0);
    drop(world.reconfigure(|settings| settings.servers[0].weight = 20));
    assert_eq!(world.status("a").effective_weight, 20.0);
}

#[test]
fn a_removed_server_lives_on_until_its_last_connection_ends() {
    let mut world = World::new(full());
    assert_eq!([world.pick(), world.pick_for("10.0.0.2")], ["a", "b"]);
    let (a, c) = (world.id("a"), world.id("c"));
    let events = world.reconfigure(|settings| drop(settings.servers.remove(0)));
    assert_eq!(events, [], "on_down: keep");
    assert_eq!((world.status("a").state, world.status("a").live), (State::Retired, 1));
    assert_ne!(world.visit(), "a", "persistence does not lead there");
    assert_eq!(world.fail_check_by_id(a), []);

    assert_eq!(world.pool.closed(a, false, world.now), []);
    assert!(!world.pool.status(world.now).servers.iter().any(|server| server.id == a));
    assert_eq!(world.pool.closed(a, false, world.now), [], "unknown by now");

    drop(world.reconfigure(|settings| drop(settings.servers.remove(1))));
    assert!(!world.pool.status(world.now).servers.iter().any(|server| server.id == c), "nothing lived there");
}

#[test]
fn a_removed_server_is_closed_under_on_down_close() {
    let mut world = World::new(config::Pool { on_down: OnDown::Close, ..full() });
    assert_eq!(world.pick(), "a");
    let events = world.reconfigure(|settings| drop(settings.servers.remove(0)));
    assert_eq!(short(&world, &events), ["close a Removed"]);
}

#[test]
fn a_server_that_comes_back_has_its_old_id_and_connections_but_new_health() {
    let mut world = World::new(full());
    assert_eq!(world.pick(), "a");
    drop([world.fail("a"), world.fail("a"), world.fail("a")]);
    let (a, whole) = (world.id("a"), world.pool.settings().clone());
    drop(world.reconfigure(|settings| drop(settings.servers.remove(0))));
    drop(world.pool.reconfigure(whole.clone(), world.now));
    let status = world.status("a");
    assert_eq!((status.id, status.live, status.state), (a, 1, State::Up));

    // Without connections nothing is left of it, and its id is not used again.
    assert_eq!(world.close("a"), []);
    drop(world.reconfigure(|settings| drop(settings.servers.remove(0))));
    drop(world.pool.reconfigure(whole, world.now));
    assert_ne!(world.id("a"), a);
}

#[test]
fn another_priority_moves_a_server_with_its_connections() {
    let mut world = World::new(config::Pool { on_return: OnReturn::Close, ..full() });
    drop(world.reconfigure(|settings| {
        for server in &mut settings.servers {
            server.priority = 2;
        }
    }));
    assert_eq!(world.pick(), "a");
    let events = world.reconfigure(|settings| settings.servers[3].priority = 1);
    assert_eq!(short(&world, &events), ["tier 2 to 1", "close a PrimaryReturned"]);
    assert_eq!(world.pick_for("10.0.0.3"), "d");
}

#[test]
fn another_question_is_asked_at_once_and_keeps_the_state() {
    let mut world = World::new(full());
    let a = world.id("a");
    drop([world.fail("a"), world.fail("a"), world.fail("a")]);
    assert_eq!(world.pool.next_check(a), Some(world.now + secs(5)));
    drop(world.reconfigure(|settings| {
        settings.servers[0].check = Some(Check { port: Some(8080), ..tcp_check() });
    }));
    assert_eq!((world.pool.next_check(a), world.status("a").state), (Some(world.now), State::Down));
}

#[test]
fn a_shorter_interval_counts_from_now() {
    let mut world = World::new(full());
    let a = world.id("a");
    drop(world.pass("a"));
    drop(world.reconfigure(|settings| {
        settings.servers[0].check = Some(Check { interval: secs(2), ..tcp_check() });
    }));
    assert_eq!(world.pool.next_check(a), Some(world.now + secs(2)));
}

#[test]
fn a_check_that_is_taken_away_or_added() {
    let mut world = World::new(full());
    let a = world.id("a");
    drop([world.fail("a"), world.fail("a"), world.fail("a")]);
    let events = world.reconfigure(|settings| settings.servers[0].check = None);
    assert_eq!(short(&world, &events), ["up a after check"]);
    assert_eq!(world.pool.next_check(a), None);
    let check = Check { start: StartState::FullyDown, ..tcp_check() };
    let events = world.reconfigure(|settings| settings.servers[0].check = Some(check));
    assert_eq!(short(&world, &events), ["down a: check: has not passed often enough yet"]);
}

#[test]
fn what_is_turned_off_is_forgotten() {
    let mut world = World::new(full());
    drop([world.fail_connect("a"), world.fail_connect("a")]);
    drop(world.agent("b", "down"));
    assert_eq!(world.visit(), "c");
    let events = world.reconfigure(|settings| {
        settings.passive = None;
        settings.agent = None;
        settings.persistence = None;
    });
    assert_eq!(short(&world, &events), ["readmitted a", "up b after agent_down"]);
    assert_eq!(world.pool.status(world.now).persistent_sources, 0);
}

#[test]
fn a_sorry_server_comes_and_goes() {
    let down = checked(settings(&[("a", 1, 1)]), &Check { start: StartState::FullyDown, ..tcp_check() });
    let mut world = World::new(down);
    assert_eq!(world.pick(), "Down");
    drop(world.reconfigure(|settings| settings.sorry_server = sorry()));
    assert_eq!(world.pick(), "sorry_server");
    drop(world.reconfigure(|settings| settings.sorry_server = None));
    assert_eq!(world.pick(), "Down");
    assert_eq!(world.status("sorry_server").state, State::Retired);
}

impl World {
    /// A result for a server that has no name any more.
    fn fail_check_by_id(&mut self, id: ServerId) -> Vec<Event> {
        let result = CheckResult::Failed { took: secs(1), reason: "refused".to_owned() };
        self.pool.check_result(id, Question::default(), result, self.now)
    }
}

#[test]
fn a_removed_server_takes_its_ejection_along() {
    let mut world = World::new(full());
    assert_eq!(world.pick(), "a");
    drop([world.fail_connect("a"), world.fail_connect("a")]);
    drop(world.reconfigure(|settings| {
        settings.persistence = None;
        settings.servers.remove(0);
    }));
    assert_eq!(world.pool.next_deadline(), None);
}
