//! `lb`, an L4 TCP load balancer daemon.

fn main() {}
