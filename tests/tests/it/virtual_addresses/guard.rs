//! A daemon that dies or hangs, and its guard.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::lb::Lb;
use testkit::pair::{Side, VIP};
use testkit::{netns, usage};

use super::{Scene, file, told, wait_on, wait_state, wait_told};
use crate::scene::{SOON, soon};

const FIRED: &str = "lb_vrrp_guard_fired_total";
const RESTARTS: &str = "lb_vrrp_guard_restarts_total";

/// The daemon's guard, which is its only child; one that is another than `before`.
fn guard(lb: &Lb, before: Option<u32>) -> u32 {
    soon("a guard", || match usage::descendants(lb.pid())[..] {
        [guard] if Some(guard) != before => Some(guard),
        _ => None,
    })
}

fn wait_gone(pid: u32) {
    soon("the end of a process", || (!usage::runs(pid)).then_some(()));
}

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

/// The other host took over because it was told to, and not because it heard nothing.
fn assert_let_go(peer: &Lb) {
    wait_told(peer, "192.0.2.11 lets go (priority 0 received)");
    let told = told(peer);
    assert!(!told.iter().any(|entry| entry.contains("is silent since")), "{told:#?}");
}

#[test]
fn a_daemon_that_is_killed_leaves_no_address() {
    if netns::skip() {
        return;
    }
    let mut scene = Scene::new("", "");
    for end in [Signal::SIGKILL, Signal::SIGABRT] {
        let guard = guard(&scene.a, None);
        scene.a.signal(end).unwrap();
        scene.wait_on(Side::B);
        assert_let_go(&scene.b);
        assert_eq!(scene.a.process().wait_exit(SOON).unwrap().code(), None);
        wait_gone(guard);

        scene.a = scene.pair.start_lb(Side::A, &file(&scene.pair, 250, "")).unwrap();
        scene.wait_on(Side::A);
        scene.wait_backup(Side::B);
    }
}

#[test]
fn a_daemon_that_hangs_has_no_address_and_knows_it_afterwards() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("preempt: false", "");
    scene.a.signal(Signal::SIGSTOP).unwrap();
    scene.wait_on(Side::B);
    assert_let_go(&scene.b);

    scene.a.signal(Signal::SIGCONT).unwrap();
    scene.a.wait_metric(FIRED, &[], SOON, |fired| fired == 1.0).unwrap();
    scene.wait_adverts(Side::B, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::B]));
    wait_state(&scene.a, "backup");
    wait_told(&scene.a, "guard IPv4: the guard let go");
    let text = told(&scene.a);
    assert!(!text.iter().any(|entry| entry.contains("somebody removed")), "{text:#?}");

    // and it is guarded again when it has them again
    scene.a.ctl(&["vrrp", "take", "vip"]).unwrap();
    scene.wait_on(Side::A);
    scene.a.signal(Signal::SIGSTOP).unwrap();
    scene.wait_on(Side::B);
    scene.a.signal(Signal::SIGCONT).unwrap();
    scene.a.wait_metric(FIRED, &[], SOON, |fired| fired == 2.0).unwrap();
    scene.wait_adverts(Side::B, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::B]));
}

#[test]
fn a_guard_that_ends_or_hangs_is_replaced() {
    if netns::skip() {
        return;
    }
    let scene = Scene::new("", "");
    let descriptors = || fs::read_dir(format!("/proc/{}/fd", scene.a.pid())).unwrap().count();
    let before = descriptors();
    let transitions = scene.transitions();
    let mut last = guard(&scene.a, None);
    for (count, end) in [Signal::SIGKILL, Signal::SIGSTOP, Signal::SIGKILL].into_iter().enumerate() {
        signal(last, end);
        let next = guard(&scene.a, Some(last));
        wait_gone(last);
        scene.a.wait_metric(RESTARTS, &[], SOON, |restarts| restarts == count as f64 + 1.0).unwrap();
        last = next;
    }
    soon("no more descriptors than before", || (descriptors() <= before).then_some(()));
    assert_eq!(scene.transitions(), transitions);
    scene.wait_on(Side::A);

    scene.a.signal(Signal::SIGKILL).unwrap();
    scene.wait_on(Side::B);
    assert_let_go(&scene.b);
    wait_gone(last);
}

