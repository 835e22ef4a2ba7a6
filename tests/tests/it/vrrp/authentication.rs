//! The HMAC trailer.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;
use testkit::capture::Capture;
use testkit::lb::Lb;
use testkit::netns;
use testkit::pair::{Pair, Side, VIP};

use super::scene::{self, ACTIVE, BACKUP};
use crate::scene::SOON;

const RECEIVED: &str = "lb_vrrp_adverts_received_total";
const REJECTED: &str = "lb_vrrp_adverts_rejected_total";

struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A file with a key that is made of one byte.
    fn file(&self, byte: u8) -> String {
        let path = self.0.path().join(byte.to_string());
        fs::write(&path, [byte; 32]).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    fn section(&self, byte: u8, mode: &str) -> String {
        format!(", authentication: {{ keys: [ {{ id: 1, file: \"{}\" }} ], mode: {mode} }}", self.file(byte))
    }
}

fn rejected(lb: &Lb) -> f64 {
    lb.metrics().unwrap().sum(REJECTED, &[])
}

fn times_active(lb: &Lb) -> f64 {
    lb.metrics().unwrap().sum("lb_vrrp_transitions_total", &[("to", "active")])
}

#[test]
fn those_with_the_key_share_the_address_and_others_are_not_believed() {
    if netns::skip() {
        return;
    }
    let mut pair = Pair::new().unwrap();
    let stranger = pair.net.host("stranger", &["192.0.2.13/24"]).unwrap();
    let forger = pair.net.host("forger", &["192.0.2.14/24"]).unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let keys = Keys::new();
    let [config_a, config_b] =
        [200, 100].map(|priority| scene::bank(&pair, priority, &keys.section(7, "enforce")));
    let mut a = pair.start_lb(Side::A, &config_a).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let b = pair.start_lb(Side::B, &config_b).unwrap();
    scene::wait_growth(&b, RECEIVED, &[], 3.0);
    scene::stop(&mut a);
    pair.wait_holder(VIP, Side::B).unwrap();
    let a = pair.start_lb(Side::A, &config_a).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    assert_eq!([&a, &b].map(rejected), [0.0, 0.0]);

    let _stranger = scene::keepalived(&stranger, 250, "");
    let wrong = scene::bank(&pair, 240, &keys.section(8, "enforce"));
    let forger = Lb::start_in(&forger.place(), &wrong).unwrap();
    for lb in [&a, &b] {
        // keepalived falls silent among packets that it does not understand
        for (reason, least) in [("auth_missing", 1.0), ("auth_bad_hmac", 8.0)] {
            lb.wait_metric(REJECTED, &[("reason", reason)], SOON, |count| count >= least).unwrap();
        }
    }
    assert!(forger.metrics().unwrap().sum(REJECTED, &[("reason", "auth_bad_hmac")]) > 0.0);
    pair.wait_holder(VIP, Side::A).unwrap();
    scene::wait_state(&a, ACTIVE);
    scene::wait_state(&b, BACKUP);
    assert_eq!([&a, &b].map(times_active), [1.0, 1.0]);
    let refused = a.ctl(&["timeline"]).unwrap();
    assert!(refused.contains("an advertisement of 192.0.2.13 is refused: it is not signed"), "{refused}");
    let frames = capture.stop().unwrap();
    // Wireshark does not know the trailer, and takes it for a part of what the checksum covers
    let faults = frames.faults().unwrap();
    assert!(faults.iter().all(|fault| fault.contains("| VRRP |")), "{faults:#?}");
    assert_eq!(scene::adverts(&frames, &pair, Side::A, "ip.len != 60"), 0);
}

#[test]
fn authentication_is_rolled_out_step_by_step_and_the_address_stays() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let keys = Keys::new();
    let config = |priority, more: &str| scene::bank(&pair, priority, more);
    let a = pair.start_lb(Side::A, &config(200, "")).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let b = pair.start_lb(Side::B, &config(100, "")).unwrap();
    for mode in ["receive_only", "permissive", "enforce"] {
        // the one that sends first, the one that listens first: both orders are those of a roll-out
        let mut order = [(&a, 200), (&b, 100)];
        if mode == "permissive" {
            order.reverse();
        }
        for (lb, priority) in order {
            lb.reload(&config(priority, &keys.section(7, mode))).unwrap();
            scene::wait_growth(&b, RECEIVED, &[], 4.0);
            assert_eq!(pair.holders(VIP).unwrap(), [Side::A], "{mode}");
        }
    }
    assert_eq!([&a, &b].map(rejected), [0.0, 0.0]);
    assert_eq!([&a, &b].map(times_active), [1.0, 0.0]);
    // from here on what is not signed is refused
    b.reload(&config(100, "")).unwrap();
    a.reload(&config(200, "")).unwrap();
    scene::wait_growth(&b, RECEIVED, &[], 4.0);
}
