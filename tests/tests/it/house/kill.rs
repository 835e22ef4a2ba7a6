//! Each process is killed amid a stream of messages and started again: nothing that was accepted is lost, and nothing comes
//! twice that was not pushed twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use testkit::house::{Balance, Bank, Engines, House, Part, book};
use testkit::line::letters::Letters;
use testkit::wait;

use super::SOON;

/// Messages in one request.
const REQUEST: usize = 20;
/// Before the kill, and at least so many after the new start.
const BEFORE: usize = 300;
/// How long the process is away.
const AWAY: Duration = Duration::from_millis(500);

/// Sends without a pause until it is told to stop.
fn stream(mut bank: Bank, stop: &AtomicBool, sent: &std::sync::atomic::AtomicUsize) -> Bank {
    let mut letters = Letters::new();
    while !stop.load(Ordering::Relaxed) {
        bank.submit(letters.many(REQUEST)).unwrap();
        sent.store(bank.count(), Ordering::Relaxed);
    }
    bank
}

fn survives(engines: Engines, parts: &[Part]) -> Balance {
    let mut house = House::start(engines).unwrap();
    let mailbox = house.mailbox();
    let (stop, sent) = (AtomicBool::new(false), std::sync::atomic::AtomicUsize::new(0));
    let bank = house.bank();
    let bank = std::thread::scope(|scope| {
        let sender = scope.spawn(|| stream(bank, &stop, &sent));
        let so_many = |count: usize| {
            let enough = || (sent.load(Ordering::Relaxed) >= count || sender.is_finished()).then_some(());
            wait::until("messages to be accepted", SOON, enough).unwrap();
        };
        for part in parts {
            so_many(sent.load(Ordering::Relaxed) + BEFORE);
            house.kill(*part).unwrap();
            std::thread::sleep(AWAY);
            house.start_again(*part).unwrap();
        }
        house.wait_ready().unwrap();
        so_many(sent.load(Ordering::Relaxed) + BEFORE);
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap()
    });
    book::settle(&house, &bank, &mailbox, &[], SOON).unwrap()
}

macro_rules! nothing_is_lost {
    ($($name:ident: $parts:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn on_embedded_engines() {
                let balance = survives(Engines::embedded().unwrap(), &$parts);
                assert_eq!(balance.accepted, balance.delivered);
            }

            #[test]
            fn on_postgresql_and_a_broker() {
                let balance = survives(Engines::servers().unwrap(), &$parts);
                assert_eq!(balance.accepted, balance.delivered);
            }
        }
    )*};
}

nothing_is_lost! {
    when_an_empi_is_killed: [Part::Empi(0), Part::Empi(1)];
    when_a_uaop_is_killed: [Part::Uaop(0), Part::Uaop(1)];
    when_a_gateway_is_killed: [Part::Gateway(0), Part::Gateway(1)];
    when_the_center_is_killed: [Part::Center];
    when_lb_is_killed: [Part::Lb];
}

#[test]
fn nothing_is_lost_when_the_database_is_killed() {
    let balance = survives(Engines::servers().unwrap(), &[Part::Database]);
    assert_eq!(balance.accepted, balance.delivered);
}

#[test]
fn nothing_is_lost_when_the_broker_is_killed() {
    let Some(engines) = Engines::durable_servers().unwrap() else { return };
    let balance = survives(engines, &[Part::Broker]);
    assert_eq!(balance.accepted, balance.delivered);
}
