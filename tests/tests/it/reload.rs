//! Reloads: nothing that lives is broken, nothing leaks, and a file with a fault changes nothing.

use std::fs;
use std::net::TcpListener;

use nix::sys::signal::Signal;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::ports::{self, Port};
use testkit::traffic::{Shape, Traffic};
use testkit::usage;

use crate::scene::{
    SOON, connect, echo, listening_sockets, served, server, soon, status, text, wait_live, wait_usable,
};

/// What stays the same over all configurations of a test.
struct Scene {
    bank: Port,
    extra: Port,
    backends: Vec<Backend>,
}

impl Scene {
    fn new() -> Self {
        let backend = || Backend::start(Behaviour::Echo).unwrap();
        let [bank, extra] = [(); 2].map(|()| ports::reserve().unwrap());
        Self { bank, extra, backends: vec![backend(), backend(), backend()] }
    }

    /// A listener `bank`, and a pool of the first servers with these weights.
    fn config(&self, weights: &[u32], more: &str) -> String {
        let servers: String = ["a", "b", "c"]
            .iter()
            .zip(&self.backends)
            .zip(weights)
            .map(|((name, backend), weight)| {
                format!("      - {{ name: {name}, address: \"{}\", weight: {weight} }}\n", backend.address())
            })
            .collect();
        format!(
            "listeners:
  - {{ name: bank, bind: \"{}\", pool: empi }}
{more}
pools:
  - name: empi
    on_down: keep
    check: {{ interval: 200ms, fall: 1, rise: 1 }}
    servers:
{servers}",
            self.bank.address()
        )
    }

    /// The `number`th of many that differ in everything that a reload can change.
    fn variant(&self, number: u32) -> String {
        let extra = format!("  - {{ name: extra, bind: \"{}\", pool: empi }}", self.extra.address());
        let more = if number.is_multiple_of(3) { extra.as_str() } else { "" };
        let weights = [1 + number % 5, 2, 3];
        let count = if number.is_multiple_of(2) { 3 } else { 2 };
        let text = self.config(&weights[..count], more);
        let idle = format!("pool: empi, idle_timeout: {}m }}", 60 + number % 7);
        let connect = format!("on_down: keep\n    connect: {{ timeout: {}ms }}", 1500 + number % 4);
        text.replacen("pool: empi }", &idle, 1).replace("on_down: keep", &connect)
    }
}

#[test]
fn two_hundred_reloads_under_load_break_nothing_and_leave_nothing() {
    const LONG: u32 = 20;
    let scene = Scene::new();
    let lb = Lb::start(&scene.variant(0)).unwrap();
    let sockets = listening_sockets(scene.bank.number());
    assert!(!sockets.is_empty());
    let long = Traffic::start(scene.bank.address(), Shape::long(LONG)).unwrap();
    wait_live(&lb, LONG.into());

    let hundred = |from: u32| {
        let short = Traffic::start(scene.bank.address(), Shape::short(4)).unwrap();
        for number in from..from + 100 {
            lb.reload(&scene.variant(number)).unwrap();
        }
        lb.reload(&scene.variant(0)).unwrap();
        let exchanges = long.exchanges();
        soon("the streams to go on", || (long.exchanges() > exchanges + 100).then_some(()));
        let short = short.stop().unwrap();
        assert_eq!(short.failures, [""; 0]);
        assert!(short.finished > 100, "{short:?}");
        assert_eq!(listening_sockets(scene.bank.number()), sockets);
        wait_live(&lb, LONG.into());
        let usage = usage::of_tree(lb.pid()).unwrap();
        (usage.anonymous, usage.files)
    };
    let (first, files) = hundred(1);
    let (second, _) = hundred(101);
    eprintln!("{first} bytes after 100 reloads, {second} after 200");
    let grown = second.saturating_sub(first);
    assert!(grown < 512 * 1024, "{grown} bytes more after the second hundred reloads");
    // A check or a look at the metrics may be under way at any moment.
    soon("as few files as before", || (usage::of_tree(lb.pid()).unwrap().files <= files).then_some(()));
    let long = long.stop().unwrap();
    assert_eq!(long.failures, [""; 0]);
    assert_eq!(long.finished, u64::from(LONG));
    let applied = lb.metrics().unwrap().sum("lb_config_reloads_total", &[("result", "applied")]);
    assert_eq!(applied, 202.0);
}

#[test]
fn a_file_with_faults_changes_nothing_and_all_of_them_are_told() {
    let scene = Scene::new();
    let good = scene.config(&[1, 1], "");
    let mut lb = Lb::start(&good).unwrap();
    let mut client = served(scene.bank.address());
    let faulty = good
        .replace("weight: 1", "weight: 1001")
        .replace("pool: empi", "pool: nowhere")
        .replace("on_down: keep", "on_down: panic");
    let expected =
        ["pools[empi].servers[a].weight", "servers[b].weight", "no pool is called `nowhere`", "on_down"];
    lb.write(&faulty).unwrap();

    let output = lb.ctl_output(&["reload"]).unwrap();
    assert_eq!(output.status.code(), Some(64));
    let complaint = text(&output);
    assert!(expected.iter().all(|fault| complaint.contains(fault)), "{complaint}");
    assert!(complaint.contains("the old one goes on"), "{complaint}");
    lb.wait_metric("lb_config_reloads_total", &[("result", "refused")], SOON, |count| count == 1.0).unwrap();

    lb.signal(Signal::SIGHUP).unwrap();
    lb.wait_metric("lb_config_reloads_total", &[("result", "refused")], SOON, |count| count == 2.0).unwrap();
    let log = soon("all faults in the log", || {
        let log = lb.log();
        expected.iter().all(|fault| log.contains(fault)).then_some(log)
    });
    assert!(log.contains("not reloaded; the old configuration goes on"), "{log}");

    echo(&mut client, "still here").unwrap();
    served(scene.bank.address());
    assert!(lb.process().exited().is_none());

    lb.write(&good.replace("weight: 1", "weight: 9")).unwrap();
    lb.signal(Signal::SIGHUP).unwrap();
    lb.wait_metric("lb_config_reloads_total", &[("result", "applied")], SOON, |count| count == 1.0).unwrap();
    assert_eq!(server(&status(&lb), "empi", "a")["weight"], 9);
    echo(&mut client, "and still").unwrap();
}

#[test]
fn an_address_in_use_changes_nothing() {
    let scene = Scene::new();
    let (taken, free) = (ports::reserve().unwrap(), ports::reserve().unwrap());
    let _occupant = TcpListener::bind(taken.address()).unwrap();
    let lb = Lb::start(&scene.config(&[1, 1], "")).unwrap();
    let more = format!(
        "  - {{ name: free, bind: \"{}\", pool: empi }}\n  - {{ name: taken, bind: \"{}\", pool: empi }}",
        free.address(),
        taken.address()
    );
    lb.write(&scene.config(&[5, 5], &more)).unwrap();
    let output = lb.ctl_output(&["reload"]).unwrap();
    assert_eq!(output.status.code(), Some(64));
    let complaint = text(&output);
    let advice = format!("ss -ltnp 'sport = :{}'", taken.number());
    for part in ["listeners[taken].bind", &taken.address().to_string(), "in use", &advice] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert!(!ports::listening(free.number()), "half of a refused file is in force");
    assert_eq!(server(&status(&lb), "empi", "a")["weight"], 1);
    served(scene.bank.address());
}

#[test]
fn health_and_counters_go_on() {
    let scene = Scene::new();
    scene.backends[1].stop().unwrap();
    let lb = Lb::start(&scene.config(&[1, 1], "")).unwrap();
    wait_usable(&lb, "empi", "b", false);
    let traffic = Traffic::start(scene.bank.address(), Shape::short(2)).unwrap();
    let mut before = lb.metrics().unwrap();
    let mut down_for = 0.0;
    for weight in 2..22 {
        lb.reload(&scene.config(&[weight, weight + 1], "")).unwrap();
        let now = lb.metrics().unwrap();
        assert_eq!(now.sum("lb_server_usable", &[("server", "b")]), 0.0);
        assert_eq!(now.sum("lb_server_state", &[("server", "b"), ("state", "down")]), 1.0);
        for name in before.names().filter(|name| name.ends_with("_total")) {
            for (labels, value) in before.samples(name) {
                let labels: Vec<_> = labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                assert!(now.get(name, &labels) >= Some(*value), "{name}{labels:?} fell from {value}");
            }
        }
        let seconds = server(&status(&lb), "empi", "b")["state_seconds"].as_f64().unwrap();
        assert!(seconds > down_for, "down since {seconds} s, before {down_for}");
        (down_for, before) = (seconds, now);
    }
    assert_eq!(before.sum("lb_server_transitions_total", &[("server", "b")]), 1.0);
    let finished = traffic.finished();
    soon("more traffic", || (traffic.finished() > finished).then_some(()));
    assert_eq!(traffic.stop().unwrap().failures, [""; 0]);
}

#[test]
fn what_an_operator_set_stays() {
    let scene = Scene::new();
    let lb = Lb::start(&scene.config(&[1, 1, 1], "")).unwrap();
    lb.ctl(&["server", "weight", "empi/a", "7"]).unwrap();
    lb.ctl(&["server", "drain", "empi/b"]).unwrap();
    lb.ctl(&["server", "maint", "empi/c"]).unwrap();
    let look = || {
        let status = status(&lb);
        let weight = server(&status, "empi", "a")["effective_weight"].as_f64().unwrap();
        let state = |name| server(&status, "empi", name)["state"].as_str().unwrap().to_owned();
        (weight, state("b"), state("c"))
    };
    let set = (7.0, "draining".to_owned(), "maint".to_owned());
    assert_eq!(look(), set);
    lb.reload(&scene.config(&[1, 4, 4], "")).unwrap();
    assert_eq!(look(), set);
    lb.reload(&scene.config(&[3, 4, 4], "")).unwrap();
    assert_eq!(look().0, 3.0, "a new weight in the file is newer than the operator's");
}

#[test]
fn a_renamed_listener_loses_no_connection() {
    let scene = Scene::new();
    let config = |name: &str| scene.config(&[1, 1], "").replace("name: bank", &format!("name: {name}"));
    let lb = Lb::start(&config("bank")).unwrap();
    let sockets = listening_sockets(scene.bank.number());
    let mut client = served(scene.bank.address());
    let traffic = Traffic::start(scene.bank.address(), Shape::short(8)).unwrap();
    for number in 0..40 {
        let finished = traffic.finished();
        lb.reload(&config(&format!("bank-{number}"))).unwrap();
        soon("traffic through the new listener", || (traffic.finished() > finished + 20).then_some(()));
    }
    assert_eq!(traffic.stop().unwrap().failures, [""; 0]);
    assert_eq!(listening_sockets(scene.bank.number()), sockets);
    echo(&mut client, "since the first name").unwrap();
}

#[test]
fn an_address_that_widens_or_narrows_loses_no_connection() {
    let scene = Scene::new();
    let narrow = scene.config(&[1, 1], "");
    let wide = narrow.replace("bind: \"127.0.0.1", "bind: \"0.0.0.0");
    let lb = Lb::start(&narrow).unwrap();
    let mut client = served(scene.bank.address());
    let traffic = Traffic::start(scene.bank.address(), Shape::short(8)).unwrap();
    for config in [&wide, &narrow, &wide, &narrow] {
        let finished = traffic.finished();
        lb.reload(config).unwrap();
        soon("traffic through the new socket", || (traffic.finished() > finished + 200).then_some(()));
    }
    assert_eq!(traffic.stop().unwrap().failures, [""; 0]);
    echo(&mut client, "since the first address").unwrap();
}

#[test]
fn a_plan_names_each_change_with_the_connections_it_touches() {
    let scene = Scene::new();
    let other = ports::reserve().unwrap();
    let old =
        scene.config(&[1, 1], &format!("  - {{ name: extra, bind: \"{}\", pool: empi }}", other.address()));
    let lb = Lb::start(&old).unwrap();
    let _clients = [(); 4].map(|()| served(scene.bank.address()));
    let _other_client = served(other.address());
    wait_live(&lb, 5.0);
    let new = scene.config(&[6], "").replace("on_down: keep", "slow_start: 5s\n    on_down: close");
    let new = fs::read_to_string(lb.config_path()).unwrap().replace(&old, &new);
    let file = lb.config_path().with_extension("new");
    fs::write(&file, new).unwrap();
    let file = file.to_str().unwrap();

    let plan = lb.ctl(&["plan", file]).unwrap();
    for part in [
        "~ pool empi: slow_start",
        "~ server empi/a: weight: 1 → 6",
        "- server empi/b at",
        "are closed (on_down: close)",
        "- listener extra",
    ] {
        assert!(plan.contains(part), "{plan}");
    }
    let plan: serde_json::Value = serde_json::from_str(&lb.ctl(&["plan", "--json", file]).unwrap()).unwrap();
    let touched = |change: &str| {
        let found = plan.as_array().unwrap().iter().find(|one| one["change"] == change);
        found.unwrap_or_else(|| panic!("no {change} in {plan}"))["connections"].as_u64().unwrap()
    };
    assert_eq!(touched("pool_changed"), 5);
    assert_eq!(touched("listener_removed"), 1);
    assert_eq!(touched("server_changed") + touched("server_removed"), 5);

    assert_eq!(lb.metrics().unwrap().sum("lb_config_reloads_total", &[]), 0.0, "a plan changes nothing");
    connect(other.address()).unwrap();
}
