//! Every UAOP is told everything.

use testkit::line::letters::Letters;
use testkit::line::uplink::Told;
use testkit::line::{Feed, Ledger, Line, Protocol, Uplink};

use super::{SOON, line};

#[test]
fn two_uaops_are_told_the_same() {
    let line = line(Protocol::Cmpp20);
    let other = Feed::follow(line.gateway.uplink(), "uaop-2");
    // both are there
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    ledger.submit(&line.gateway.uplink(), letters.many(50)).unwrap();
    ledger.settle(&line, SOON).unwrap();
    let events = line.feed.look(|seen| seen.events.clone());
    let last = events.last().unwrap().id;
    other.wait("the last event", SOON, |seen| (seen.events.last()?.id >= last).then_some(())).unwrap();
    let finished = |seen: &testkit::line::feed::Seen| seen.count("finished");
    assert_eq!(other.look(finished), 50);
}

#[test]
fn what_one_uaop_has_not_acknowledged_outlives_a_kill_though_another_has() {
    let mut line = line(Protocol::Cmpp20);
    let uplink = line.gateway.uplink();
    let behind = behind(&line);
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    ledger.submit(&uplink, letters.many(20)).unwrap();
    // the line's own feed acknowledges all of it
    ledger.settle(&line, SOON).unwrap();
    let told = told_after(&line, behind);
    line.gateway.kill();
    line.gateway.start_again().unwrap();
    // the feed is the first to come back, and has acknowledged again before it is told of another message
    line.gateway.wait_ready().unwrap();
    ledger.submit(&uplink, letters.many(1)).unwrap();
    ledger.settle(&line, SOON).unwrap();
    let last = told.last().unwrap().id;
    let slow = all(&uplink, "slow", 0, last);
    let missed: Vec<&Told> = told.iter().filter(|told| !slow.contains(told)).collect();
    assert!(missed.is_empty(), "{} of {} events are gone", missed.len(), told.len());
}

#[test]
fn whoever_gives_no_name_only_looks() {
    let line = line(Protocol::Cmpp20);
    let uplink = line.gateway.uplink();
    let behind = behind(&line);
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    ledger.submit(&uplink, letters.many(10)).unwrap();
    ledger.settle(&line, SOON).unwrap();
    let told = told_after(&line, behind);
    let last = told.last().unwrap().id;
    assert_eq!(uplink.request("GET", &format!("/events?after={last}"), "").unwrap().status, 200);
    // whatever that did to the spool is done when this message is
    ledger.submit(&uplink, letters.many(1)).unwrap();
    ledger.settle(&line, SOON).unwrap();
    let slow = all(&uplink, "slow", 0, last);
    let missed: Vec<&Told> = told.iter().filter(|told| !slow.contains(told)).collect();
    assert!(missed.is_empty(), "{} of {} events are gone", missed.len(), told.len());
}

#[test]
fn a_cursor_of_another_spool_is_told_from_one_of_this() {
    let line = line(Protocol::Cmpp20);
    let uplink = line.gateway.uplink();
    let beyond = uplink.request("GET", "/events?consumer=uaop-9&after=1000000", "").unwrap();
    assert_eq!(beyond.status, 409, "{}", beyond.body);
    assert!(beyond.body.contains("start again from after=0"), "{}", beyond.body);
}

/// The consumer "slow" comes, and acknowledges nothing from now on. Returns the last event that may be gone already: the
/// line's own feed may have acknowledged it before.
fn behind(line: &Line) -> u64 {
    all(&line.gateway.uplink(), "slow", 0, 0);
    line.feed.look(|seen| seen.events.last().map_or(0, |told| told.id))
}

/// What the line's own feed was told after an event.
fn told_after(line: &Line, after: u64) -> Vec<Told> {
    line.feed.look(|seen| seen.events.iter().filter(|told| told.id > after).cloned().collect())
}

/// All events of a consumer above `after`, up to `last`.
fn all(uplink: &Uplink, consumer: &str, mut after: u64, last: u64) -> Vec<Told> {
    let mut all = Vec::new();
    loop {
        let events = uplink.events(consumer, after, 100, 0).unwrap();
        let Some(told) = events.last() else { return all };
        after = told.id;
        all.extend(events);
        if after >= last {
            return all;
        }
    }
}
