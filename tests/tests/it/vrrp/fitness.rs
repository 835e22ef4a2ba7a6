//! A host that cannot serve yields to one that can.

use testkit::backend::{Backend, Behaviour};
use testkit::capture::Capture;
use testkit::lb::Lb;
use testkit::netns;
use testkit::pair::{Pair, Side, VIP};

use super::scene::{self, ACTIVE, BACKUP};
use crate::scene::SOON;

/// Priorities that say "I cannot serve".
const UNABLE: &str = "vrrp.prio >= 1 && vrrp.prio <= 10";

#[test]
fn lb_without_a_usable_server_yields_to_keepalived_until_it_has_one() {
    if netns::skip() {
        return;
    }
    let mut pair = Pair::new().unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let lb = pair.start_lb(Side::A, &scene::bank(&pair, 200, "")).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let keepalived = scene::keepalived(&pair.b, 100, "");
    scene::wait_log(&keepalived, "Entering BACKUP STATE");

    pair.servers.iter_mut().for_each(|server| server.backend.kill());
    pair.wait_holder(VIP, Side::B).unwrap();
    scene::wait_state(&lb, BACKUP);
    wait_unable(&lb);
    let why = lb.ctl(&["why", "vip", "bank"]).unwrap();
    assert!(why.contains("empi"), "{why}");

    let server = &mut pair.servers[0];
    let address = server.backend.address();
    server.backend = Backend::start_at(&server.host.place(), address, Behaviour::Echo).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    assert!(scene::adverts(&frames, &pair, Side::A, UNABLE) > 0);
    assert_eq!(scene::owners(&pair, &frames, VIP), ["lb-a", "lb-b", "lb-a"]);
}

#[test]
fn lb_that_does_not_preempt_replaces_one_that_cannot_serve() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let _unable = scene::keepalived(&pair.b, 5, "");
    pair.wait_holder(VIP, Side::B).unwrap();
    let lb = pair.start_lb(Side::A, &scene::bank(&pair, 100, ", preempt: false")).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    scene::wait_state(&lb, ACTIVE);
}

#[test]
fn where_nobody_can_serve_the_addresses_stay() {
    if netns::skip() {
        return;
    }
    let mut pair = Pair::new().unwrap();
    let a = pair.start_lb(Side::A, &scene::bank(&pair, 100, "")).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    // where nothing listens
    let [first, second] = pair.server_addresses();
    let config = scene::bank(&pair, 200, "");
    let config =
        config.replace(&first.to_string(), "192.0.2.12:9").replace(&second.to_string(), "192.0.2.12:19");
    let b = pair.start_lb(Side::B, &config).unwrap();
    wait_unable(&b);

    pair.servers.iter_mut().for_each(|server| server.backend.kill());
    wait_unable(&a);
    scene::wait_growth(&b, "lb_vrrp_adverts_received_total", &[], 8.0);
    assert_eq!(pair.holders(VIP).unwrap(), [Side::A]);
    scene::wait_state(&a, ACTIVE);
    scene::wait_state(&b, BACKUP);
    let active = |lb: &Lb| lb.metrics().unwrap().sum("lb_vrrp_transitions_total", &[("to", "active")]);
    assert_eq!([&a, &b].map(active), [1.0, 0.0]);
}

fn wait_unable(lb: &Lb) {
    lb.wait_metric("lb_vrrp_priority", &[], SOON, |priority| (1.0..=10.0).contains(&priority)).unwrap();
}
