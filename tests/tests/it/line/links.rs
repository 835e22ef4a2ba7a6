//! Connections that end, and come again.

use std::collections::BTreeSet;

use testkit::line::letters::Letters;
use testkit::line::protocol::ACCOUNT;
use testkit::line::{Ledger, Protocol, Scene};

use super::{SOON, over_each_protocol};

over_each_protocol! { a_connection_that_was_cut_comes_again a_carrier_that_was_away_gets_everything }

const LINK_ALARM: [(&str, &str); 2] = [("account", ACCOUNT), ("kind", "link")];

fn a_connection_that_was_cut_comes_again(protocol: Protocol) {
    let line = Scene::new(protocol).account("connections", 2).start().unwrap();
    let control = line.carrier.control();
    let ids = || -> BTreeSet<u32> {
        control.connections().unwrap().iter().filter(|one| !one.dialled).map(|one| one.id).collect()
    };
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    let mut messages = |count| {
        ledger.submit(&line.gateway.uplink(), letters.many(count)).unwrap();
        ledger.settle(&line, SOON).unwrap();
    };
    for how in ["close", "reset", "terminate"] {
        messages(20);
        let before = ids();
        assert!(!before.is_empty());
        control.disconnect(how).unwrap();
        messages(20);
        assert!(!ids().is_empty() && ids().is_disjoint(&before), "{how}: {before:?}, then {:?}", ids());
    }
    line.gateway.wait_metric("gateway_alarm", &LINK_ALARM, SOON, |alarm| alarm == 0.0).unwrap();
    let ends = line.gateway.metrics().unwrap().sum("gateway_connection_ends_total", &[("account", ACCOUNT)]);
    assert!(ends >= 6.0, "{ends}");
}

fn a_carrier_that_was_away_gets_everything(protocol: Protocol) {
    let mut line = Scene::new(protocol).start().unwrap();
    line.carrier.kill();
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    ledger.submit(&line.gateway.uplink(), letters.many(50)).unwrap();
    line.gateway.wait_metric("gateway_alarm", &LINK_ALARM, SOON, |alarm| alarm == 1.0).unwrap();
    let ready = || (line.gateway.get("/readyz").ok()?.status == 503).then_some(());
    testkit::wait::until("not to be ready", SOON, ready).unwrap();

    line.carrier.start_again().unwrap();
    ledger.submit(&line.gateway.uplink(), letters.many(50)).unwrap();
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!(balance.accepted, 100);
    line.gateway.wait_metric("gateway_alarm", &LINK_ALARM, SOON, |alarm| alarm == 0.0).unwrap();
    line.gateway.wait_ready().unwrap();
}

#[test]
fn smgp_can_receive_over_a_connection_of_its_own() {
    let line = Scene::new(Protocol::Smgp30).account("mode", "send-and-receive").start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(50)).unwrap();
    line.carrier.control().mo("13712345678", "106900000142", "TD").unwrap();
    ledger.settle(&line, SOON).unwrap();
    line.feed.wait_count("mo", 1, SOON).unwrap();
    assert_eq!(line.carrier.control().connections().unwrap().len(), 2);
    let record = line.carrier.control().messages().unwrap();
    let senders: BTreeSet<u32> = record.iter().map(|message| message.connection).collect();
    assert_eq!(senders.len(), 1, "only one of them sends");
}

#[test]
fn an_sgip_carrier_may_bring_reports_over_the_customers_own_connection() {
    let line = Scene::new(Protocol::Sgip12).customer("duplex", true).start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(50)).unwrap();
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!(balance.reports, balance.parts);
}
