//! Two hosts that share a virtual address.

use std::time::{Duration, Instant};

use testkit::capture::Capture;
use testkit::keepalived::{Instance, Keepalived};
use testkit::netns;
use testkit::pair::{PORT, Pair, Side, VIP};

use crate::scene::SOON;

/// lb as a proxy of the pair's servers, at the virtual address, and what else its file has.
fn proxy(pair: &Pair, more: &str) -> String {
    let [first, second] = pair.server_addresses();
    format!(
        "workers: 1
log: {{ access: false }}
listeners:
  - {{ name: bank, bind: \"{VIP}:{PORT}\", pool: empi }}
pools:
  - {{ name: empi, servers: [ {{ name: s1, address: \"{first}\" }}, {{ name: s2, address: \"{second}\" }} ] }}
{more}"
    )
}

fn keepalived(pair: &Pair, side: Side, priority: u8) -> Keepalived {
    let instance = Instance { priority, advert_interval: Duration::from_millis(50), ..Instance::default() };
    Keepalived::start(&pair.host(side).place(), &instance.to_string()).unwrap()
}

#[test]
fn keepalived_may_move_the_address_between_two_of_lb() {
    if netns::skip() {
        return;
    }
    let pair = Pair::new().unwrap();
    let capture = Capture::at_switch(&pair.net).unwrap();
    let _proxies = Side::ALL.map(|side| pair.start_lb(side, &proxy(&pair, "")).unwrap());
    let _standby = keepalived(&pair, Side::B, 100);
    let mut active = keepalived(&pair, Side::A, 150);
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
