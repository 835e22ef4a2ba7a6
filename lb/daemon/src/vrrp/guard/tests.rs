use std::io;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use lb_core::vrrp::packet::auth::{AntiReplay, Authenticator, Context, Key, Keyring, Mode, Window};
use lb_core::vrrp::packet::{Expected, TTL, auth, decode};
use lb_core::vrrp::{AdvertInterval, AuthV2, Family, Version, Vrid};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;
use crate::vrrp::adverts::tests::{near_end, next, opposite};
use crate::vrrp::adverts::{BUFFER_BYTES, Receiver};
use crate::vrrp::namespace::{VETH, in_namespace, ip, ip_output, readable, soon};
use crate::vrrp::outgoing::Signing;

const BEAT: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(20);

/// A virtual router on `left`, with its addresses, and a peer at the other end of the cable.
struct Scene {
    holding: Holding,
    peer: Receiver,
}

impl Scene {
    fn new(family: Family) -> Self {
        let (source, group, vips) = match family {
            Family::V4 => ("198.51.100.10", "224.0.0.18", ["192.0.2.100/24", "192.0.2.101/24"]),
            Family::V6 => ("fe80::10", "ff02::12", ["2001:db8::100/64", "2001:db8::101/64"]),
        };
        let peer = opposite(family, true);
        let link = near_end();
        let addresses = vips.map(|vip| vip.parse::<IpNet>().unwrap()).to_vec();
        let advert = Spec {
            version: 3,
            vrid: 51,
            interval: Duration::from_secs(1),
            addresses: addresses.iter().map(IpNet::addr).collect(),
            source: source.parse().unwrap(),
            destinations: vec![group.parse().unwrap()],
            message_only: false,
            password: None,
            signing: Some(Signing { key: NonZeroU8::MIN, secret: vec![7; 32], window: Some(5) }),
        };
        let name = "vip/IPv4".to_owned();
        let link_name = "left".to_owned();
        let holding = Holding { name, link, link_name, address_link: link, addresses, advert };
        let scene = Self { holding, peer };
        scene.install();
        scene
    }

    fn install(&self) {
        for address in &self.holding.addresses {
            let nodad = if address.addr().is_ipv6() { "nodad" } else { "" };
            ip(&format!("address add {address} dev left {nodad}"));
        }
    }

    /// Those that are missing.
    fn install_again(&self) {
        for address in &self.holding.addresses {
            let _ = ip_output(&format!("address add {address} dev left"));
        }
    }

    fn installed(&self) -> usize {
        let listed = ip_output("address show dev left").unwrap();
        let addresses = self.holding.addresses.iter();
        addresses.filter(|address| listed.contains(&format!("{address} "))).count()
    }

    /// Priority 0, twice, each signed afresh; and then nothing, neither on the wire nor on the link.
    fn let_go(&self) {
        let key = Key::new(NonZeroU8::MIN, &[7; 32]).unwrap();
        let mut verifier = Authenticator::new(auth::Settings {
            keys: Keyring::new(vec![key], NonZeroU8::MIN).unwrap(),
            mode: Mode::Enforce,
            anti_replay: AntiReplay::Time(Window::from_secs(5).unwrap()),
        });
        let (version, vrid) = (Version::V3, Vrid::try_from(51).unwrap());
        let interval = AdvertInterval::SECOND;
        let auth = AuthV2::None;
        let expected = Expected { version, vrid, interval, least_ttl: TTL, link_local_first: false, auth };
        let context = Context { version, vrid, source: self.holding.advert.source };
        let mut buffer = vec![0; BUFFER_BYTES];
        for _ in 0..2 {
            let datagram = next(&self.peer, &mut buffer);
            let received = decode(&datagram, &expected).unwrap();
            assert_eq!(received.advert.priority, None);
            let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            verifier.verify(&context, &received, wall).unwrap();
        }
        assert_eq!(self.installed(), 0);
        self.nothing_said();
    }

    fn nothing_said(&self) {
        assert!(self.peer.receive(&mut vec![0; BUFFER_BYTES]).unwrap().is_none());
    }
}

/// A guard without a process of its own.
fn guarded() -> (Guard, JoinHandle<io::Result<()>>) {
    let (ours, theirs): (OwnedFd, OwnedFd) = Guard::connect().unwrap();
    let process = thread::spawn(move || process::guard(theirs.as_fd()));
    (Guard::new(ours, None), process)
}

