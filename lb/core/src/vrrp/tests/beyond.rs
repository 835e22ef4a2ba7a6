//! What the RFC leaves to the implementation, or leaves open.

use super::*;

fn eligibility(eligibility: Eligibility, number: u8) -> Event {
    Event::EligibilityChanged { eligibility, priority: priority(number) }
}

#[test]
fn announcements_wait_for_the_addresses() {
    let mut router = Router::backup(settings(200));
    let actions = router.wait_for_timer();
    let term = installing(&actions);
    let busy = router.wait(millis(6000));
    assert!(!busy.iter().any(|action| matches!(action, Action::Announce(_))), "{busy:?}");
    let announced = Action::Announce(AnnounceReason::TookOver);
    assert_eq!(router.on(Event::AddressesInstalled(term)), [announced]);
    assert_eq!(router.on(Event::AddressesInstalled(term)), [], "once");
}

#[test]
fn announcements_are_repeated_after_5_s_and_then_every_minute() {
    let mut router = Router::active(settings(200));
    let start = router.now - millis(1);
    let mut times = Vec::new();
    while router.now < start + millis(130_000) {
        if router.wait_for_timer().contains(&Action::Announce(AnnounceReason::Again)) {
            times.push((router.now - start).as_secs());
        }
    }
    assert_eq!(times, [5, 65, 125]);
}

#[test]
fn an_answer_to_an_earlier_install_announces_nothing() {
    let mut router = Router::backup(settings(200));
    let first = installing(&router.wait_for_timer());
    router.hears(GREATER_PEER, 250);
    assert_eq!(router.on(Event::AddressesInstalled(first)), []);
    router.on(Event::PeerGone(ip(GREATER_PEER)));
    let second = installing(&router.wait_for_timer());
    assert_ne!(first, second);
    assert_eq!(router.on(Event::AddressesInstalled(first)), []);
    assert_eq!(router.on(Event::AddressesFailed(first)), []);
    assert_eq!(router.on(Event::AddressesInstalled(second)).len(), 1);
}

#[test]
fn a_failed_install_lets_go_and_is_tried_again_less_and_less_often() {
    let mut router = Router::backup(settings(200));
    for retry_after in [1, 2, 4, 8, 16, 32, 32].map(Duration::from_secs) {
        let term = installing(&router.wait_for_timer());
        let actions = router.on(Event::AddressesFailed(term));
        let fault = FaultReason::AddressInstallFailed;
        assert_eq!(
            actions,
            [
                Action::Record(Record::InstallFailed { retry_after }),
                advert(0),
                Action::RemoveAddresses,
                notify(State::Fault(fault), Reason::Fault(fault)),
            ]
        );
        assert_eq!(router.until_timer(), Some(retry_after));
        assert_eq!(router.wait_for_timer(), [notify(State::Backup, Reason::Recovered)]);
    }
}

#[test]
fn an_address_that_somebody_removed_is_put_back_and_announced() {
    let mut router = Router::active(settings(200));
    let actions = router.on(Event::AddressLost);
    let term = installing(&actions);
    assert_eq!(actions, [Action::Record(Record::AddressLost), Action::InstallAddresses(term)]);
    assert_eq!(router.on(Event::AddressLost), [], "it is being put back");
    let announced = Action::Announce(AnnounceReason::TookOver);
    assert_eq!(router.on(Event::AddressesInstalled(term)), [announced]);
}

#[test]
fn a_claim_of_the_address_is_contradicted_but_not_more_than_once_a_second() {
    let mut router = Router::active(settings(200));
    router.wait(millis(1500));
    let claim = Event::ConflictSeen(ip("192.0.2.100"));
    let record = Action::Record(Record::Conflict { address: ip("192.0.2.100") });
    let announced = Action::Announce(AnnounceReason::Contested);
    assert_eq!(router.on(claim.clone()), [record.clone(), announced.clone()]);
    for _ in 0..2 {
        assert_eq!(router.on(claim.clone()), std::slice::from_ref(&record));
    }
    let later = router.wait(millis(3000));
    assert_eq!(later.iter().filter(|action| **action == announced).count(), 1);
}

#[test]
fn a_changed_link_is_announced_over() {
    let mut router = Router::active(settings(200));
    assert_eq!(router.on(Event::LinkChanged), [Action::Announce(AnnounceReason::LinkChanged)]);
    assert_eq!(Router::backup(settings(200)).on(Event::LinkChanged), []);
}

