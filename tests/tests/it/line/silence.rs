//! Carriers that accept and say nothing: an alarm, a log line, and all is well as soon as they speak.

use nix::sys::signal::Signal;
use testkit::line::letters::Letters;
use testkit::line::protocol::ACCOUNT;
use testkit::line::{Ledger, Protocol, Scene};
use wire::protocol::Messages;

use super::fake::{Fake, background};
use super::{SOON, over_each_protocol, with_wire};

over_each_protocol! { a_carrier_that_does_not_answer_the_login_is_an_alarm }

fn a_carrier_that_does_not_answer_the_login_is_an_alarm(protocol: Protocol) {
    with_wire!(protocol, no_login);
}

fn no_login<P: Messages>(protocol: Protocol) {
    let fake = Fake::<P>::start(protocol, |account| account.set("timers", "{ login: 500ms }"));
    let mut ledger = Ledger::new();
    ledger.submit(&fake.gateway.uplink(), vec![Letters::new().with_text("one")]).unwrap();
    fake.connection().wait_end();
    let link = [("account", ACCOUNT), ("kind", "link")];
    fake.gateway.wait_metric("gateway_alarm", &link, SOON, |alarm| alarm == 1.0).unwrap();
    fake.gateway.wait_log("the login took too long", SOON).unwrap();
    assert_eq!(fake.gateway.get("/readyz").unwrap().status, 503);

    let mut peer = fake.peer();
    let (sequence, _) = peer.submit();
    peer.accept(sequence);
    fake.feed.wait_count("finished", 1, SOON).unwrap();
    fake.gateway.wait_metric("gateway_alarm", &link, SOON, |alarm| alarm == 0.0).unwrap();
    assert_eq!(fake.gateway.get("/readyz").unwrap().status, 200);
}

#[test]
fn a_carrier_that_answers_no_submit_is_an_alarm() {
    const MESSAGES: usize = 30;
    /// So many that those without an answer are few among them.
    const MORE: usize = 3_000;
    let timers = "{ answer: 100ms, tries: 2 }";
    let fake = Fake::<wire::cmpp::Cmpp>::start(Protocol::Cmpp20, |account| {
        account.set("timers", timers).set("window", 64)
    });
    let mut peer = fake.peer();
    let (mut ledger, mut letters) = (Ledger::new(), Letters::new());
    let mut short = |count: usize| (0..count).map(|nth| letters.with_text(&format!("short {nth}"))).collect();
    ledger.submit(&fake.gateway.uplink(), short(MESSAGES)).unwrap();
    let alarm = [("account", ACCOUNT), ("kind", "answers")];
    // it is read all the while, so that the gateway is not held up
    let silent = std::thread::spawn(move || {
        let heard = (0..2 * MESSAGES).map(|_| peer.submit().0).count();
        assert_eq!(heard, 2 * MESSAGES, "each is sent twice");
        peer
    });
    let peer = silent.join().unwrap();
    fake.gateway.wait_metric("gateway_alarm", &alarm, SOON, |alarm| alarm == 1.0).unwrap();
    fake.gateway.wait_log("leaves them unanswered", SOON).unwrap();
    let repeats = [("account", ACCOUNT)];
    fake.gateway.wait_metric("gateway_submit_repeats_total", &repeats, SOON, |count| count >= 30.0).unwrap();

    let answering = background(peer);
    for _ in 0..MORE / 500 {
        ledger.submit(&fake.gateway.uplink(), short(500)).unwrap();
    }
    fake.feed.wait_count("finished", MESSAGES + MORE, SOON).unwrap();
    fake.gateway.wait_metric("gateway_alarm", &alarm, SOON, |alarm| alarm == 0.0).unwrap();
    fake.gateway.wait_log("answers well again", SOON).unwrap();
    drop(fake);
    answering.join().unwrap();
}

#[test]
fn a_carrier_that_stands_still_is_noticed_and_gets_everything_when_it_goes_on() {
    for protocol in [Protocol::Cmpp30, Protocol::Smgp30] {
        let timers = "{ answer: 200ms, tries: 2, idle: 200ms }";
        let mut line = Scene::new(protocol).account("timers", timers).start().unwrap();
        line.carrier.process().signal(Signal::SIGSTOP).unwrap();
        let labels = [("account", ACCOUNT), ("reason", "probes_unanswered")];
        line.gateway
            .wait_metric("gateway_connection_ends_total", &labels, SOON, |count| count > 0.0)
            .unwrap();
        let link = [("account", ACCOUNT), ("kind", "link")];
        line.gateway.wait_metric("gateway_alarm", &link, SOON, |alarm| alarm == 1.0).unwrap();
        line.gateway.wait_log("probes stay unanswered", SOON).unwrap();
        let mut ledger = Ledger::new();
        ledger.submit(&line.gateway.uplink(), Letters::new().many(20)).unwrap();
        line.carrier.process().signal(Signal::SIGCONT).unwrap();
        ledger.settle(&line, SOON).unwrap();
        line.gateway.wait_metric("gateway_alarm", &link, SOON, |alarm| alarm == 0.0).unwrap();
    }
}
