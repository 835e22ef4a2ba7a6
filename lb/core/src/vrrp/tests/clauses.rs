//! RFC 9568 6.4, clause by clause.

use super::*;

/// 3 * 100 ms + 100 ms * (256 - 200) / 256.
const DOWN_OF_200: Duration = Duration::from_micros(321_875);
const SKEW_OF_200: Duration = Duration::from_micros(21_875);

#[test]
fn rfc_9568_6_4_1_an_owner_starts_as_active() {
    let mut router = Router::new(settings(255));
    let actions = router.on(Event::Startup);
    let term = installing(&actions);
    assert_eq!(
        actions,
        [
            Action::RemoveAddresses,
            advert(255),
            Action::InstallAddresses(term),
            notify(State::Active, Reason::Owner)
        ]
    );
    assert_eq!(router.until_timer(), Some(INTERVAL));
    let actions = router.on(Event::AddressesInstalled(term));
    assert_eq!(actions, [Action::Announce(AnnounceReason::TookOver)]);
}

#[test]
fn rfc_9568_6_4_1_others_start_as_backup_and_wait_for_active_down() {
    let mut router = Router::new(settings(200));
    let actions = router.on(Event::Startup);
    assert_eq!(actions, [Action::RemoveAddresses, notify(State::Backup, Reason::Started)]);
    assert_eq!(router.until_timer(), Some(DOWN_OF_200));
}

#[test]
fn rfc_9568_6_4_1_initialize_hears_nothing() {
    let mut router = Router::new(settings(200));
    assert_eq!(router.hears(GREATER_PEER, 0), []);
    assert_eq!(router.hears(GREATER_PEER, 250), []);
    assert_eq!(router.on(Event::TimerExpired), []);
    assert_eq!((router.state(), router.until_timer()), (State::Initialize, None));
}

#[test]
fn rfc_9568_6_4_2_when_active_down_fires_it_advertises_and_is_active() {
    let mut router = Router::backup(settings(200));
    let start = router.now;
    let actions = router.wait_for_timer();
    assert_eq!(router.now - start, DOWN_OF_200);
    let install = Action::InstallAddresses(installing(&actions));
    assert_eq!(actions, [advert(200), install, notify(State::Active, Reason::NobodyActive)]);
    assert_eq!(router.until_timer(), Some(INTERVAL));
}

#[test]
fn rfc_9568_6_4_2_a_timer_that_has_not_expired_does_nothing() {
    let mut router = Router::backup(settings(200));
    router.now += DOWN_OF_200 - Duration::from_nanos(1);
    assert_eq!(router.on(Event::TimerExpired), []);
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn rfc_9568_6_4_2_priority_0_sets_the_timer_to_skew() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 250);
    assert_eq!(router.hears(GREATER_PEER, 0), []);
    assert_eq!(router.until_timer(), Some(SKEW_OF_200));
    let actions = router.wait_for_timer();
    let reason = Reason::ActiveReleased { source: ip(GREATER_PEER) };
    assert!(actions.contains(&notify(State::Active, reason)));
}

#[test]
fn rfc_9568_6_4_2_a_priority_as_good_or_better_rearms_the_timer() {
    for theirs in [200, 201, 255] {
        let mut router = Router::backup(settings(200));
        router.wait(millis(150));
        assert_eq!(router.hears(LOWER_PEER, theirs), []);
        assert_eq!(router.until_timer(), Some(DOWN_OF_200));
    }
}

#[test]
fn rfc_9568_6_4_2_the_interval_of_the_active_router_is_adopted() {
    let mut router = Router::backup(settings(200));
    let slower = Heard { interval: interval(millis(1000)), ..heard(GREATER_PEER, 250) };
    let actions = router.on(Event::AdvertReceived(slower));
    let theirs = millis(1000);
    assert_eq!(records(&actions), [Record::IntervalDiffers { source: ip(GREATER_PEER), theirs }]);
    assert_eq!(router.until_timer(), Some(DOWN_OF_200 * 10));
    router.hears(GREATER_PEER, 0);
    assert_eq!(router.until_timer(), Some(SKEW_OF_200 * 10));
}

