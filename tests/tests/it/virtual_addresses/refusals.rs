//! What cannot be, and what lb says about it.

use std::fs;
use std::process::{Child, Command, Output, Stdio};

use testkit::pair::{Pair, Side, VIP};
use testkit::{lb, netns};

use super::{file, plain_file};
use crate::scene::{soon, text};

#[test]
fn a_virtual_router_stands_once_on_an_interface() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lb.yaml");
    let router = |name: &str, address: &str| {
        format!("  - {{ name: {name}, interface: eth0, vrid: 51, addresses: [ {address}/24 ] }}\n")
    };
    let text_of = |second: &str| {
        format!(
            "listeners: [ {{ name: l, bind: \"{VIP}:7099\", pool: p }} ]
pools: [ {{ name: p, servers: [ {{ name: s, address: \"192.0.2.21:7099\" }} ] }} ]
vrrp:\n{}{second}",
            router("one", "192.0.2.100")
        )
    };
    let check = |second: &str| {
        fs::write(&path, text_of(second)).unwrap();
        Command::new(lb::binary().unwrap()).args(["check", "--config"]).arg(&path).output().unwrap()
    };
    let good = check("");
    assert!(good.status.success(), "{}", text(&good));
    let twice = check(&router("two", "192.0.2.101"));
    assert_eq!(twice.status.code(), Some(64));
    assert!(text(&twice).contains("vrid"), "{}", text(&twice));
}

/// `lb` without one of the two rights that it needs.
fn powerless(pair: &Pair, without: &str) -> Command {
    let mut command = pair.host(Side::A).place().command("setpriv");
    command.args([&format!("--bounding-set=-{without}"), &format!("--inh-caps=-{without}"), "--"]);
    command.arg(lb::binary().unwrap());
    command
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn assert_advice(output: &Output) {
    let text = text(output);
    assert!(text.contains("CAP_NET_RAW and CAP_NET_ADMIN") && !text.contains("panicked"), "{text}");
}

#[test]
fn without_the_right_it_is_refused() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lb.yaml");
    let socket = dir.path().join("lb.sock");
    let write = |sections: &str| {
        let text = format!("admin: {{ socket: \"{}\" }}\n{sections}", socket.display());
        fs::write(&path, text).unwrap();
    };
    for without in ["net_admin", "net_raw"] {
        write(&file(&pair, 250, ""));
        let output = powerless(&pair, without).args(["run", "--config"]).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert_advice(&output);

        write(&plain_file(&pair));
        let mut command = powerless(&pair, without);
        command.args(["run", "--config"]).arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running(command.spawn().unwrap());
        let ctl = |arguments: &[&str]| {
            Command::new(lb::binary().unwrap()).arg("--socket").arg(&socket).args(arguments).output().unwrap()
        };
        soon("an answer", || ctl(&["status"]).status.success().then_some(()));
        write(&file(&pair, 250, ""));
        let output = ctl(&["reload"]);
        assert!(!output.status.success());
        assert_advice(&output);
        assert!(running.0.try_wait().unwrap().is_none());
        assert!(ctl(&["status"]).status.success());
    }
}
