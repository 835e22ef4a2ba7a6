//! What is wrong is said clearly, and costs nobody else anything.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use testkit::backend::{Backend, Behaviour};
use testkit::lb::{self, Lb};
use testkit::ports::{self, Port};
use testkit::usage;

use crate::scene::{SOON, connect, echo, served, soon, text, wait_live, wait_usable};

/// A listener at `bind`, a pool with these lines, and one server.
fn config(bind: impl ToString, pool: &str, server: &Backend) -> String {
    format!(
        "listeners:
  - {{ name: bank, bind: \"{}\", pool: empi }}
pools:
  - name: empi
    {pool}
    servers: [ {{ name: s, address: \"{}\" }} ]
",
        bind.to_string(),
        server.address()
    )
}

fn echoing() -> (Port, Backend) {
    (ports::reserve().unwrap(), Backend::start(Behaviour::Echo).unwrap())
}

fn run(arguments: &[&str]) -> Output {
    Command::new(lb::binary().unwrap()).args(arguments).output().unwrap()
}

const FAULTY: &str = r#"
listeners:
  - { name: one, bind: "127.0.0.1:7000", pool: nowhere, bakclog: 5 }
  - { name: one, bind: "127.0.0.1:7000", pool: p }
pools:
  - name: p
    check: { interval: fast }
    servers:
      - { name: s, address: "192.0.2.1:1", weight: 0 }
      - { name: s, address: "192.0.2.2:1", weight: 0 }
"#;

/// Line and a part of each fault of [`FAULTY`].
const FAULTS: [(u64, &str); 7] = [
    (3, "no pool is called `nowhere`"),
    (3, "backlog"),
    (4, "another listener is called `one`"),
    (4, "overlaps with 127.0.0.1:7000"),
    (7, "interval"),
    (9, "weight 0"),
    (10, "another server of this pool is called `s`"),
];

#[test]
fn a_check_names_every_fault_in_one_go() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lb.yaml");
    fs::write(&file, FAULTY).unwrap();
    let file = file.to_str().unwrap();

    let output = run(&["check", "--config", file]);
    assert_eq!(output.status.code(), Some(64));
    let complaint = text(&output);
    for (line, fault) in FAULTS {
        let found =
            complaint.lines().any(|one| one.contains(&format!("line {line}: ")) && one.contains(fault));
        assert!(found, "no fault in line {line} about {fault} in:\n{complaint}");
    }
    assert!(complaint.contains("7 faults"), "{complaint}");

    let output = run(&["check", "--json", "--config", file]);
    assert_eq!(output.status.code(), Some(64));
    let faults: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(faults.len(), FAULTS.len());
    for fault in &faults {
        assert!(["path", "problem", "advice"].iter().all(|part| fault[part].is_string()), "{fault}");
        assert!(fault["line"].is_u64(), "{fault}");
    }

    let output = run(&["check", "--config", "/nonexistent/lb.yaml"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output).contains("/nonexistent/lb.yaml: No such file"), "{}", text(&output));
}

#[test]
fn nothing_is_bound_before_the_file_is_right() {
    let (port, backend) = echoing();
    // If it bound first, it would fail on this one, with another exit code.
    let _occupant = TcpListener::bind(port.address()).unwrap();
    let faulty = config(port.address(), "balance: fastest", &backend);
    let mut lb = Lb::spawn(&Default::default(), &faulty, &[]).unwrap();
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(64));
    assert!(lb.log().contains("balance"), "{}", lb.log());
    assert!(!lb.socket().exists());
    assert!(!ports::listening(lb.metrics_address().port()));
}

#[test]
fn a_port_in_use_is_named_with_advice() {
    let (port, backend) = echoing();
    let _occupant = TcpListener::bind(port.address()).unwrap();
    let mut lb = Lb::spawn(&Default::default(), &config(port.address(), "", &backend), &[]).unwrap();
    assert_eq!(lb.process().wait_exit(SOON).unwrap().code(), Some(1));
    let log = lb.log();
    let advice = format!("ss -ltnp 'sport = :{}'", port.number());
    for part in ["listeners[bank].bind", &port.address().to_string(), "in use", &advice] {
        assert!(log.contains(part), "{log}");
    }
    assert!(!lb.socket().exists(), "nothing is left of it");
}

#[test]
fn what_this_host_has_not_is_a_fault_before_anything_happens() {
    let (port, backend) = echoing();
    let lb = Lb::start(&config(port.address(), "", &backend)).unwrap();
    let good = fs::read_to_string(lb.config_path()).unwrap();
    let file = lb.config_path();
    for (bad, fault) in [
        (
            good.clone() + "log: { level: \"lb=loud\" }\n",
            "log.level: this is not a log level (here: \"lb=loud\")",
        ),
        (
            good.replace("name: empi\n", "name: empi\n    check: { type: command, program: /nonexistent }\n"),
            "pools[empi].check.program: this program cannot be found",
        ),
        (
            good.replace("name: empi\n", "name: empi\n    check: { type: tls, ca_file: /nonexistent }\n"),
            "pools[empi].check.ca_file: these certificates cannot be used",
        ),
    ] {
        fs::write(&file, bad).unwrap();
        let path = file.to_str().unwrap();
        for arguments in
            [&["check", "--config", path][..], &["run", "--config", path], &["reload"], &["plan", path]]
        {
            let output = lb.ctl_output(arguments).unwrap();
            assert_eq!(output.status.code(), Some(64), "{arguments:?}: {}", text(&output));
            assert!(text(&output).contains(fault), "{arguments:?}: {}", text(&output));
        }
    }
    served(port.address());
}

#[test]
fn a_second_daemon_on_one_socket_is_refused() {
    let (port, backend) = echoing();
    let first = Lb::start(&config(port.address(), "", &backend)).unwrap();
    let [metrics, other] = [(); 2].map(|()| ports::reserve().unwrap());
    let text_of_second = fs::read_to_string(first.config_path())
        .unwrap()
        .replace(&first.metrics_address().to_string(), &metrics.address().to_string())
        .replace(&port.address().to_string(), &other.address().to_string());
    let file = first.config_path().with_extension("second");
    fs::write(&file, text_of_second).unwrap();
    let output = run(&["run", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output);
    assert!(complaint.contains("another process answers on this socket"), "{complaint}");
    assert!(complaint.contains(first.socket().to_str().unwrap()), "{complaint}");
    first.ctl(&["status"]).unwrap();
    served(port.address());
}

#[test]
fn without_descriptors_the_connections_that_live_notice_nothing() {
    let (port, backend) = echoing();
    let lb = Lb::start(&config(port.address(), "check: off", &backend)).unwrap();
    let mut clients: Vec<_> = (0..5).map(|_| served(port.address())).collect();
    wait_live(&lb, 5.0);
    let descriptors = Path::new("/proc").join(lb.pid().to_string()).join("fd");
    let count = || fs::read_dir(&descriptors).unwrap().count();
    let before = count();
    let limit = format!("--nofile={}", before + 12);
    let limited = Command::new("prlimit").args(["--pid", &lb.pid().to_string(), &limit]).status().unwrap();
    assert!(limited.success());

    let crowd: Vec<_> = (0..60).map(|_| connect(port.address()).unwrap()).collect();
    soon("a line in the log", || lb.log().contains("no_file_descriptors").then_some(()));
    assert!(lb.log().contains("accepting is paused"), "{}", lb.log());
    for client in &mut clients {
        echo(client, "undisturbed").unwrap();
    }
    drop(crowd);
    let labels = [("listener", "bank"), ("reason", "no_file_descriptors")];
    lb.wait_metric("lb_listener_accept_errors_total", &labels, SOON, |count| count > 0.0).unwrap();
    // Those that gave up in the queue are taken and let go, too.
    let all = (clients.len() + 60) as f64;
    lb.wait_metric("lb_listener_connections_total", &[], SOON, |count| count == all).unwrap();
    wait_live(&lb, 5.0);
    soon("the descriptors to be back", || (count() <= before).then_some(()));
    for client in &mut clients {
        echo(client, "still undisturbed").unwrap();
    }
    served(port.address());
}

#[test]
fn a_command_that_hangs_or_floods_leaves_nothing_behind() {
    let (port, backend) = echoing();
    // An argument that no other process of this host has: how long they sleep, or the name of a script.
    let mark = format!("1000{}", port.number());
    let command = |script: &str| {
        format!(
            "check: {{ type: command, program: /bin/sh, args: [\"-c\", \"{script}\", \"{mark}\"], \
             interval: 100ms, timeout: 300ms, fall: 1 }}"
        )
    };
    let pool = |name: &str, script: &str| {
        let check = command(script);
        let address = backend.address();
        format!("  - {{ name: {name}, {check}, servers: [ {{ name: s, address: \"{address}\" }} ] }}\n")
    };
    let text = config(port.address(), "check: { interval: 100ms, timeout: 5s }", &backend)
        + &pool("hangs", &format!("sleep {mark} & sleep {mark}; true"))
        + &pool("floods", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
    let mut lb = Lb::start(&text).unwrap();
    let checks = |pool: &str, result: &str, wanted: f64| {
        let labels = [("pool", pool), ("result", result)];
        lb.wait_metric("lb_server_checks_total", &labels, SOON, |count| count >= wanted).unwrap()
    };
    wait_usable(&lb, "hangs", "s", false);
    wait_usable(&lb, "floods", "s", false);
    checks("hangs", "timeout", 4.0);
    let passed = checks("empi", "passed", 1.0);
    checks("empi", "passed", passed + 5.0);
    served(port.address());
    // Of each command at most one is under way: two processes that sleep and their shell, and the shell that floods.
    soon("the processes of former checks to be gone", || {
        (usage::descendants(lb.pid()).len() <= 4).then_some(())
    });
    assert!(
        lb.metrics().unwrap().sum("lb_server_checks_total", &[("pool", "floods"), ("result", "passed")])
            == 0.0
    );

    lb.signal(nix::sys::signal::Signal::SIGTERM).unwrap();
    lb.process().wait_exit(SOON).unwrap();
    soon("the last processes to be gone", || (marked(&mark) == 0).then_some(()));
}

/// How many processes have this argument.
fn marked(argument: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.split(|byte| *byte == 0).any(|one| one == argument.as_bytes())).count()
}

#[test]
fn a_command_for_something_that_is_not_there_says_so() {
    let (port, backend) = echoing();
    let lb = Lb::start(&config(port.address(), "", &backend)).unwrap();
    for (arguments, expected) in [
        (&["server", "drain", "empi/x"][..], "pool `empi` has no server called `x`; it has s"),
        (&["server", "maint", "nowhere/s"], "no pool is called `nowhere`; there are empi"),
        (&["server", "weight", "empi/x", "3"], "pool `empi` has no server called `x`"),
        (&["plan", "/nonexistent.yaml"], "/nonexistent.yaml: No such file"),
    ] {
        let output = lb.ctl_output(arguments).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output).contains(expected), "{}", text(&output));
    }
    let output = run(&["--socket", "/nonexistent/lb.sock", "status"]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output);
    for part in ["no lb answers on /nonexistent/lb.sock", "is it running", "--socket"] {
        assert!(complaint.contains(part), "{complaint}");
    }
}

#[test]
fn help_and_completions() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = text(&help);
    for command in ["run", "check", "status", "top", "server", "reload", "plan", "completions", "Examples:"] {
        assert!(help.contains(command), "{help}");
    }
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success());
        let script = text(&output);
        assert!(
            ["drain", "--config"].iter().all(|word| script.contains(word.trim_start_matches('-'))),
            "{script}"
        );
        if shell == "bash" {
            let file = dir.path().join("lb.bash");
            fs::write(&file, script).unwrap();
            let parsed = Command::new("bash").arg("-n").arg(&file).output().unwrap();
            assert!(parsed.status.success(), "{}", text(&parsed));
        }
    }
}
