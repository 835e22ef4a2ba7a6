//! Two hosts that do not hear each other are both Active; when they do again, one is, and says so.

use std::net::IpAddr;
use std::time::SystemTime;

use testkit::capture::{Capture, Frames};
use testkit::lb::Lb;
use testkit::netns;
use testkit::pair::{Pair, Side, VIP};

use super::scene::{self, ACTIVE, BACKUP};
use crate::scene::SOON;

const SPLIT: &str = "lb_vrrp_split_brain_total";
const ANNOUNCED: &str = "lb_vrrp_announcements_sent_total";

fn announced(lb: &Lb) -> f64 {
    lb.metrics().unwrap().sum(ANNOUNCED, &[])
}

/// The switch drops advertisements of one host, and nothing else.
fn mute(pair: &Pair, side: Side) {
    let address = source(side);
    nft(pair, &format!("add table bridge {side}"));
    nft(pair, &format!("add chain bridge {side} muted {{ type filter hook forward priority 0; }}"));
    nft(pair, &format!("add rule bridge {side} muted ip saddr {address} ip protocol 112 drop"));
}

fn unmute(pair: &Pair, side: Side) {
    nft(pair, &format!("delete table bridge {side}"));
}

fn nft(pair: &Pair, command: &str) {
    let output = pair.net.switch().command("nft").arg(command).output().unwrap();
    assert!(output.status.success(), "nft {command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn source(side: Side) -> IpAddr {
    match side {
        Side::A => [192, 0, 2, 11].into(),
        Side::B => [192, 0, 2, 12].into(),
    }
}

/// Waits until both have the address, and `lb` has for so long that it would rather be the only one.
fn wait_both(pair: &Pair, lb: &Lb) {
    Side::ALL.into_iter().for_each(|side| scene::wait_holds(pair, side, VIP));
    scene::wait_growth(lb, "lb_vrrp_adverts_sent_total", &[], 3.0);
}

/// Announcements of the address by a host, later than `after`.
fn announcements(pair: &Pair, frames: &Frames, side: Side, after: SystemTime) -> usize {
    let after = after.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let mac = pair.host(side).mac().unwrap();
    let filter = format!(
        "arp.isgratuitous && arp.src.proto_ipv4 == {VIP} && eth.src == {mac} && frame.time_epoch > {after:.6}"
    );
    frames.count(&filter).unwrap()
}

#[test]
fn lb_wins_against_keepalived_and_announces_afresh() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    Side::ALL.into_iter().for_each(|side| mute(&pair, side));
    let capture = Capture::at_switch(&pair.net).unwrap();
    let lb = pair.start_lb(Side::A, &scene::bank(&pair, 200, "")).unwrap();
    let keepalived = scene::keepalived(&pair.b, 100, "");
    wait_both(&pair, &lb);
    assert_eq!(lb.metrics().unwrap().sum(SPLIT, &[]), 0.0);

    // keepalived says nothing more once it hears lb; so lb hears it first
    let healed = SystemTime::now();
    let before = announced(&lb);
    unmute(&pair, Side::B);
    lb.wait_metric(SPLIT, &[], SOON, |split| split > 0.0).unwrap();
    unmute(&pair, Side::A);
    pair.wait_holder(VIP, Side::A).unwrap();
    scene::wait_log(&keepalived, "Entering BACKUP STATE");
    scene::wait_state(&lb, ACTIVE);
    lb.wait_metric(ANNOUNCED, &[], SOON, |now| now > before).unwrap();
    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    assert!(announcements(&pair, &frames, Side::A, healed) > 0);
}

#[test]
fn keepalived_wins_against_lb_and_announces_afresh() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    Side::ALL.into_iter().for_each(|side| mute(&pair, side));
    let capture = Capture::at_switch(&pair.net).unwrap();
    let lb = pair.start_lb(Side::A, &scene::bank(&pair, 100, "")).unwrap();
    let _keepalived = scene::keepalived(&pair.b, 200, "");
    wait_both(&pair, &lb);

    let healed = SystemTime::now();
    Side::ALL.into_iter().for_each(|side| unmute(&pair, side));
    pair.wait_holder(VIP, Side::B).unwrap();
    scene::wait_state(&lb, BACKUP);
    let why = lb.ctl(&["why", "vip", "bank"]).unwrap();
    assert!(why.contains("192.0.2.12 has the better priority 200"), "{why}");
    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    assert!(announcements(&pair, &frames, Side::B, healed) > 0);
}

#[test]
fn of_two_of_lb_the_better_one_stays_and_announces_afresh() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    Side::ALL.into_iter().for_each(|side| mute(&pair, side));
    let capture = Capture::at_switch(&pair.net).unwrap();
    let [a, b] = [(Side::A, 100), (Side::B, 200)]
        .map(|(side, priority)| pair.start_lb(side, &scene::bank(&pair, priority, "")).unwrap());
    wait_both(&pair, &a);

    let healed = SystemTime::now();
    let before = announced(&b);
    Side::ALL.into_iter().for_each(|side| unmute(&pair, side));
    pair.wait_holder(VIP, Side::B).unwrap();
    scene::wait_state(&a, BACKUP);
    scene::wait_state(&b, ACTIVE);
    // the loser's last word, if nothing else
    b.wait_metric(SPLIT, &[], SOON, |split| split > 0.0).unwrap();
    b.wait_metric(ANNOUNCED, &[], SOON, |now| now > before).unwrap();
    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    assert!(announcements(&pair, &frames, Side::B, healed) > 0);
}
