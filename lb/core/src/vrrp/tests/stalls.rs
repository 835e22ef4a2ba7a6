//! What a router does that could not run for a while.

use super::*;

#[test]
fn an_active_that_slept_longer_than_a_backup_waits_listens_first() {
    let mut router = Router::active(settings(200));
    router.stall(millis(500));
    let actions = router.on(Event::TimerExpired);
    assert_eq!(actions, [Action::Record(Record::TimerLate { by: millis(401) })]);
    assert_eq!(router.until_timer(), Some(millis(150)));
    // Nobody replaced it.
    let actions = router.wait_for_timer();
    assert_eq!(actions, [advert(200), Action::Announce(AnnounceReason::Stalled)]);
    assert_eq!(router.until_timer(), Some(INTERVAL));
}

#[test]
fn an_active_that_slept_for_less_goes_on() {
    let mut router = Router::active(settings(200));
    router.stall(millis(299));
    assert_eq!(router.on(Event::TimerExpired), [advert(200)]);
}

#[test]
fn one_that_was_replaced_by_a_better_router_is_backup_without_a_word() {
    let mut router = Router::active(settings(200));
    router.stall(millis(500));
    let actions = effects(&router.hears(GREATER_PEER, 250));
    let reason = Reason::Outranked { source: ip(GREATER_PEER), priority: priority(250) };
    assert_eq!(actions, [Action::RemoveAddresses, notify(State::Backup, reason)]);
}

#[test]
fn one_that_was_replaced_by_a_worse_router_takes_the_addresses_back_if_it_preempts() {
    let mut router = Router::active(settings(200));
    router.wait(millis(2000));
    router.stall(millis(500));
    let actions = router.hears(GREATER_PEER, 150);
    assert_eq!(effects(&actions), [advert(200), Action::Announce(AnnounceReason::Contested)]);
    assert!(records(&actions).contains(&Record::SplitBrain { source: ip(GREATER_PEER) }));
}

#[test]
fn one_that_does_not_preempt_respects_its_replacement() {
    for preempt in [Preempt::Never, Preempt::After(millis(1000))] {
        let mut router = Router::active(Settings { preempt, ..settings(200) });
        router.stall(millis(500));
        let actions = effects(&router.hears(GREATER_PEER, 150));
        let reason = Reason::ReplacedWhileStalled { source: ip(GREATER_PEER), priority: priority(150) };
        assert_eq!(actions, [Action::RemoveAddresses, notify(State::Backup, reason)], "{preempt:?}");
    }
}

#[test]
fn what_a_sleeper_is_told_first_makes_no_difference() {
    for event in [Event::TimerExpired, Event::ConflictSeen(ip("192.0.2.100")), Event::LinkChanged] {
        let mut router = Router::active(settings(200));
        router.stall(millis(500));
        let actions = router.on(event.clone());
        assert_eq!(effects(&actions), [], "{event:?}");
        assert_eq!(router.until_timer(), Some(millis(150)), "{event:?}");
    }
}

#[test]
fn a_peer_that_lets_go_ends_the_listening() {
    let mut router = Router::active(settings(200));
    router.stall(millis(500));
    let actions = router.hears(GREATER_PEER, 0);
    assert_eq!(effects(&actions), [advert(200)]);
}

#[test]
fn a_backup_that_slept_listens_before_it_takes_over() {
    let mut router = Router::backup(settings(200));
    let late = millis(101);
    router.stall(Duration::from_micros(321_875) + late);
    let actions = router.on(Event::TimerExpired);
    assert_eq!(actions, [Action::Record(Record::TimerLate { by: late })]);
    assert_eq!(router.until_timer(), Some(millis(150)));
    // Once, however late it is then.
    router.stall(millis(1000));
    router.on(Event::TimerExpired);
    assert_eq!(router.state(), State::Active);
}

#[test]
fn a_backup_that_slept_hears_that_the_active_router_is_well() {
    let mut router = Router::backup(settings(200));
    router.stall(millis(1000));
    router.on(Event::TimerExpired);
    router.wait(millis(90));
    router.hears(GREATER_PEER, 250);
    assert_eq!(router.until_timer(), Some(Duration::from_micros(321_875)));
}

#[test]
fn addresses_that_come_back_while_it_listens_are_announced_later() {
    let mut router = Router::active(settings(200));
    router.stall(millis(500));
    let actions = router.on(Event::AddressLost);
    let term = installing(&actions);
    assert_eq!(router.on(Event::AddressesInstalled(term)), [], "somebody else may have them");
    let actions = router.wait_for_timer();
    assert_eq!(actions, [advert(200), Action::Announce(AnnounceReason::Stalled)]);
}