#[test]
fn rfc_9568_6_4_2_with_preempt_a_lower_priority_is_discarded_and_the_timer_runs_on() {
    let mut router = Router::backup(settings(200));
    router.wait(millis(150));
    assert_eq!(router.hears(GREATER_PEER, 199), []);
    assert_eq!(router.until_timer(), Some(DOWN_OF_200 - millis(150)));
    let actions = router.wait_for_timer();
    let reason = Reason::Preempted { source: ip(GREATER_PEER), priority: priority(199) };
    assert!(actions.contains(&notify(State::Active, reason)));
}

#[test]
fn rfc_9568_6_4_2_without_preempt_a_lower_priority_rearms_the_timer() {
    let mut router = Router::backup(Settings { preempt: Preempt::Never, ..settings(200) });
    for _ in 0..10 {
        router.wait(INTERVAL);
        assert_eq!(router.hears(GREATER_PEER, 199), []);
        assert_eq!(router.until_timer(), Some(DOWN_OF_200));
    }
}

#[test]
fn rfc_9568_6_1_an_owner_preempts_whatever_the_setting() {
    let owner = Settings { preempt: Preempt::Never, ..settings(255) };
    let mut router = Router::new(owner);
    router.on(Event::LinkDown);
    router.on(Event::Startup);
    assert_eq!(router.state(), State::Fault(FaultReason::InterfaceDown));
    let actions = router.on(Event::LinkUp);
    assert!(actions.contains(&notify(State::Active, Reason::Owner)));
    // Another owner won; then an ordinary router is Active.
    router.hears(GREATER_PEER, 255);
    assert_eq!(router.state(), State::Backup);
    router.wait(millis(100));
    router.hears(GREATER_PEER, 254);
    router.wait(millis(201));
    assert_eq!(router.state(), State::Active);
}

#[test]
fn rfc_9568_6_4_2_shutdown_of_a_backup_is_silent() {
    let mut router = Router::backup(settings(200));
    let actions = router.on(Event::Shutdown);
    assert_eq!(actions, [notify(State::Initialize, Reason::Shutdown)]);
    assert_eq!(router.until_timer(), None);
}

#[test]
fn rfc_9568_6_4_2_a_backup_has_no_addresses() {
    // Whatever an earlier run left is removed, and so is what it has when it becomes Backup.
    let mut router = Router::new(settings(200));
    assert!(router.on(Event::Startup).contains(&Action::RemoveAddresses));
    let mut router = Router::active(settings(200));
    assert!(router.hears(GREATER_PEER, 250).contains(&Action::RemoveAddresses));
}

#[test]
fn rfc_9568_6_4_3_shutdown_sends_priority_0() {
    let mut router = Router::active(settings(200));
    let actions = router.on(Event::Shutdown);
    assert_eq!(actions, [advert(0), Action::RemoveAddresses, notify(State::Initialize, Reason::Shutdown)]);
    assert_eq!((router.state(), router.until_timer()), (State::Initialize, None));
}

#[test]
fn rfc_9568_6_4_3_the_timer_advertises_once_per_interval() {
    let mut router = Router::active(settings(200));
    let actions = router.wait(INTERVAL * 10);
    assert_eq!(actions, vec![advert(200); 10]);
}

#[test]
fn rfc_9568_6_4_3_small_delays_do_not_add_up() {
    let mut router = Router::active(settings(200));
    let first = router.machine.next_deadline().unwrap();
    for number in 1..=10 {
        router.now = router.machine.next_deadline().unwrap() + millis(7);
        assert_eq!(router.on(Event::TimerExpired), [advert(200)]);
        assert_eq!(router.machine.next_deadline().unwrap(), first + INTERVAL * number);
    }
}