#[test]
fn when_the_daemon_ends_the_addresses_go() {
    for family in [Family::V4, Family::V6] {
        in_namespace(VETH, move || {
            let scene = Scene::new(family);
            let (mut guard, process) = guarded();
            guard.hold(&scene.holding);
            drop(guard);
            process.join().unwrap().unwrap();
            scene.let_go();
        });
    }
}

#[test]
fn when_the_daemon_hangs_the_addresses_go_and_the_guard_stays() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, process) = guarded();
        for _ in 0..2 {
            guard.hold(&scene.holding);
            assert!(readable(&guard, PATIENCE));
            assert_eq!(guard.read(), Some(News::Fired(vec!["vip/IPv4".to_owned()])));
            assert_eq!(guard.read(), None);
            scene.let_go();
            scene.install();
        }
        // It holds nothing now.
        drop(guard);
        process.join().unwrap().unwrap();
        scene.nothing_said();
        assert_eq!(scene.installed(), 2);
    });
}

#[test]
fn a_macvlan_with_the_addresses_is_switched_off() {
    for family in [Family::V4, Family::V6] {
        in_namespace(VETH, move || {
            let mut scene = Scene::new(family);
            for address in &scene.holding.addresses {
                // the first takes others along
                let _ = ip_output(&format!("address delete {address} dev left"));
            }
            ip("link add vmac link left address 00:00:5e:00:01:33 type macvlan mode bridge");
            ip("link set vmac up");
            for address in &scene.holding.addresses {
                ip(&format!("address add {address} dev vmac"));
            }
            scene.holding.address_link = nix::net::if_::if_nametoindex("vmac").unwrap();
            let (mut guard, process) = guarded();
            guard.hold(&scene.holding);
            drop(guard);
            process.join().unwrap().unwrap();
            scene.let_go();
            let shown = ip_output("address show dev vmac").unwrap();
            assert!(!shown.contains("UP") && !shown.contains("inet"), "{shown}");
        });
    }
}

#[test]
fn while_the_daemon_beats_the_addresses_stay() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, process) = guarded();
        guard.hold(&scene.holding);
        let (mut beats, mut last) = (0, Instant::now());
        while beats < 50 {
            let fired = readable(&guard, BEAT);
            let late = last.elapsed() > BEAT * 4;
            last = Instant::now();
            guard.beat();
            if late {
                // This thread could not run; whether the guard could is not what is asked here.
                beats = 0;
                guard.hold(&scene.holding);
                scene.install_again();
                while let Some(News::Fired(_)) = guard.read() {}
            } else {
                assert!(!fired, "after {beats} beats");
                beats += 1;
            }
        }
        assert_eq!(scene.installed(), 2);
        drop(guard);
        process.join().unwrap().unwrap();
    });
}

#[test]
fn what_is_held_no_longer_stays() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, process) = guarded();
        guard.hold(&scene.holding);
        guard.drop_holding("vip/IPv4");
        drop(guard);
        process.join().unwrap().unwrap();
        scene.nothing_said();
        assert_eq!(scene.installed(), 2);
    });
}

#[test]
fn what_the_daemon_said_last_counts_even_if_it_did_not_listen() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, process) = guarded();
        guard.hold(&scene.holding);
        assert!(readable(&guard, PATIENCE));
        scene.let_go();
        scene.install();
        // It ends with `Fired` unread: a reset for the guard, not an end.
        guard.hold(&scene.holding);
        guard.drop_holding("vip/IPv4");
        drop(guard);
        process.join().unwrap().unwrap();
        scene.nothing_said();
        assert_eq!(scene.installed(), 2);
    });
}

#[test]
fn a_link_or_source_that_is_not_there_yet_is_tried_again() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        ip("address delete 198.51.100.10/24 dev left");
        let (mut guard, process) = guarded();
        guard.hold(&scene.holding);
        until_read(&guard);
        ip("address add 198.51.100.10/24 dev left");
        drop(guard);
        process.join().unwrap().unwrap();
        scene.let_go();
    });
}

