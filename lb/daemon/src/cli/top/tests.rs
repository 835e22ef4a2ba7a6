use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::json;

use lb_core::pool::AdminState;

use super::model::{Mode, Model, Order, Wish};
use super::rates::{ListenerRates, Rates};
use super::view;
use crate::control::{Report, testing};

/// `seconds` after its start, with so many connections made in all.
fn report(seconds: f64, connections: u64) -> Report {
    let server = |id: u32, name: &str, tier: u8, state: &str, live: u32, connections: u64| {
        let down = state == "down";
        json!({
            "id": id, "name": name, "address": format!("192.0.2.2{id}:7099"), "resolved": null,
            "sorry": false, "tier": tier, "weight": 5, "effective_weight": if down { 0.0 } else { 5.0 },
            "state": state, "reason": down.then_some("check: connection refused"), "state_seconds": 61.0,
            "admin": "ready", "live": live, "pending": 0, "max_connections": (id == 1).then_some(200),
            "ejected_seconds": null, "failures": 0,
            "check": { "passed": !down, "text": if down { "connection refused" } else { "passed" },
                       "took_seconds": 0.0012, "ago_seconds": 0.5 },
            "counters": { "connections": connections, "connect_failures": 0, "early_resets": 0,
                          "checks_passed": 9, "checks_failed": 0, "downs": 0, "ejections": 0 },
        })
    };
    let report = json!({
        "version": "1.2.3", "node": "lb-a", "file": "/etc/lb/lb.yaml", "uptime_seconds": seconds,
        "workers": 2, "draining": false,
        "listeners": [
            { "name": "bank", "binds": ["192.0.2.100:7099", "[2001:db8::100]:7099"], "pool": "empi",
              "connections": 150, "max_connections": 1000, "accepted": connections,
              "received_bytes": connections * 1000, "sent_bytes": connections * 3000 },
        ],
        "pools": [
            { "name": "empi", "usable": 2, "active_tier": 1, "tiers": [], "persistent_sources": 0,
              "servers": [
                server(1, "empi-a", 1, "up", 50, connections),
                server(2, "empi-b", 1, "down", 0, 0),
                server(3, "empi-c", 2, "up", 100, 0),
            ] },
        ],
    });
    serde_json::from_value(report).unwrap()
}

fn press(model: &mut Model, key: char) -> Option<Wish> {
    model.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE))
}