#[test]
fn rfc_9568_6_4_3_priority_0_is_answered_at_once() {
    let mut router = Router::active(settings(200));
    router.wait(millis(50));
    assert_eq!(router.hears(GREATER_PEER, 0), [advert(200)]);
    assert_eq!(router.until_timer(), Some(INTERVAL));
}

#[test]
fn rfc_9568_6_4_3_a_higher_priority_makes_it_backup() {
    for source in [LOWER_PEER, GREATER_PEER] {
        let mut router = Router::active(settings(200));
        let slower = Heard { interval: interval(millis(1000)), ..heard(source, 201) };
        let actions = effects(&router.on(Event::AdvertReceived(slower)));
        let reason = Reason::Outranked { source: ip(source), priority: priority(201) };
        assert_eq!(actions, [Action::RemoveAddresses, notify(State::Backup, reason)]);
        assert_eq!(router.until_timer(), Some(DOWN_OF_200 * 10), "the interval is adopted");
    }
}

#[test]
fn rfc_9568_6_4_3_of_equal_priorities_the_greater_address_wins() {
    let mut router = Router::active(settings(200));
    router.hears(LOWER_PEER, 200);
    assert_eq!(router.state(), State::Active);
    router.hears(GREATER_PEER, 200);
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn rfc_9568_6_4_3_addresses_are_compared_as_unsigned_numbers() {
    let active = || Router::active(Settings { source: ip("127.0.0.1"), ..settings(200) });
    let mut router = active();
    router.hears("200.0.0.1", 200);
    assert_eq!(router.state(), State::Backup);
    let mut router = active();
    router.hears("99.0.0.1", 200);
    assert_eq!(router.state(), State::Active);
}

#[test]
fn rfc_9568_6_4_3_a_losing_advert_is_answered_at_once_and_the_timer_runs_on() {
    for (source, theirs) in [(GREATER_PEER, 199), (LOWER_PEER, 200)] {
        let mut router = Router::active(settings(200));
        router.wait(millis(50));
        let timer = router.until_timer();
        let actions = router.hears(source, theirs);
        assert_eq!(effects(&actions), [advert(200)]);
        assert_eq!(router.until_timer(), timer);
        assert_eq!(router.state(), State::Active);
    }
}

#[test]
fn rfc_9568_6_4_3_preempt_is_no_matter_of_an_active() {
    let mut router = Router::active(Settings { preempt: Preempt::Never, ..settings(200) });
    router.hears(GREATER_PEER, 199);
    assert_eq!(router.state(), State::Active);
    router.hears(GREATER_PEER, 201);
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn rfc_9568_7_1_another_list_of_addresses_is_told_once_and_counts() {
    let mut router = Router::backup(settings(200));
    router.wait(millis(150));
    let other = Heard { addresses: addresses(&["192.0.2.100", "192.0.2.101"]), ..heard(GREATER_PEER, 250) };
    let actions = router.on(Event::AdvertReceived(other.clone()));
    assert_eq!(actions, [Action::Record(Record::AddressesDiffer { source: ip(GREATER_PEER) })]);
    assert_eq!(router.until_timer(), Some(DOWN_OF_200));
    assert_eq!(router.on(Event::AdvertReceived(other)), []);
}

#[test]
fn rfc_3768_6_4_version_2_has_the_skew_of_a_second() {
    let two_seconds = AdvertInterval::new(Version::V2, millis(2000)).unwrap();
    let mut router =
        Router::backup(Settings { version: Version::V2, interval: two_seconds, ..settings(200) });
    assert_eq!(router.until_timer(), Some(millis(6000) + SKEW_OF_200 * 10));
    let own = Heard { interval: two_seconds, ..heard(GREATER_PEER, 0) };
    router.on(Event::AdvertReceived(own));
    assert_eq!(router.until_timer(), Some(SKEW_OF_200 * 10));
}
