//! `lb`, an L4 TCP load balancer daemon.

#[cfg_attr(not(test), expect(dead_code, reason = "wired up by the control task"))]
mod probe;
#[cfg_attr(not(test), expect(dead_code, reason = "wired up by the control task"))]
mod resolve;

fn main() {}