#[test]
fn as_many_addresses_and_peers_as_there_may_be_fit() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V6);
        let many = |count: u16| (0..count).map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 1, last]));
        let advert = Spec {
            addresses: many(255).collect(),
            destinations: many(255).collect(),
            ..scene.holding.advert.clone()
        };
        let addresses = scene.holding.addresses.iter().copied().chain(many(253).map(IpNet::from)).collect();
        let (mut guard, process) = guarded();
        guard.hold(&Holding { advert, addresses, ..scene.holding.clone() });
        assert_eq!(guard.read(), None);
        drop(guard);
        process.join().unwrap().unwrap();
        assert_eq!(scene.installed(), 0);
    });
}

fn until_read(guard: &Guard) {
    soon("the guard has read", || crate::sys::unacknowledged_bytes(guard).unwrap() == 0);
}

/// No test: what [`spawned`] runs in a process of its own.
#[test]
#[ignore = "run by other tests"]
fn guard_process() {
    if std::env::var_os("GUARD_PROCESS").is_some() {
        run().unwrap();
    }
}

fn spawned() -> (Guard, Pid) {
    let mut command = Command::new("/proc/self/exe");
    command.args(["vrrp::guard::tests::guard_process", "--exact", "--ignored", "--test-threads=1"]);
    command.env("GUARD_PROCESS", "1");
    let guard = Guard::spawn(command).unwrap();
    let pid = Pid::from_raw(guard.id().unwrap().try_into().unwrap());
    (guard, pid)
}

/// It is gone, and no zombie either.
fn until_reaped(pid: Pid) {
    soon("the guard is reaped", || !PathBuf::from(format!("/proc/{pid}")).exists());
}

#[test]
fn a_process_outlives_what_stops_a_daemon_and_lets_go_at_its_end() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, pid) = spawned();
        guard.hold(&scene.holding);
        until_read(&guard);
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            kill(pid, signal).unwrap();
        }
        drop(guard);
        scene.let_go();
        until_reaped(pid);
    });
}

#[test]
fn a_guard_that_hangs_is_killed_before_it_wakes_up() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, pid) = spawned();
        guard.hold(&scene.holding);
        until_read(&guard);
        guard.beat();
        kill(pid, Signal::SIGSTOP).unwrap();
        let began = Instant::now();
        while guard.read() != Some(News::Gone) {
            assert!(began.elapsed() < PATIENCE);
            readable(&guard, BEAT);
            guard.beat();
        }
        drop(guard);
        until_reaped(pid);
        scene.nothing_said();
        assert_eq!(scene.installed(), 2);
    });
}

#[test]
fn a_guard_that_dies_is_seen_to() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, pid) = spawned();
        guard.hold(&scene.holding);
        kill(pid, Signal::SIGKILL).unwrap();
        assert!(readable(&guard, PATIENCE));
        assert_eq!(guard.read(), Some(News::Gone));
        guard.hold(&scene.holding);
        guard.beat();
        assert_eq!(guard.read(), Some(News::Gone), "it stays so");
        drop(guard);
        until_reaped(pid);
        scene.nothing_said();
        assert_eq!(scene.installed(), 2);
    });
}

#[test]
fn what_is_held_after_it_fired_is_held() {
    in_namespace(VETH, || {
        let scene = Scene::new(Family::V4);
        let (mut guard, process) = guarded();
        let other = Holding { name: "other".to_owned(), addresses: Vec::new(), ..scene.holding.clone() };
        let dropped = Holding { name: "dropped".to_owned(), ..other.clone() };
        for holding in [&scene.holding, &dropped, &other] {
            guard.hold(holding);
        }
        assert!(readable(&guard, PATIENCE));
        // Before it was heard that the guard has fired.
        guard.hold(&scene.holding);
        guard.drop_holding("dropped");
        soon("the addresses are withdrawn", || scene.installed() == 0);
        scene.install();
        assert_eq!(guard.read(), Some(News::Fired(vec!["other".to_owned()])));
        drop(guard);
        process.join().unwrap().unwrap();
        assert_eq!(scene.installed(), 0);
    });
}

#[test]
fn what_is_opened_later_is_closed_later() {
    let (ours, theirs) = Guard::connect().unwrap();
    let later: Vec<_> = (0..8).map(|_| theirs.try_clone().unwrap()).collect();
    assert!(later.iter().all(|later| later.as_raw_fd() < ours.as_raw_fd()));
}
