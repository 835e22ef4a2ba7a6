//! Where connections leave from, when that cannot be: nobody is blamed, and whoever can serves.

use testkit::backend::{Backend, Behaviour};
use testkit::place::Place;

use crate::client::{connect, echoes, refused};
use crate::daemon::{Daemon, only, server};

#[test]
fn an_egress_of_the_other_family_is_passed_over() {
    let v6 = Backend::start_at(&Place::Here, "[::1]:0".parse().unwrap(), Behaviour::Echo).unwrap();
    let lb = Daemon::start("", "check: off, egress: 127.0.0.1, passive: { failures: 1 }", &only(&v6));
    for _ in 0..3 {
        assert!(echoes(&connect(lb.address)).unwrap());
    }
    assert_eq!(lb.metric("lb_server_connect_failures_total", &[]), 0.0);
    lb.wait_state("a", "up");
}

#[test]
fn an_egress_that_this_host_does_not_hold_blames_no_server() {
    let (a, b) = (Backend::start(Behaviour::Echo).unwrap(), Backend::start(Behaviour::Echo).unwrap());
    let servers = format!("{}, {}", server("a", a.address(), ""), server("b", b.address(), ""));
    let lb = Daemon::start("", "check: off, egress: 192.0.2.77, passive: { failures: 1 }", &servers);
    refused(lb.address);
    let record = lb.wait_reason(0, "local_fault");
    assert_eq!(record["tried"], "a,b", "the other way may be open");
    for name in ["a", "b"] {
        let labels = [("server", name), ("reason", "local")];
        assert_eq!(lb.metric("lb_server_connect_failures_total", &labels), 1.0);
        lb.wait_state(name, "up");
    }
}