#[test]
fn split_brain_is_counted_and_the_winner_announces_afresh() {
    let mut winner = Router::active(settings(200));
    winner.wait(millis(2000));
    let actions = winner.hears(GREATER_PEER, 150);
    let source = ip(GREATER_PEER);
    assert_eq!(
        records(&actions),
        [
            Record::Election { source, theirs: priority(150), ours: priority(200), won: true },
            Record::SplitBrain { source }
        ]
    );
    assert_eq!(effects(&actions), [advert(200), Action::Announce(AnnounceReason::Contested)]);
}

#[test]
fn the_loser_says_a_last_word_so_that_the_winner_knows() {
    let mut loser = Router::active(settings(150));
    loser.wait(millis(2000));
    let actions = effects(&loser.hears(LOWER_PEER, 200));
    let reason = Reason::Outranked { source: ip(LOWER_PEER), priority: priority(200) };
    assert_eq!(actions, [advert(150), Action::RemoveAddresses, notify(State::Backup, reason)]);
}

#[test]
fn an_advert_that_crossed_ours_when_we_took_over_is_no_split_brain() {
    let mut router = Router::active(settings(200));
    let actions = router.hears(GREATER_PEER, 150);
    assert!(!records(&actions).contains(&Record::SplitBrain { source: ip(GREATER_PEER) }));
}

#[test]
fn of_two_owners_the_greater_address_wins_for_good() {
    let mut router = Router::new(settings(255));
    router.on(Event::Startup);
    let actions = router.hears(GREATER_PEER, 255);
    assert!(records(&actions).contains(&Record::TwoOwners { source: ip(GREATER_PEER) }));
    for _ in 0..10 {
        assert_eq!(router.state(), State::Backup);
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 255);
    }
}

#[test]
fn our_own_address_is_told_once_and_decides_nothing() {
    let mut router = Router::active(settings(200));
    assert_eq!(router.hears("192.0.2.2", 250), [Action::Record(Record::OwnAddressHeard)]);
    assert_eq!(router.hears("192.0.2.2", 250), []);
    assert_eq!(router.state(), State::Active);
}

#[test]
fn missed_adverts_are_counted_when_the_next_one_comes() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 250);
    router.wait(millis(140));
    assert_eq!(router.hears(GREATER_PEER, 250), []);
    router.wait(millis(310));
    let source = ip(GREATER_PEER);
    let missed = Action::Record(Record::AdvertsMissed { source, count: 2 });
    assert_eq!(router.hears(GREATER_PEER, 250), [missed]);
}

#[test]
fn one_that_can_serve_replaces_one_that_cannot_whatever_the_preempt_setting() {
    for preempt in [Preempt::Never, Preempt::After(millis(3_600_000)), Preempt::AtOnce] {
        let mut router = Router::backup(Settings { preempt, ..settings(200) });
        router.hears(GREATER_PEER, 254);
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 10);
        // Not after Active_Down but after the skew time.
        assert_eq!(router.until_timer(), Some(Duration::from_micros(21_875)), "{preempt:?}");
        let actions = router.wait_for_timer();
        let reason = Reason::ActiveUnable { source: ip(GREATER_PEER), priority: priority(10) };
        assert!(actions.contains(&notify(State::Active, reason)), "{preempt:?}");
    }
}

#[test]
fn an_active_that_can_no_longer_serve_says_so_at_once_and_keeps_the_addresses() {
    let mut router = Router::active(settings(250));
    router.wait(millis(50));
    let actions = router.on(eligibility(Eligibility::Unable, 250));
    let changed = Record::PriorityChanged { eligibility: Eligibility::Unable, priority: priority(9) };
    assert_eq!(actions, [Action::Record(changed), advert(9)]);
    router.wait(millis(10_000));
    assert_eq!(router.state(), State::Active, "nobody else is there");
    router.hears(LOWER_PEER, 200);
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn of_those_that_cannot_serve_the_one_with_the_addresses_keeps_them() {
    let mut router = Router::backup(settings(254));
    router.on(eligibility(Eligibility::Unable, 254));
    assert_eq!(router.machine.priority(), priority(10));
    for _ in 0..20 {
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 4);
        assert_eq!(router.state(), State::Backup);
    }
    // Last one standing.
    router.wait(millis(500));
    assert_eq!(router.state(), State::Active);
}

