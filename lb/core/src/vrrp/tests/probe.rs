//! The network is asked who has the addresses, before they are taken from a router that has fallen silent.

use super::*;

#[test]
fn the_network_is_asked_before_a_silent_router_is_replaced() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 210);
    let down = timers::active_down(Version::V3, settings(200).interval, priority(200), DOWN_ADVERTS);
    assert_eq!(router.wait(down - INTERVAL / 2), [Action::Probe]);
    assert_eq!(router.state(), State::Backup);
    router.wait(INTERVAL / 2);
    assert_eq!(router.state(), State::Active, "nobody answered");
}

#[test]
fn whoever_has_the_addresses_and_is_silent_gets_one_more_interval() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 210);
    let down = timers::active_down(Version::V3, settings(200).interval, priority(200), DOWN_ADVERTS);
    router.wait(down - INTERVAL / 2);
    let address = ip("192.0.2.100");
    let actions = router.on(Event::AddressAnswered(address));
    assert_eq!(records(&actions), [Record::AddressAnswered { address }]);
    assert!(router.on(Event::AddressAnswered(address)).is_empty(), "told once");
    router.wait(INTERVAL);
    assert_eq!(router.state(), State::Backup);
    router.wait(INTERVAL / 2);
    assert_eq!(router.state(), State::Active, "it had its chance");
}

#[test]
fn nobody_is_asked_when_the_take_over_is_planned() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 210);
    router.hears(GREATER_PEER, 0);
    let actions = router.wait(INTERVAL);
    assert!(!actions.contains(&Action::Probe), "released: {actions:?}");
    // one with a lower priority that goes on advertising
    let mut router = Router::backup(settings(200));
    for _ in 0..8 {
        router.hears(GREATER_PEER, 150);
        assert!(!router.wait(INTERVAL / 2).contains(&Action::Probe));
    }
    assert_eq!(router.state(), State::Active);
}
