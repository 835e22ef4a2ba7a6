//! lb beside the distribution's keepalived: each of them Active, each of them Backup, through all that moves an address.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use testkit::capture::{Capture, Frames};
use testkit::keepalived::{Instance, Keepalived};
use testkit::netns;
use testkit::pair::{Pair, Side, VIP};

use super::scene::{self, INTERVAL, Router};
use crate::scene::SOON;

/// lb's host, and keepalived's.
const LB: Side = Side::A;
const KEEPALIVED: Side = Side::B;

/// What both speak.
struct Dialect {
    version: u8,
    interval: Duration,
    network: &'static str,
    /// Further keys of lb's `vrrp`, further lines of keepalived's `vrrp_instance`.
    lb: &'static str,
    keepalived: &'static str,
}

const V3: Dialect =
    Dialect { version: 3, interval: INTERVAL, network: "192.0.2.100/24", lb: "", keepalived: "" };

const V3_IPV6: Dialect = Dialect { network: "2001:db8::100/64", ..V3 };

const V3_UNICAST: Dialect = Dialect {
    lb: ", source: 192.0.2.11, unicast_peers: [192.0.2.12]",
    keepalived: "unicast_src_ip 192.0.2.12\nunicast_peer {\n192.0.2.11\n}",
    ..V3
};

/// It knows whole seconds only; so the wait for them is short.
const V2: Dialect = Dialect {
    version: 2,
    interval: Duration::from_secs(1),
    lb: ", down_adverts: 2",
    keepalived: "down_timer_adverts 2",
    ..V3
};

const V2_PASSWORD: Dialect = Dialect {
    lb: ", down_adverts: 2, password: secret",
    keepalived: "down_timer_adverts 2\nauthentication {\nauth_type PASS\nauth_pass secret\n}",
    ..V2
};

impl Dialect {
    fn vip(&self) -> IpAddr {
        scene::address(self.network)
    }

    fn start(&self, pair: &Pair, side: Side, priority: u8) -> Router {
        let Self { version, interval, network, .. } = *self;
        if side == KEEPALIVED {
            let addresses = &[network];
            let advert_interval = interval;
            let more = self.keepalived;
            let instance =
                Instance { version, priority, advert_interval, addresses, more, ..Instance::default() };
            let place = pair.host(side).place();
            return Router::Keepalived(Keepalived::start(&place, &instance.to_string()).unwrap());
        }
        let router = format!(
            "vrrp:\n  - {{ name: bank, interface: eth0, vrid: 51, version: {version}, priority: {priority}, \
             advert_interval: {}ms, addresses: [\"{network}\"]{} }}\n",
            interval.as_millis(),
            self.lb
        );
        Router::Lb(pair.start_lb(side, &scene::proxy(pair, &[self.vip()], &router)).unwrap())
    }

    /// Everything that moves the address, and back: a stop, a cut of the power, a pulled cable.
    fn cycle(&self, better: Side) {
        self.act(better, &[Blow::Stop, Blow::PowerCut, Blow::Cable]);
    }

    fn act(&self, better: Side, blows: &[Blow]) {
        if netns::skip() {
            return;
        }
        let pair = Pair::new().unwrap();
        let capture = Capture::at_switch(&pair.net).unwrap();
        let (vip, worse) = (self.vip(), better.other());
        if vip.is_ipv6() {
            // keepalived cannot advertise before, and does not know it
            Side::ALL.into_iter().for_each(|side| scene::wait_link_local(pair.host(side)));
        }
        let mut first = self.start(&pair, better, 200);
        pair.wait_holder(vip, better).unwrap();
        let second = self.start(&pair, worse, 100);
        second.wait_backup();
        for blow in blows {
            match blow {
                Blow::Stop => {
                    first.stop();
                    pair.wait_holder(vip, worse).unwrap();
                    first = self.start(&pair, better, 200);
                }
                Blow::PowerCut => {
                    // in this order: it must not see that its cable is dead
                    first.kill();
                    pair.host(better).unplug().unwrap();
                    scene::wait_holds(&pair, worse, vip);
                    pair.host(better).plug().unwrap();
                    // what the dead one left behind is there still
                    assert_eq!(pair.holders(vip).unwrap(), Side::ALL);
                    first = self.start(&pair, better, 200);
                }
                Blow::Cable => {
                    pair.host(better).unplug().unwrap();
                    pair.wait_holder(vip, worse).unwrap();
                    pair.host(better).plug().unwrap();
                }
            }
            pair.wait_holder(vip, better).unwrap();
        }
        self.judge(&pair, &capture.stop().unwrap(), better, blows);
    }

