//! How fast an account sends, over which connections, and when.

use std::net::TcpListener;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Submission;
use testkit::line::letters::Letters;
use testkit::line::protocol::ACCOUNT;
use testkit::line::{Carrier, Feed, Gateway, Keys, Ledger, Protocol, Scene};
use testkit::wait;
use wire::protocol::Messages;

use super::fake::{Fake, background};
use super::{SOON, over_each_protocol, with_wire};

over_each_protocol! { a_connection_that_does_not_answer_holds_up_no_other too_fast_is_not_lost }

const OF_ACCOUNT: [(&str, &str); 1] = [("account", ACCOUNT)];

fn a_connection_that_does_not_answer_holds_up_no_other(protocol: Protocol) {
    with_wire!(protocol, one_of_four_is_silent);
}

fn one_of_four_is_silent<P: Messages>(protocol: Protocol) {
    const WINDOW: usize = 8;
    const MESSAGES: usize = 200;
    let fake = Fake::<P>::start(protocol, |account| account.set("connections", 4).set("window", WINDOW));
    let mut silent = fake.peer();
    let others: Vec<_> = (0..3).map(|_| background(fake.peer())).collect();
    fake.gateway.wait_metric("gateway_connection_up", &OF_ACCOUNT, SOON, |up| up >= 4.0).unwrap();

    let mut letters = Letters::new();
    let batch = (0..MESSAGES).map(|nth| letters.with_text(&format!("short {nth}"))).collect();
    Ledger::new().submit(&fake.gateway.uplink(), batch).unwrap();
    let held: Vec<_> = (0..WINDOW).map(|_| silent.submit().0).collect();
    fake.feed.wait_count("finished", MESSAGES - WINDOW, SOON).unwrap();
    let under_way =
        fake.gateway.wait_metric("gateway_parts_under_way", &OF_ACCOUNT, SOON, |parts| parts == 8.0);
    under_way.unwrap();
    assert_eq!(fake.feed.count("finished"), MESSAGES - WINDOW, "the silent one has its window of them");

    for sequence in held {
        silent.accept(sequence);
    }
    fake.feed.wait_count("finished", MESSAGES, SOON).unwrap();
    drop((fake, silent));
    others.into_iter().for_each(|other| other.join().unwrap());
}

#[test]
fn the_rate_is_that_of_all_connections_together() {
    const RATE: usize = 200;
    const MESSAGES: usize = 400;
    let line = Scene::new(Protocol::Cmpp20).account("connections", 4).account("rate", RATE).start().unwrap();
    let mut letters = Letters::new();
    let batch = (0..MESSAGES).map(|nth| letters.with_text(&format!("short {nth}"))).collect();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), batch).unwrap();
    ledger.settle(&line, SOON).unwrap();

    let record = line.carrier.control().messages().unwrap();
    let times: Vec<u64> = record.iter().map(|message| message.at).collect();
    // a tenth of a second's worth may go out at once; the carrier's clock reads are a bit late now and then
    let most = RATE + RATE / 10 + RATE / 20;
    for second in times.windows(most + 1) {
        assert!(second[most] - second[0] >= 1000, "{most} messages within {} ms", second[most] - second[0]);
    }
    let took = times[MESSAGES - 1] - times[0];
    assert!(took < 4000, "{MESSAGES} messages take {took} ms: the rate is not used");
    let used: std::collections::BTreeSet<u32> = record.iter().map(|message| message.connection).collect();
    assert_eq!(used.len(), 4);
}

fn too_fast_is_not_lost(protocol: Protocol) {
    const MESSAGES: usize = 150;
    let line = Scene::new(protocol).account("connections", 2).customer("rate", 100).start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(MESSAGES)).unwrap();
    line.gateway.wait_metric("gateway_slowed", &OF_ACCOUNT, SOON, |slowed| slowed == 1.0).unwrap();
    let balance = ledger.settle(&line, SOON).unwrap();
    assert_eq!((balance.accepted, balance.duplicates), (MESSAGES, 0));

    let refused = line.carrier.control().counts().unwrap().codes[&protocol.too_fast()];
    let code = protocol.too_fast().to_string();
    let labels = [("account", ACCOUNT), ("code", &code), ("disposition", "slow_down")];
    let metrics = line.gateway.metrics().unwrap();
    assert_eq!(metrics.sum("gateway_answers_total", &labels), refused as f64);
    assert_eq!(metrics.sum("gateway_parts_pushed_total", &[("attempt", "retry")]), refused as f64);
    line.gateway.wait_log("slowing down", SOON).unwrap();
}