#[test]
fn one_that_finds_out_a_little_later_that_it_cannot_serve_either_does_not_take_over() {
    let mut router = Router::backup(settings(200));
    router.wait(INTERVAL);
    router.hears(GREATER_PEER, 4);
    // before its skew time is over
    router.wait(millis(10));
    router.on(eligibility(Eligibility::Unable, 200));
    for _ in 0..20 {
        router.wait(millis(90));
        assert_eq!(router.state(), State::Backup);
        router.hears(GREATER_PEER, 4);
    }
}

#[test]
fn a_barred_router_lets_go_and_takes_no_part() {
    let fault = FaultReason::NotEligible;
    let entered = notify(State::Fault(fault), Reason::Fault(fault));
    let mut router = Router::active(settings(200));
    let actions = effects(&router.on(eligibility(Eligibility::Barred, 200)));
    assert_eq!(actions, [advert(0), Action::RemoveAddresses, entered]);
    assert_eq!(router.hears(GREATER_PEER, 0), []);
    assert_eq!(router.until_timer(), None);
    let actions = effects(&router.on(eligibility(Eligibility::Full, 200)));
    assert_eq!(actions, [notify(State::Backup, Reason::Recovered)]);
}

#[test]
fn a_changed_priority_shifts_a_running_timer_by_the_difference() {
    let mut router = Router::backup(settings(192));
    router.wait(millis(100));
    assert_eq!(router.until_timer(), Some(millis(225)));
    router.on(eligibility(Eligibility::Full, 128));
    assert_eq!(router.until_timer(), Some(millis(250)));
}

#[test]
fn an_interface_that_goes_down_takes_the_addresses_with_it() {
    let fault = FaultReason::InterfaceDown;
    let entered = notify(State::Fault(fault), Reason::Fault(fault));
    let mut router = Router::active(settings(200));
    assert_eq!(router.on(Event::LinkDown), [advert(0), Action::RemoveAddresses, entered.clone()]);
    assert_eq!(router.on(Event::LinkDown), []);
    assert_eq!(router.on(Event::LinkUp), [notify(State::Backup, Reason::Recovered)]);
    assert_eq!(Router::backup(settings(200)).on(Event::LinkDown), [entered]);
}

#[test]
fn of_several_faults_the_gravest_is_named_until_none_is_left() {
    let mut router = Router::backup(settings(200));
    router.on(eligibility(Eligibility::Barred, 200));
    assert_eq!(router.state(), State::Fault(FaultReason::NotEligible));
    router.on(Event::LinkDown);
    assert_eq!(router.state(), State::Fault(FaultReason::InterfaceDown));
    router.on(Event::LinkUp);
    assert_eq!(router.state(), State::Fault(FaultReason::NotEligible));
    router.on(eligibility(Eligibility::Full, 200));
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn preemption_can_wait() {
    let mut router = Router::backup(Settings { preempt: Preempt::After(millis(2000)), ..settings(200) });
    let source = ip(GREATER_PEER);
    let waits = Record::PreemptWaits { source, theirs: priority(150), delay: millis(2000) };
    assert_eq!(records(&router.hears(GREATER_PEER, 150)), [waits]);
    let start = router.now;
    while router.state() == State::Backup {
        router.wait(INTERVAL);
        assert_eq!(records(&router.hears(GREATER_PEER, 150)).iter().filter(|r| **r == waits).count(), 0);
    }
    // The delay, and what is left of the timer.
    let waited = router.now - start;
    assert!((millis(2000)..millis(2500)).contains(&waited), "{waited:?}");
}

#[test]
fn the_wait_for_preemption_starts_anew_when_we_get_worse() {
    let mut router = Router::backup(Settings { preempt: Preempt::After(millis(2000)), ..settings(200) });
    router.hears(GREATER_PEER, 150);
    for _ in 0..19 {
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 150);
    }
    router.on(eligibility(Eligibility::Full, 180));
    for _ in 0..19 {
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 150);
        assert_eq!(router.state(), State::Backup);
    }
}

