//! Who replaces an Active router that lives, and when.

use testkit::netns;
use testkit::pair::{Pair, Side, VIP};

use super::scene::{self, ACTIVE, BACKUP};
use crate::timeline::timeline;

const SENT: &str = "lb_vrrp_adverts_sent_total";
const RECEIVED: &str = "lb_vrrp_adverts_received_total";
/// So many advertisements are more than a take-over waits for.
const ENOUGH: f64 = 8.0;

#[test]
fn lb_that_does_not_preempt_respects_a_lower_priority() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let mut lower = scene::keepalived(&pair.b, 100, "");
    pair.wait_holder(VIP, Side::B).unwrap();
    let lb = pair.start_lb(Side::A, &scene::bank(&pair, 200, ", preempt: false")).unwrap();
    scene::wait_growth(&lb, RECEIVED, &[], ENOUGH);
    scene::wait_state(&lb, BACKUP);
    assert_eq!(pair.holders(VIP).unwrap(), [Side::B]);
    lower.stop().unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
}

#[test]
fn keepalived_that_does_not_preempt_leaves_the_address_to_lb() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let mut lb = pair.start_lb(Side::A, &scene::bank(&pair, 100, "")).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let _higher = scene::keepalived(&pair.b, 200, "nopreempt");
    scene::wait_growth(&lb, SENT, &[], ENOUGH);
    assert_eq!(pair.holders(VIP).unwrap(), [Side::A]);
    scene::stop(&mut lb);
    pair.wait_holder(VIP, Side::B).unwrap();
}

#[test]
fn lb_preempts_after_its_delay() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let _lower = scene::keepalived(&pair.b, 100, "");
    pair.wait_holder(VIP, Side::B).unwrap();
    let lb = pair.start_lb(Side::A, &scene::bank(&pair, 200, ", preempt_delay: 700ms")).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    scene::wait_state(&lb, ACTIVE);
    let entries = timeline(&lb, &[]);
    let at = |wanted: &str| {
        let entry = entries.iter().find(|entry| entry["text"].as_str().unwrap().contains(wanted));
        entry.unwrap_or_else(|| panic!("no {wanted} in {entries:#?}"))["monotonic_seconds"].as_f64().unwrap()
    };
    let waited = at("announced 5 times: took over") - at("takes over after 700 ms");
    assert!(waited >= 0.7, "{waited} s");
}
