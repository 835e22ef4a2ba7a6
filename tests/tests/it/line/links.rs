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