fn picture(model: &Model, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(model, frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().to_string()
}

#[test]
fn rates_come_from_two_reports() {
    let rates = Rates::between(&report(10.0, 100), &report(12.0, 150)).unwrap();
    let expected = ListenerRates { connections: 25.0, received_bytes: 25_000.0, sent_bytes: 75_000.0 };
    assert_eq!(rates.listener("bank"), Some(expected));
    assert_eq!(rates.listener("other"), None);
    let id = |n: usize| report(0.0, 0).pools[0].servers[n].id;
    assert_eq!(rates.server("empi", id(0)), Some(25.0));
    assert_eq!(rates.server("empi", id(1)), Some(0.0));
}

#[test]
fn a_restart_and_reports_of_one_moment_have_no_rates() {
    assert_eq!(Rates::between(&report(10.0, 100), &report(1.0, 5)), None);
    assert_eq!(Rates::between(&report(10.0, 100), &report(10.0, 100)), None);

    let mut model = Model::default();
    model.observe(Ok(report(10.0, 100)));
    model.observe(Ok(report(11.0, 110)));
    let before = model.rates().cloned();
    assert!(before.is_some());
    model.observe(Ok(report(11.01, 111)));
    assert_eq!(model.rates().cloned(), before, "too close: the last rates stay");
    model.observe(Ok(report(0.5, 1)));
    assert_eq!(model.rates(), None, "another process");
}

#[test]
fn an_order_needs_a_server_and_a_yes() {
    let mut model = Model::default();
    model.observe(Ok(report(10.0, 100)));
    assert_eq!(press(&mut model, 'd'), None);
    assert_eq!(*model.mode(), Mode::Watch, "no server is selected");
    assert!(model.message().unwrap().contains("select"));

    press(&mut model, 'j');
    press(&mut model, 'j');
    press(&mut model, 'd');
    assert_eq!(press(&mut model, 'n'), None);
    assert_eq!(model.message(), Some("nothing changed"));
    press(&mut model, 'm');
    let order = Order { pool: "empi".to_owned(), server: "empi-b".to_owned(), state: AdminState::Maint };
    assert_eq!(*model.mode(), Mode::Confirm(order.clone()));
    assert_eq!(press(&mut model, 'y'), Some(Wish::Set(order.clone())));
    model.obeyed(&order, Ok(()));
    assert_eq!(model.message(), Some("empi/empi-b: in maintenance"));
}

#[test]
fn the_selection_follows_the_server_through_sorts_and_stops_at_the_ends() {
    let mut model = Model::default();
    model.observe(Ok(report(10.0, 100)));
    let selected = |model: &Model| {
        let servers = &report(10.0, 0).pools[0].servers;
        servers.iter().find(|server| model.is_selected("empi", server.id)).map(|server| server.name.clone())
    };
    let order = |model: &Model| {
        let pool = &model.report().unwrap().pools[0];
        model.servers(pool).iter().map(|server| server.name.clone()).collect::<Vec<_>>()
    };
    press(&mut model, 'k');
    press(&mut model, 'k');
    assert_eq!(selected(&model).as_deref(), Some("empi-a"));
    press(&mut model, 's');
    assert_eq!(order(&model), ["empi-c", "empi-a", "empi-b"], "by connections");
    assert_eq!(selected(&model).as_deref(), Some("empi-a"));
    for _ in 0..5 {
        press(&mut model, 'j');
    }
    assert_eq!(selected(&model).as_deref(), Some("empi-b"));
    press(&mut model, 's');
    press(&mut model, 's');
    assert_eq!(order(&model), ["empi-b", "empi-a", "empi-c"], "the worst first");
}

#[test]
fn every_way_to_quit() {
    let key = |code, modifiers| Model::default().press(KeyEvent::new(code, modifiers));
    assert_eq!(key(KeyCode::Char('q'), KeyModifiers::NONE), Some(Wish::Quit));
    assert_eq!(key(KeyCode::Esc, KeyModifiers::NONE), Some(Wish::Quit));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Wish::Quit));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
}

#[test]
fn the_picture() {
    let mut model = Model::default();
    model.observe(Ok(report(3600.0, 100)));
    model.observe(Ok(report(3602.0, 150)));
    press(&mut model, 'j');
    insta::assert_snapshot!("watching", picture(&model, 130, 12));
    press(&mut model, 'd');
    insta::assert_snapshot!("asking", picture(&model, 80, 6));
    press(&mut model, 'n');
    press(&mut model, '?');
    insta::assert_snapshot!("help", picture(&model, 80, 16));
    insta::assert_snapshot!("plain", view::plain(&model));
}

#[test]
fn virtual_routers_have_a_line_each() {
    let mut model = Model::default();
    let virtual_routers = vec![testing::active("bank-vip"), testing::backup("core-vip")];
    model.observe(Ok(Report { virtual_routers, ..report(10.0, 100) }));
    insta::assert_snapshot!("virtual_routers", picture(&model, 150, 14));
}

#[test]
fn a_daemon_that_goes_away_is_shown_and_comes_back() {
    let mut model = Model::default();
    model.observe(Ok(report(10.0, 100)));
    model.observe(Err("no lb answers".to_owned()));
    let shown = picture(&model, 100, 12);
    assert!(shown.contains("NOT ANSWERING: no lb answers"), "{shown}");
    assert!(shown.contains("empi-a"), "what was known stays: {shown}");
    model.observe(Ok(report(1.0, 0)));
    assert!(!picture(&model, 100, 12).contains("NOT ANSWERING"));
}

#[test]
fn the_selected_server_is_in_the_picture_however_small() {
    let mut model = Model::default();
    model.observe(Ok(report(10.0, 100)));
    for _ in 0..3 {
        press(&mut model, 'j');
    }
    for height in 5..12 {
        let shown = picture(&model, 100, height);
        assert!(shown.contains("▸ empi-c"), "{height} lines: {shown}");
    }
}