    fn judge(&self, pair: &Pair, frames: &Frames, better: Side, blows: &[Blow]) {
        assert_eq!(frames.faults().unwrap(), [""; 0]);
        let mut owners = vec![better.node()];
        for _ in blows {
            owners.extend([better.other().node(), better.node()]);
        }
        assert_eq!(scene::owners(pair, frames, self.vip()), owners);
        let adverts = |side, filter: &str| scene::adverts(frames, pair, side, filter);
        assert!(adverts(better, "vrrp.prio == 0") > 0);
        assert_eq!(adverts(better.other(), "vrrp.prio == 0"), 0);
        assert!(adverts(better, "vrrp.prio == 200") > 0);
        assert!(adverts(better.other(), "vrrp.prio == 100") > 0);
        let right = match self.vip() {
            IpAddr::V4(_) => "!(ip.ttl == 255 && ip.dsfield == 0xc0)",
            IpAddr::V6(_) => "!(ipv6.hlim == 255 && ipv6.tclass == 0xc0)",
        };
        assert_eq!(adverts(LB, right), 0);
    }
}

/// What happens to the Active router.
enum Blow {
    Stop,
    /// Everything dies at once; the address is left on a host that nobody reaches.
    PowerCut,
    Cable,
}

#[test]
fn version_3_over_ipv4_with_lb_as_the_better_one() {
    V3.cycle(LB);
}

#[test]
fn version_3_over_ipv4_with_keepalived_as_the_better_one() {
    V3.cycle(KEEPALIVED);
}

#[test]
fn version_3_over_ipv6_with_lb_as_the_better_one() {
    V3_IPV6.cycle(LB);
}

#[test]
fn version_3_over_ipv6_with_keepalived_as_the_better_one() {
    V3_IPV6.cycle(KEEPALIVED);
}

#[test]
fn version_3_unicast_with_lb_as_the_better_one() {
    V3_UNICAST.cycle(LB);
}

#[test]
fn version_3_unicast_with_keepalived_as_the_better_one() {
    // without the cable: keepalived lets go when it is gone already, and then the kernel holds back its advertisements
    // for a second, until it asks again for lb's MAC address
    V3_UNICAST.act(KEEPALIVED, &[Blow::Stop, Blow::PowerCut]);
}

#[test]
fn version_2_with_lb_as_the_better_one() {
    V2.act(LB, &[Blow::Stop]);
}

#[test]
fn version_2_with_a_password_with_keepalived_as_the_better_one() {
    V2_PASSWORD.act(KEEPALIVED, &[Blow::Stop]);
}

/// keepalived accepts only the one with the pseudo header.
#[test]
fn lb_understands_either_checksum_of_version_3() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let [a, b] = [(Side::A, 200, "rfc9568"), (Side::B, 100, "rfc5798")].map(|(side, priority, checksum)| {
        let config = scene::bank(&pair, priority, &format!(", checksum: {checksum}"));
        (side, config)
    });
    let mut first = pair.start_lb(a.0, &a.1).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    let second = pair.start_lb(b.0, &b.1).unwrap();
    scene::wait_growth(&second, "lb_vrrp_adverts_received_total", &[], 5.0);
    scene::wait_state(&second, scene::BACKUP);
    scene::stop(&mut first);
    pair.wait_holder(VIP, Side::B).unwrap();
    let first = pair.start_lb(a.0, &a.1).unwrap();
    pair.wait_holder(VIP, Side::A).unwrap();
    for lb in [&first, &second] {
        assert_eq!(lb.metrics().unwrap().sum("lb_vrrp_adverts_rejected_total", &[]), 0.0);
    }
    let frames = capture.stop().unwrap();
    // 3133 c801 000a c000 0264, in the complement of one; Wireshark takes the pseudo header for granted
    let sums = frames.fields("vrrp.prio == 200", &["vrrp.checksum"]).unwrap();
    assert!(!sums.is_empty() && sums.iter().all(|sum| *sum == ["0x445c"]), "{sums:?}");
    let faults = frames.faults().unwrap();
    assert!(faults.iter().all(|fault| fault.starts_with("192.0.2.11 | VRRP")), "{faults:#?}");
    assert!(!frames.fields("vrrp.prio == 100", &["vrrp.checksum"]).unwrap().is_empty());
}

#[test]
fn keepalived_may_move_the_address_between_two_of_lb() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let _proxies = Side::ALL.map(|side| pair.start_lb(side, &scene::proxy(&pair, &[VIP], "")).unwrap());
    let _standby = scene::keepalived(&pair.b, 100, "");
    let mut active = scene::keepalived(&pair.a, 150, "");
    pair.wait_holder(VIP, Side::A).unwrap();
    let client = pair.start_client(VIP).unwrap();
    client.wait_steady(SOON).unwrap();

    let stop = Instant::now();
    active.stop().unwrap();
    pair.wait_holder(VIP, Side::B).unwrap();
    client.wait_steady(SOON).unwrap();
    let gap = client.stop(stop).unwrap();
    eprintln!("keepalived stops, lb serves on at the other host: {gap}");
    assert!(gap.over && gap.longest < Duration::from_secs(2), "{gap}");
    let frames = capture.stop().unwrap();
    assert_eq!(frames.faults().unwrap(), [""; 0]);
    assert!(frames.count("vrrp.prio == 0 && ip.src == 192.0.2.11").unwrap() > 0);
}
