//! Servers whose addresses come from a name server, which changes its mind, lies or dies.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;
use tempfile::TempDir;
use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::place::Place;
use testkit::ports::{self, Port};
use testkit::process::Process;

use crate::client::{Ending, connect, echoes, ending, name_of_server, refused};
use crate::daemon::{Daemon, SOON, config};

/// dnsmasq with a hosts file of ours, for names under `test.`.
struct NameServer {
    process: Process,
    port: Port,
    hosts: PathBuf,
    _dir: TempDir,
}

impl NameServer {
    fn start(hosts: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = ports::reserve().unwrap();
        let file = dir.path().join("hosts");
        fs::write(&file, hosts).unwrap();
        let mut command = Command::new("dnsmasq");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--pid-file="]);
        command.args(["--no-resolv", "--no-hosts", "--local=/test/", "--bind-interfaces"]);
        // It stays who it is, which may be root of a user namespace without other users.
        command.args(["--user=", "--group="]);
        command.arg("--listen-address=127.0.0.1").arg(format!("--port={}", port.number()));
        command.arg(format!("--addn-hosts={}", file.display()));
        let log = dir.path().join("log");
        let mut process = Process::start("dnsmasq", command, &log, "run tests/setup").unwrap();
        let listens = || ports::listening(port.number()).then_some(());
        process.wait_until("its port to listen", SOON, listens).unwrap();
        Self { process, port, hosts: file, _dir: dir }
    }

    fn now_says(&self, hosts: &str) {
        fs::write(&self.hosts, hosts).unwrap();
        self.process.signal(Signal::SIGHUP).unwrap();
    }
}

/// Servers on 127.0.0.`last` that say so; all have one port.
fn at(last: u8, port: &Port) -> Backend {
    let address = SocketAddr::from(([127, 0, 0, last], port.number()));
    Backend::start_at(&Place::Here, address, Behaviour::Name(last.to_string())).unwrap()
}

fn daemon(names: SocketAddr, server: &Port, pool: &str) -> Daemon {
    let port = ports::reserve().unwrap();
    let servers = format!("{{ name: a, address: \"empi.test:{}\" }}", server.number());
    let resolver = format!("resolver: {{ servers: [ \"{names}\" ], interval: 100ms, timeout: 1s }}\n");
    let lb = Lb::start(&(resolver + &config(port.address(), "", pool, &servers))).unwrap();
    Daemon::serving(lb, port.address(), port)
}

#[test]
fn a_name_comes_moves_and_goes() {
    let port = ports::reserve().unwrap();
    let (_eleven, _twelve) = (at(11, &port), at(12, &port));
    let names = NameServer::start("");
    let lb = daemon(names.port.address(), &port, "check: { interval: 100ms }");

    // a name that does not resolve is a server that is down, and no failed start
    lb.wait_state("a", "down");
    let server = lb.server("a");
    assert_eq!((&server["resolved"], &server["reason"]), (&().into(), &"its name does not resolve".into()));
    let lookups = |result: &str, count: f64| {
        let labels = [("server", "a"), ("result", result)];
        lb.lb.wait_metric("lb_server_lookups_total", &labels, SOON, |now| now >= count).unwrap();
    };
    lookups("not_found", 1.0);
    refused(lb.address);
    lb.wait_reason(0, "no_server");

    names.now_says("127.0.0.11 empi.test\n");
    lb.wait_state("a", "up");
    assert_eq!(lb.server("a")["resolved"], format!("127.0.0.11:{}", port.number()));
    let client = connect(lb.address);
    assert_eq!(name_of_server(&client), "11");

    // it moves: old connections end, new ones go to the new place
    names.now_says("127.0.0.12 empi.test\n");
    assert_eq!(ending(&client), Ending::Rst);
    lb.wait_reason(1, "server_moved");
    let client = connect(lb.address);
    assert_eq!(name_of_server(&client), "12");
    assert!(lb.lb.log().contains("\"message\":\"address changed\""));

    // one more address does not move it away from the one it has
    names.now_says("127.0.0.11 empi.test\n127.0.0.12 empi.test\n");
    let before = lb.metric("lb_server_lookups_total", &[("result", "found")]);
    lookups("found", before + 3.0);
    assert!(echoes(&client).unwrap());

    names.now_says("");
    lb.wait_state("a", "down");
    assert_eq!(ending(&client), Ending::Rst);
    lb.wait_reason(2, "server_down");
    lb.wait_for("lb_pool_usable_servers", &[], 0.0);
}

#[test]
fn without_a_name_server_the_last_answer_holds() {
    let port = ports::reserve().unwrap();
    let _eleven = at(11, &port);
    let mut names = NameServer::start("127.0.0.11 empi.test\n");
    let lb = daemon(names.port.address(), &port, "check: off");
    lb.wait_state("a", "up");
    let client = connect(lb.address);
    assert_eq!(name_of_server(&client), "11");
    names.process.kill();
    let failed = || {
        lb.metric("lb_server_lookups_total", &[])
            - lb.metric("lb_server_lookups_total", &[("result", "found")])
    };
    let before = failed();
    testkit::wait::until("look-ups that fail", SOON, || (failed() >= before + 2.0).then_some(())).unwrap();
    assert!(echoes(&client).unwrap());
    assert_eq!(name_of_server(&connect(lb.address)), "11");
    assert!(lb.lb.log().contains("the last answer holds"));
}
