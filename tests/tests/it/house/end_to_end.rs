//! What a bank sends arrives, and it is told so.

use testkit::house::{Engines, House, book};
use testkit::line::letters::Letters;

use super::SOON;

fn round_trip(engines: Engines) {
    let house = House::start(engines).unwrap();
    let (mut bank, mailbox, mut letters) = (house.bank(), house.mailbox(), Letters::new());
    bank.submit(letters.many(100)).unwrap();
    let balance = book::settle(&house, &bank, &mailbox, &[], SOON).unwrap();
    assert_eq!((balance.accepted, balance.submitted, balance.delivered), (100, 100, 100));
    assert_eq!(balance.duplicates, 0);
}

#[test]
fn a_report_about_every_message_comes_back_on_embedded_engines() {
    round_trip(Engines::embedded().unwrap());
}

#[test]
fn a_report_about_every_message_comes_back_on_postgresql_and_a_broker() {
    round_trip(Engines::servers().unwrap());
}

#[test]
fn a_message_of_a_user_comes_to_the_bank() {
    let house = House::start(Engines::embedded().unwrap()).unwrap();
    let mailbox = house.mailbox();
    house.carrier.control().mo("13800138000", testkit::line::protocol::ACCESS_NUMBER, "TD").unwrap();
    let came = mailbox.wait("the user's message", SOON, |seen| seen.user_messages.first().cloned()).unwrap();
    assert_eq!((&came["text"], &came["from"]), (&"TD".into(), &"13800138000".into()));
}

#[test]
fn the_same_request_again_is_the_same_message_at_either_empi() {
    let house = House::start(Engines::embedded().unwrap()).unwrap();
    let mailbox = house.mailbox();
    let letters = Letters::new().many(20);
    let mut first = house.bank_of(0);
    first.submit(letters.clone()).unwrap();
    let mut second = house.bank_of(1);
    second.submit(letters).unwrap();
    assert!(first.accepted().map(|(id, _)| id).eq(second.accepted().map(|(id, _)| id)));
    let balance = book::settle(&house, &second, &mailbox, &[], SOON).unwrap();
    assert_eq!((balance.accepted, balance.duplicates), (20, 0));
}

#[test]
fn numbers_and_texts_are_in_no_log() {
    let house = House::start(Engines::embedded().unwrap()).unwrap();
    let (mut bank, mailbox, mut letters) = (house.bank(), house.mailbox(), Letters::new());
    let sent = letters.many(30);
    bank.submit(sent.clone()).unwrap();
    book::settle(&house, &bank, &mailbox, &[], SOON).unwrap();
    let logs = house.logs();
    assert!(logs.contains("uaop_id"), "no message has a record:\n{logs}");
    let leaks = testkit::line::ledger::leaks(&sent, &logs);
    assert!(leaks.is_empty(), "{leaks:?}");
}
