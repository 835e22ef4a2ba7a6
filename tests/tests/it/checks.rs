//! Each kind of check against real servers: what passes, what fails, and what the operator reads of it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use testkit::backend::{Backend, Behaviour};
use testkit::lb::Lb;
use testkit::nginx::Nginx;
use testkit::place::Place;
use testkit::{ports, usage, wait};

use crate::client::refused;
use crate::daemon::{Daemon, SOON, only};

/// One check of one server, and how it must come out: `passed`, or the word for the failure.
struct Case<'a> {
    check: &'a str,
    server: SocketAddr,
    result: &'static str,
}

/// All cases in one daemon, each in a pool of its own.
fn hold(cases: &[Case<'_>]) {
    let port = ports::reserve().unwrap();
    let mut config =
        format!("listeners: [ {{ name: l, bind: \"{}\", pool: p0 }} ]\npools:\n", port.address());
    for (number, Case { check, server, result }) in cases.iter().enumerate() {
        // the first result decides, and must change something
        let start = if *result == "passed" { "down" } else { "up" };
        config += &format!(
            "  - {{ name: p{number}, check: {{ interval: 500ms, start: {start}, {check} }}, \
             servers: [ {{ name: a, address: \"{server}\" }} ] }}\n"
        );
    }
    let lb = Lb::start(&config).unwrap();
    for (number, Case { check, result, .. }) in cases.iter().enumerate() {
        let pool = format!("p{number}");
        let state = if *result == "passed" { "up" } else { "down" };
        let labels = [("pool", pool.as_str()), ("state", state)];
        if let Err(error) = lb.wait_metric("lb_server_state", &labels, SOON, |value| value == 1.0) {
            panic!("{check} must be {result}: {error:#}");
        }
        let metrics = lb.metrics().unwrap();
        let counts = metrics.samples("lb_server_checks_total").iter();
        let results: Vec<_> = counts.filter(|(labels, _)| labels["pool"] == pool).collect();
        assert!(results.iter().all(|(labels, _)| labels["result"] == *result), "{check}: {results:?}");
        assert!(!results.is_empty(), "{check}");
    }
}

#[test]
fn bytes() {
    let echo = Backend::start(Behaviour::Echo).unwrap();
    let name = Backend::start(Behaviour::Name("server 17".to_owned())).unwrap();
    let silent = Backend::start(Behaviour::Silent).unwrap();
    let reset = Backend::start(Behaviour::Reset).unwrap();
    let closed = ports::reserve().unwrap();
    let other_port = format!("type: tcp, port: {}", closed.number());
    let same_port = format!("type: tcp, port: {}", echo.address().port());
    let case = |check, server: SocketAddr, result| Case { check, server, result };
    hold(&[
        case("type: tcp", echo.address(), "passed"),
        case("type: tcp", closed.address(), "refused"),
        case(&other_port, echo.address(), "refused"),
        case(&same_port, closed.address(), "passed"),
        case("type: tcp, address: 127.0.0.2", echo.address(), "refused"),
        case("type: send_expect, send: ping, expect: ping", echo.address(), "passed"),
        case("type: send_expect, send: ping, expect: pong", echo.address(), "unexpected_answer"),
        case("type: send_expect, send: ping, expect: ping", silent.address(), "timeout"),
        case("type: send_expect, send: ping, expect: ping", reset.address(), "reset"),
        case("type: send_expect, send_hex: \"00 ff 0a\", expect_hex: \"ff0a\"", echo.address(), "passed"),
        case("type: send_expect, send_hex: 00ff0a, expect_hex: ff0b", echo.address(), "unexpected_answer"),
        case("type: send_expect, expect_regex: \"^server [0-9]+\"", name.address(), "passed"),
        case("type: send_expect, expect_regex: \"^server [a-z]+\"", name.address(), "unexpected_answer"),
    ]);
}

#[test]
fn http_and_tls() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let (plain, secure) = (ports::reserve().unwrap(), ports::reserve().unwrap());
    let path = dir.path().display();
    let _nginx = Nginx::http(
        &Place::Here,
        &format!(
            "server {{
    listen {};
    listen {} ssl;
    ssl_certificate {path}/server.pem;
    ssl_certificate_key {path}/server.key;
    location = / {{ return 200 \"ready for work\"; }}
    location = /busy {{ return 503 \"busy\"; }}
    location = /named {{ if ($host = empi.test) {{ return 204; }} return 404; }}
}}",
            plain.address(),
            secure.address()
        ),
        &[plain.number(), secure.number()],
    )
    .unwrap();
    let ca = format!("ca_file: {path}/ca.pem");
    let verified = format!("type: https, {ca}, server_name: empi.test");
    let by_address = format!("type: tls, {ca}");
    let by_name = format!("type: tls, {ca}, server_name: empi.test");
    let wrong_name = format!("type: tls, {ca}, server_name: other.test");
    let busy = format!("type: https, {ca}, path: /busy");
    let case = |check, server: SocketAddr, result| Case { check, server, result };
    let (plain, secure) = (plain.address(), secure.address());
    hold(&[
        case("type: http", plain, "passed"),
        case("type: http, path: /busy", plain, "unexpected_answer"),
        case("type: http, path: /busy, status: 500-599", plain, "passed"),
        case("type: http, path: /busy, status: [ 200, 503 ]", plain, "passed"),
        case("type: http, status: 204", plain, "unexpected_answer"),
        case("type: http, path: /named, host: empi.test, status: 204", plain, "passed"),
        case("type: http, path: /named", plain, "unexpected_answer"),
        case("type: http, method: HEAD", plain, "passed"),
        case("type: http, expect: for work", plain, "passed"),
        case("type: http, expect: on holiday", plain, "unexpected_answer"),
        case("type: http, expect_regex: \"^ready .*k$\"", plain, "passed"),
        case(&verified, secure, "passed"),
        case(&busy, secure, "unexpected_answer"),
        case("type: https", secure, "tls"),
        case("type: https, verify: false", secure, "passed"),
        case(&by_address, secure, "passed"),
        case(&by_name, secure, "passed"),
        case(&wrong_name, secure, "tls"),
        case("type: tls", secure, "tls"),
        case("type: tls, verify: false", secure, "passed"),
        case(&by_address, plain, "tls"),
    ]);
}

/// An authority, and a certificate of it for `empi.test` and 127.0.0.1, as an operator would make them.
fn certificates(dir: &Path) {
    let script = "
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority \
    -keyout ca.key -out ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout server.key -out server.csr
echo subjectAltName=DNS:empi.test,IP:127.0.0.1 >extensions
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile extensions -out server.pem
";
    let output = Command::new("sh").args(["-ec", script]).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn commands() {
    let dir = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        format!("type: command, program: /bin/sh, args: [ \"{}\" ]", path.display())
    };
    let server = "127.0.0.1:7099".parse().unwrap();
    let pids = dir.path().join("pids");
    let arguments = script("arguments", "[ \"$*\" = '127.0.0.1 7099 a' ]");
    let fails = script("fails", "echo disk full; exit 3");
    let killed = script("killed", "kill -9 $$");
    let floods = script("floods", "yes");
    let hangs = script("hangs", &format!("sleep 60 & echo $$ $! >>{}; wait", pids.display()));
    let case = |check, result| Case { check, server, result };
    hold(&[
        case(&arguments, "passed"),
        case(&fails, "exit"),
        case(&killed, "signal"),
        case(&floods, "flood"),
        case(&hangs, "timeout"),
    ]);

    // the daemon is gone; and of a hanging command nothing is left even while it lives
    fs::remove_file(&pids).unwrap();
    let backend = Backend::start(Behaviour::Echo).unwrap();
    let lb = Daemon::start("", &format!("check: {{ interval: 200ms, fall: 1, {hangs} }}"), &only(&backend));
    lb.wait_for("lb_server_checks_total", &[("result", "timeout")], 2.0);
    let started = fs::read_to_string(&pids).unwrap();
    let started: Vec<u32> = started.lines().take(2).flat_map(pids_of).collect();
    assert_eq!(started.len(), 4, "two checks of two processes");
    let gone = || started.iter().all(|pid| !usage::runs(*pid)).then_some(());
    wait::until("the end of a hanging check's processes", SOON, gone).unwrap();
    assert_eq!(lb.server("a")["reason"], "check: no answer in time");
    refused(lb.address);

    // a program that can be run no longer says nothing about the server
    let program = dir.path().join("program");
    fs::write(&program, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let check = format!("check: {{ interval: 100ms, type: command, program: {} }}", program.display());
    let lb = Daemon::start("", &check, &only(&backend));
    fs::remove_file(&program).unwrap();
    lb.lb.wait_metric("lb_server_checks_total", &[("result", "local")], SOON, |count| count >= 4.0).unwrap();
    assert_eq!(lb.server("a")["state"], "up");
    assert!(lb.lb.log().contains("this host cannot make the check"));
}

fn pids_of(line: &str) -> Vec<u32> {
    line.split(' ').map(|pid| pid.parse().unwrap()).collect()
}