#[test]
fn a_released_router_lets_go_and_does_not_come_back_while_there_is_another() {
    let mut router = Router::active(settings(250));
    let actions = effects(&router.on(Event::Release));
    assert_eq!(actions, [advert(0), Action::RemoveAddresses, notify(State::Backup, Reason::Released)]);
    assert!(router.machine.is_held());
    for _ in 0..20 {
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 200);
        assert_eq!(router.state(), State::Backup);
    }
    router.wait(millis(500));
    assert_eq!(router.state(), State::Active, "the other has gone");
    assert!(!router.machine.is_held());
}

#[test]
fn what_the_guard_withdrew_is_given_up_without_a_word() {
    let mut router = Router::active(settings(250));
    let actions = effects(&router.on(Event::Withdrawn));
    assert_eq!(actions, [Action::RemoveAddresses, notify(State::Backup, Reason::Withdrawn)]);
    router.wait(INTERVAL);
    router.hears(LOWER_PEER, 240);
    assert_eq!(router.state(), State::Backup, "the other may have them");
    router.wait(INTERVAL * 4);
    assert_eq!(router.state(), State::Active, "nobody has them");
}

#[test]
fn a_released_router_comes_back_when_the_other_cannot_serve() {
    let mut router = Router::active(settings(250));
    router.on(Event::Release);
    router.hears(GREATER_PEER, 10);
    router.wait(INTERVAL);
    assert_eq!(router.state(), State::Active);
}

#[test]
fn an_operator_takes_the_addresses_from_a_worse_router_at_once() {
    let mut router = Router::backup(Settings { preempt: Preempt::Never, ..settings(250) });
    router.hears(GREATER_PEER, 200);
    let actions = router.on(Event::Take);
    let install = Action::InstallAddresses(installing(&actions));
    assert_eq!(actions, [install, notify(State::Active, Reason::Taken)]);
}

/// From a router that lives and has the addresses.
fn preempting() -> (Router, Term) {
    let mut router = Router::backup(settings(200));
    router.wait(INTERVAL);
    router.hears(GREATER_PEER, 150);
    let term = installing(&router.wait_for_timer());
    (router, term)
}

#[test]
fn a_living_router_keeps_the_addresses_until_ours_are_announced() {
    let (mut router, term) = preempting();
    assert_eq!(router.hears(GREATER_PEER, 150), [], "not answered yet");
    let actions = router.on(Event::AddressesInstalled(term));
    assert_eq!(actions, [Action::Announce(AnnounceReason::TookOver), advert(200)]);
    // However long the install takes, the RFC's timer runs.
    let (mut router, _) = preempting();
    assert_eq!(router.until_timer(), Some(INTERVAL));
    assert_eq!(router.wait_for_timer(), [advert(200)]);
}

#[test]
fn a_take_over_that_fails_before_it_was_advertised_disturbs_nobody() {
    let (mut router, term) = preempting();
    let actions = effects(&router.on(Event::AddressesFailed(term)));
    let fault = FaultReason::AddressInstallFailed;
    assert_eq!(actions, [Action::RemoveAddresses, notify(State::Fault(fault), Reason::Fault(fault))]);
}

#[test]
fn from_a_better_router_nothing_can_be_taken() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 250);
    let timer = router.until_timer();
    let source = ip(GREATER_PEER);
    let refused = Record::TakeRefused { source, theirs: priority(250) };
    assert_eq!(router.on(Event::Take), [Action::Record(refused)]);
    assert_eq!((router.state(), router.until_timer()), (State::Backup, timer));
}

#[test]
fn a_peer_that_is_known_to_have_gone_is_replaced_after_the_skew_time() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 250);
    router.on(Event::PeerGone(ip(LOWER_PEER)));
    assert_eq!(router.until_timer(), Some(Duration::from_micros(321_875)), "another one");
    router.on(Event::PeerGone(ip(GREATER_PEER)));
    assert_eq!(router.until_timer(), Some(Duration::from_micros(21_875)));
    let actions = router.wait_for_timer();
    let reason = Reason::ActiveGone { source: ip(GREATER_PEER) };
    assert!(actions.contains(&notify(State::Active, reason)));
}

#[test]
fn silence_is_told_with_its_length() {
    let mut router = Router::backup(settings(200));
    router.hears(GREATER_PEER, 250);
    let actions = router.wait_for_timer();
    let reason = Reason::ActiveSilent { source: ip(GREATER_PEER), silent: Duration::from_micros(321_875) };
    assert!(actions.contains(&notify(State::Active, reason)));
}
