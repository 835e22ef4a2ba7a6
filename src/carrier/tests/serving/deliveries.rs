//! Reports and MO go out until they are acknowledged.

use carrier::control::api::MoRequest;
use domain::MessageText;
use domain::text::{Joined, Joiner, Preference, header};
use std::time::{Duration, Instant};
use wire::cmpp::Cmpp;
use wire::exchange::Incoming;
use wire::protocol::Messages;
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use crate::carrier::start;
use crate::customer::{Customer, Seen, credentials, message};

const TOP: &str = "behaviour: { report: 0ms }\ntimers: { again: 20ms, answer: 100ms, tries: 2 }";
const ACCOUNT: &str = "  a: { protocol: cmpp-3.0, id: '901234', secret: secret }";

#[tokio::test]
async fn a_report_that_is_refused_or_not_answered_comes_again() {
    let running = start(TOP, ACCOUNT).await;
    let mut customer =
        Customer::<Cmpp>::connect(running.addresses.cmpp.unwrap(), credentials("901234", 0x30, 0)).await;
    assert_eq!(customer.code(&message(1, "hello")).await, 0);
    let Incoming::Report(refused) = customer.incoming(9).await else { panic!("no report") };
    let Seen::Incoming(_, _, Incoming::Report(silent)) = customer.next().await else { panic!("no report") };
    running.counts("a", |counts| counts.reports.sent >= 3).await;
    let report = customer.report().await;
    assert_eq!((refused.about, refused.id), (report.about, report.id));
    assert_eq!(silent.about, report.about);
    let counts = running.counts("a", |counts| counts.reports.acknowledged == 1).await;
    assert_eq!((counts.reports.made, counts.reports.refused, counts.waiting), (1, 1, 0));
    assert_eq!(counts.reports.repeated, counts.reports.sent - 1);
}

#[tokio::test]
async fn a_report_that_a_lost_connection_had_comes_over_the_next_one() {
    let running = start(TOP, ACCOUNT).await;
    let address = running.addresses.cmpp.unwrap();
    let mut first = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    first.submit(&message(1, "hello"));
    let id = first.answer().await.id;
    let Seen::Incoming(_, _, Incoming::Report(_)) = first.next().await else { panic!("no report") };
    drop(first);
    running.counts("a", |counts| counts.waiting == 1 && counts.connections == 0).await;
    let mut second = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    assert_eq!(Some(second.report().await.about), id);
    running.counts("a", |counts| counts.reports.acknowledged == 1).await;
}

#[tokio::test]
async fn reports_may_come_over_another_connection() {
    let behaviour = "behaviour: { report: 0ms, report_elsewhere: 100 % }";
    let running = start(behaviour, ACCOUNT).await;
    let address = running.addresses.cmpp.unwrap();
    let mut one = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    let mut two = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    one.submit(&message(1, "hello"));
    let id = one.answer().await.id;
    assert_eq!(Some(two.report().await.about), id);
}

/// The whole text of a long MO.
async fn long_mo<P: Messages>(customer: &mut Customer<P>, from: &str) -> String {
    let mut joiner = Joiner::new(10, Duration::from_secs(60));
    loop {
        let Incoming::Mo(mo) = customer.incoming(0).await else { panic!("no MO") };
        assert_eq!(
            (mo.source.to_string().as_str(), mo.destination.to_string().as_str()),
            (from, "10690000011")
        );
        let headed = header::read(&mo.content);
        let coding = domain::text::Coding::from_number(mo.coding);
        let part = headed.part.expect("a part");
        match joiner.add((), part, coding, headed.content, mo.id, Instant::now()) {
            Joined::Whole { text, .. } => return text.0,
            Joined::Waiting => {}
            Joined::Duplicate => panic!("a part came twice"),
        }
    }
}

fn mo(text: &str, coding: Preference) -> MoRequest {
    MoRequest {
        account: "a".to_owned(),
        from: "13800138000".parse().unwrap(),
        to: "10690000011".parse().unwrap(),
        text: MessageText(text.to_owned()),
        coding,
    }
}

#[tokio::test]
async fn a_long_message_of_a_user_comes_in_parts_in_each_protocol() {
    let text = "余额多少？".repeat(40);
    let running = start("", ACCOUNT).await;
    let mut customer =
        Customer::<Cmpp>::connect(running.addresses.cmpp.unwrap(), credentials("901234", 0x30, 0)).await;
    let taken = running.control.mo(&mo(&text, Preference::Ucs2)).await.unwrap();
    assert_eq!(taken.parts, 3);
    assert_eq!(long_mo(&mut customer, "13800138000").await, text);
    let counts = running.counts("a", |counts| counts.mo.acknowledged == 3).await;
    assert_eq!(counts.mo.made, 3);

    let running = start("", "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }").await;
    let mut customer =
        Customer::<Smgp>::connect(running.addresses.smgp.unwrap(), credentials("12345678", 0x30, 1)).await;
    running.control.mo(&mo(&text, Preference::Gb18030)).await.unwrap();
    assert_eq!(long_mo(&mut customer, "13800138000").await, text);

    let account = "  a: { protocol: sgip-1.2, id: bank, secret: secret, duplex: true }";
    let running = start("", account).await;
    let mut customer =
        Customer::<Sgip>::connect(running.addresses.sgip.unwrap(), credentials("bank", 0x12, 1)).await;
    running.control.mo(&mo(&text, Preference::Ucs2)).await.unwrap();
    assert_eq!(long_mo(&mut customer, "8613800138000").await, text);
}

#[tokio::test]
async fn a_message_of_a_user_waits_for_a_connection() {
    let running = start("", ACCOUNT).await;
    running.control.mo(&mo("hello", Preference::Ucs2)).await.unwrap();
    running.counts("a", |counts| counts.waiting == 1).await;
    let mut customer =
        Customer::<Cmpp>::connect(running.addresses.cmpp.unwrap(), credentials("901234", 0x30, 0)).await;
    let Incoming::Mo(mo) = customer.incoming(0).await else { panic!("no MO") };
    assert_eq!((mo.content.as_slice(), mo.header, mo.coding), (&b"hello"[..], false, 0));
    running.counts("a", |counts| counts.waiting == 0 && counts.mo.acknowledged == 1).await;
}
