//! New settings for a running router.

use super::*;

#[test]
fn other_addresses_are_installed_and_announced_without_an_election() {
    let mut router = Router::active(settings(200));
    let more = Settings { addresses: addresses(&["192.0.2.100", "192.0.2.101"]), ..settings(200) };
    let actions = router.machine.reconfigure(router.now, more).as_slice().to_vec();
    let term = installing(&actions);
    assert_eq!(actions, [Action::InstallAddresses(term)]);
    assert_eq!(router.state(), State::Active);
    let announced = Action::Announce(AnnounceReason::TookOver);
    assert_eq!(router.on(Event::AddressesInstalled(term)), [announced]);
}

#[test]
fn another_priority_is_advertised_at_once() {
    let mut router = Router::active(settings(200));
    let actions = router.machine.reconfigure(router.now, settings(150));
    let changed = Record::PriorityChanged { eligibility: Eligibility::Full, priority: priority(150) };
    assert_eq!(actions.as_slice(), [Action::Record(changed), advert(150)]);
}

#[test]
fn what_does_not_concern_the_state_leaves_it_alone() {
    for mut router in [Router::active(settings(200)), Router::backup(settings(200))] {
        let (state, timer) = (router.state(), router.until_timer());
        let other = Settings { preempt: Preempt::Never, ..settings(200) };
        assert_eq!(router.machine.reconfigure(router.now, other).as_slice(), []);
        assert_eq!((router.state(), router.until_timer()), (state, timer));
    }
}

#[test]
fn a_backup_waits_by_its_new_settings_until_it_hears_an_active_router() {
    let slower = Settings { interval: interval(millis(1000)), ..settings(192) };
    let mut router = Router::backup(settings(200));
    let actions = router.machine.reconfigure(router.now, slower.clone());
    assert_eq!(effects(actions.as_slice()), []);
    assert_eq!(router.until_timer(), Some(millis(3250)));
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 250);
    let actions = router.machine.reconfigure(router.now, slower);
    assert_eq!(effects(actions.as_slice()), []);
    assert_eq!(router.until_timer(), Some(millis(325)));
}

#[test]
fn one_that_waited_for_its_group_goes_on_alone_when_the_group_is_no_more() {
    let mut router = Router::backup(Settings { grouped: true, ..settings(200) });
    router.wait_for_timer();
    assert_eq!(router.machine.next_deadline(), None, "it waits for the others");
    let actions = router.machine.reconfigure(router.now, settings(200));
    assert_eq!(actions.as_slice(), []);
    router.wait(INTERVAL * 2);
    assert_eq!(router.state(), State::Active);
}