#[test]
fn a_stop_hands_over_and_ends_the_guard() {
    if netns::skip() {
        return;
    }
    let mut scene = Scene::new("", "");
    let guard = guard(&scene.a, None);
    scene.a.signal(Signal::SIGTERM).unwrap();
    scene.wait_on(Side::B);
    assert_let_go(&scene.b);
    assert!(scene.a.process().wait_exit(SOON).unwrap().success());
    wait_gone(guard);
}

#[test]
fn what_a_dead_host_left_is_removed_by_the_next_daemon() {
    if netns::skip() {
        return;
    }
    let mut scene = Scene::new("", "");
    scene.a.process().kill();
    wait_state(&scene.b, "active");
    wait_told(&scene.b, "is silent since");
    assert_eq!(scene.pair.holders(VIP).unwrap(), Side::ALL, "nobody was left to remove it");

    // the addresses are not even in the file any more
    let other = file(&scene.pair, 250, "")
        .replace("vrid: 51", "vrid: 52")
        .replace("192.0.2.100/24", "192.0.2.101/24")
        .replace("2001:db8::100/64", "2001:db8::101/64");
    scene.a = scene.pair.start_lb(Side::A, &other).unwrap();
    scene.wait_on(Side::B);
    for vip in ["192.0.2.101", "2001:db8::101"] {
        scene.pair.wait_holder(vip.parse().unwrap(), Side::A).unwrap();
    }
}

#[test]
fn the_end_or_a_stall_of_a_backup_changes_nothing() {
    if netns::skip() {
        return;
    }
    let mut scene = Scene::new("", "");
    let transitions = scene.transitions();
    scene.b.signal(Signal::SIGSTOP).unwrap();
    // so long that a backup that runs would have taken over
    (0..2).for_each(|_| scene.wait_adverts(Side::A, || {}));
    scene.b.signal(Signal::SIGCONT).unwrap();
    scene.wait_adverts(Side::A, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::A]));
    scene.wait_backup(Side::B);
    assert_eq!(scene.transitions(), transitions, "{:#?}", told(&scene.b));
    assert_eq!(scene.b.metrics().unwrap().sum(FIRED, &[]), 0.0, "it had nothing to let go of");

    let guard = guard(&scene.b, None);
    scene.b.signal(Signal::SIGKILL).unwrap();
    scene.b.process().wait_exit(SOON).unwrap();
    wait_gone(guard);
    scene.wait_adverts(Side::A, || assert_eq!(scene.pair.holders(VIP).unwrap(), [Side::A]));
    let heard = scene.a.metrics().unwrap().sum("lb_vrrp_priority_zero_received_total", &[]);
    assert_eq!(heard, 0.0, "it was not Active");
}

#[test]
fn a_host_that_stood_still_as_a_whole_gives_way_to_who_took_over() {
    if netns::skip() {
        return;
    }
    let mut scene = Scene::new("preempt: false", "");
    scene.a.process().signal_tree(Signal::SIGSTOP).unwrap();
    wait_state(&scene.b, "active");
    wait_told(&scene.b, "is silent since");
    scene.a.process().signal_tree(Signal::SIGCONT).unwrap();
    let last = scene.pair.wait_one(VIP).unwrap();
    wait_on(&scene.pair, last);
    scene.wait_adverts(last, || assert_eq!(scene.pair.holders(VIP).unwrap(), [last]));
    wait_state(scene.lb(last.other()), "backup");
}

#[test]
fn a_file_without_virtual_routers_needs_no_guard() {
    if netns::skip() {
        return;
    }
    let pair = testkit::pair::Pair::new().unwrap();
    let lb = pair.start_lb(Side::A, &super::plain_file(&pair)).unwrap();
    assert!(usage::descendants(lb.pid()).is_empty());
    lb.reload(&file(&pair, 250, "")).unwrap();
    guard(&lb, None);
    wait_on(&pair, Side::A);
}
