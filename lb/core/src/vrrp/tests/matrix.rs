//! Every state under every event, for review.

use super::*;

fn states() -> Vec<(&'static str, Router)> {
    let backup = || {
        let mut router = Router::backup(settings(200));
        router.hears(GREATER_PEER, 210);
        router.now += millis(50);
        router
    };
    let fault = |event| {
        let mut router = backup();
        router.on(event);
        router
    };
    let installing = {
        let mut router = Router::backup(settings(200));
        router.wait_for_timer();
        router
    };
    let silent = {
        let mut router = Router::backup(settings(200));
        router.wait(INTERVAL);
        router.hears(GREATER_PEER, 150);
        router.wait_for_timer();
        router
    };
    let listening = {
        let mut router = Router::active(settings(200));
        router.stall(millis(500));
        router.on(Event::TimerExpired);
        router
    };
    let settled = {
        let mut router = Router::active(settings(200));
        router.wait(millis(2050));
        router
    };
    let install_failed = {
        let mut router = installing.clone();
        router.on(Event::AddressesFailed(router_term()));
        router
    };
    let barred = Event::EligibilityChanged { eligibility: Eligibility::Barred, priority: priority(200) };
    vec![
        ("Initialize", Router::new(settings(200))),
        ("Backup", backup()),
        ("Active, installing", installing),
        ("Active, installing, to replace a living router", silent),
        ("Active", settled),
        ("Active, listening", listening),
        ("Fault, link down", fault(Event::LinkDown)),
        ("Fault, barred", fault(barred)),
        ("Fault, group", fault(Event::GroupFault(true))),
        ("Fault, install", install_failed),
    ]
}

/// Of the first install; a router that never installed answers to none.
fn router_term() -> Term {
    Term::default().next()
}

fn events() -> Vec<(&'static str, Event)> {
    let advert = |source, number| Event::AdvertReceived(heard(source, number));
    let eligibility = |eligibility| Event::EligibilityChanged { eligibility, priority: priority(200) };
    vec![
        ("Startup", Event::Startup),
        ("Shutdown", Event::Shutdown),
        ("advert 0", advert(GREATER_PEER, 0)),
        ("advert 10, unable", advert(GREATER_PEER, 10)),
        ("advert lower", advert(GREATER_PEER, 150)),
        ("advert equal, lower address", advert(LOWER_PEER, 200)),
        ("advert equal, greater address", advert(GREATER_PEER, 200)),
        ("advert higher", advert(LOWER_PEER, 250)),
        ("advert own", advert("192.0.2.2", 200)),
        ("TimerExpired", Event::TimerExpired),
        ("AddressAnswered", Event::AddressAnswered(ip("192.0.2.100"))),
        ("Withdrawn", Event::Withdrawn),
        ("LinkUp", Event::LinkUp),
        ("LinkDown", Event::LinkDown),
        ("LinkChanged", Event::LinkChanged),
        ("AddressesInstalled", Event::AddressesInstalled(router_term())),
        ("AddressesInstalled, stale", Event::AddressesInstalled(Term::default())),
        ("AddressesFailed", Event::AddressesFailed(router_term())),
        ("AddressesFailed, stale", Event::AddressesFailed(Term::default())),
        ("AddressLost", Event::AddressLost),
        ("ConflictSeen", Event::ConflictSeen(ip("192.0.2.100"))),
        ("degraded", eligibility(Eligibility::Degraded)),
        ("unable", eligibility(Eligibility::Unable)),
        ("barred", eligibility(Eligibility::Barred)),
        ("able", eligibility(Eligibility::Full)),
        ("Release", Event::Release),
        ("Take", Event::Take),
        ("PeerGone", Event::PeerGone(ip(GREATER_PEER))),
        ("GroupReady", Event::GroupReady),
        ("GroupYields", Event::GroupYields),
        ("GroupFault", Event::GroupFault(true)),
        ("GroupFault over", Event::GroupFault(false)),
    ]
}

/// For the timer's row, the time at which it is due, with no answer to a probe before it.
fn row(name: &str, event: &Event, router: &Router) -> String {
    let mut router = router.clone();
    if *event == Event::TimerExpired
        && let Some(wait) = router.until_timer()
    {
        router.now += wait;
    }
    let before = router.until_timer();
    let actions = router.on(event.clone());
    let after = router.until_timer();
    let timer = match after {
        _ if before == after => "timer as it was".to_owned(),
        None => "no timer".to_owned(),
        Some(wait) => format!("timer {wait:?}"),
    };
    let mut lines = format!("  {name} -> {:?}, {timer}\n", router.state());
    for action in actions {
        lines += &format!("      {action:?}\n");
    }
    lines
}

#[test]
fn every_state_under_every_event() {
    let mut matrix = String::new();
    for (state, router) in states() {
        let timer = router.until_timer().map_or_else(|| "none".to_owned(), |wait| format!("{wait:?}"));
        matrix += &format!("{state} (priority 200, timer {timer})\n");
        for (name, event) in events() {
            matrix += &row(name, &event, &router);
        }
    }
    insta::assert_snapshot!(matrix);
}