#[test]
fn an_account_whose_carrier_is_silent_holds_up_no_other() {
    // the kernel accepts, and nobody says anything
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, other) = (listener.local_addr().unwrap(), Protocol::Cmpp30);
    let customer = other.customer(address).set("behaviour", "{ report: 5ms }");
    let carrier = Carrier::start(&Keys::new().set("accounts", Keys::new().set(ACCOUNT, customer))).unwrap();
    let accounts = [
        Protocol::Cmpp20.account(address, address).set("name", "silent"),
        other.account(carrier.address(other), address),
    ];
    let accounts = format!("[ {}, {} ]", accounts[0], accounts[1]);
    let gateway = Gateway::spawn(&Keys::new().set("accounts", accounts)).unwrap();
    let feed = Feed::follow(gateway.uplink(), "uaop-1");
    let mut letters = Letters::new();
    let to = |account: &str, message: Submission| Submission {
        account: Some(account.parse().unwrap()),
        ..message
    };
    let batch = (0..100).flat_map(|_| [to("silent", letters.one()), to(ACCOUNT, letters.one())]).collect();
    Ledger::new().submit(&gateway.uplink(), batch).unwrap();
    feed.wait_count("finished", 100, SOON).unwrap();
    let silent = [("account", "silent")];
    gateway.wait_metric("gateway_unfinished_messages", &silent, SOON, |messages| messages == 100.0).unwrap();
    gateway
        .wait_metric("gateway_unfinished_messages", &OF_ACCOUNT, SOON, |messages| messages == 0.0)
        .unwrap();
}

#[test]
fn outside_the_hours_messages_wait() {
    let hour = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 3600 % 24;
    // in the middle of the other half of the day, whatever the minute
    let closed = if hour < 12 { "[ \"17:00-18:00\" ]" } else { "[ \"05:00-06:00\" ]" };
    let scene = Scene::new(Protocol::Cmpp30).gateway("time_zone", "UTC");
    let mut line = scene.account("hours", closed).start().unwrap();
    let mut ledger = Ledger::new();
    ledger.submit(&line.gateway.uplink(), Letters::new().many(10)).unwrap();
    line.gateway.wait_metric("gateway_queue_messages", &OF_ACCOUNT, SOON, |waiting| waiting == 10.0).unwrap();
    line.gateway.wait_metric("gateway_queue_age_seconds", &OF_ACCOUNT, SOON, |age| age > 0.5).unwrap();
    assert_eq!(line.carrier.control().counts().unwrap().submits, 0);
    assert_eq!(line.feed.count("pushed"), 0);

    line.gateway.stop().unwrap();
    let open = line.gateway.config().unwrap().replace(closed, "[]");
    line.gateway.configure(&open).unwrap();
    line.gateway.start_again().unwrap();
    ledger.settle(&line, SOON).unwrap();
}

#[test]
fn the_carrier_sees_the_source_address_of_the_account() {
    let line = Scene::new(Protocol::Smgp30)
        .account("source", "127.0.0.2")
        .account("connections", 2)
        .customer("sources", "[ 127.0.0.2 ]")
        .start()
        .unwrap();
    let two = || {
        let connections = line.carrier.control().connections().ok()?;
        (connections.len() == 2).then_some(connections)
    };
    let connections = wait::until("two connections", SOON, two).unwrap();
    for connection in connections {
        assert_eq!(connection.peer.ip().to_string(), "127.0.0.2");
    }
}

#[test]
fn a_source_that_the_carrier_does_not_know_is_an_alarm() {
    let line = Scene::new(Protocol::Smgp30).customer("sources", "[ 127.0.0.2 ]").start_unconnected().unwrap();
    let refused = [("account", ACCOUNT), ("outcome", "refused")];
    line.gateway
        .wait_metric("gateway_connection_attempts_total", &refused, SOON, |count| count > 0.0)
        .unwrap();
    let link = [("account", ACCOUNT), ("kind", "link")];
    line.gateway.wait_metric("gateway_alarm", &link, SOON, |alarm| alarm == 1.0).unwrap();
    line.gateway.wait_log("the login was refused", SOON).unwrap();
    assert_eq!(line.gateway.get("/readyz").unwrap().status, 503);
}
