//! Submits, their answers and reports, in each protocol.

use std::net::SocketAddr;
use std::time::Duration;

use carrier::behaviour::Ending;
use carrier::control::api::Disconnect;
use domain::event::ReportState;
use domain::text::{Limits, Preference, ReferenceWidth, SplitSettings, split};
use tokio::net::TcpListener;
use wire::cmpp::query::Query;
use wire::cmpp::{self, Cmpp};
use wire::exchange::Submit;
use wire::protocol::{Credentials, Messages};
use wire::session::Event;
use wire::sgip::Sgip;
use wire::smgp::Smgp;
use wire::text::Text;

use crate::carrier::start;
use crate::customer::{Customer, Seen, credentials, message};

const QUICK: &str = "behaviour: { report: 0ms }";

async fn a_message_is_taken_and_reported<P: Messages>(
    account: &str,
    address: impl Fn(&carrier::Addresses) -> Option<SocketAddr>,
    credentials: Credentials,
) {
    let running = start(QUICK, account).await;
    let address = address(&running.addresses).unwrap();
    let mut customer = Customer::<P>::connect(address, credentials).await;
    customer.submit(&message(1, "hello"));
    let answer = customer.answer().await;
    assert_eq!(answer.code, 0);
    let report = customer.report().await;
    assert_eq!((Some(report.about), report.state), (answer.id, ReportState::Delivered));
    assert_eq!(report.destination.to_string(), "8613800000001");
    let counts = running.counts("a", |counts| counts.reports.acknowledged == 1).await;
    assert_eq!((counts.submits, counts.accepted, counts.reports.sent), (1, 1, 1));
    let [recorded] = &running.messages().await[..] else { panic!("one message") };
    assert_eq!(recorded.text.as_deref(), Some("hello"));
    assert_eq!(recorded.message_id, answer.id.map(|id| id.to_string()));
    assert_eq!((recorded.report.as_str(), recorded.answered, recorded.code), ("delivered", true, 0));
}

#[tokio::test]
async fn a_message_is_taken_and_reported_in_cmpp_2() {
    let account = "  a: { protocol: cmpp-2.0, id: '901234', secret: secret }";
    a_message_is_taken_and_reported::<Cmpp>(account, |at| at.cmpp, credentials("901234", 0x20, 0)).await;
}

#[tokio::test]
async fn a_message_is_taken_and_reported_in_cmpp_3() {
    let account = "  a: { protocol: cmpp-3.0, id: '901234', secret: secret }";
    a_message_is_taken_and_reported::<Cmpp>(account, |at| at.cmpp, credentials("901234", 0x30, 0)).await;
}

#[tokio::test]
async fn a_message_is_taken_and_reported_in_smgp() {
    let account = "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }";
    a_message_is_taken_and_reported::<Smgp>(account, |at| at.smgp, credentials("12345678", 0x30, 2)).await;
}

#[tokio::test]
async fn a_message_is_taken_and_reported_on_one_connection_in_duplex_sgip() {
    let account = "  a: { protocol: sgip-1.2, id: bank, secret: secret, node: 3010012345, duplex: true }";
    a_message_is_taken_and_reported::<Sgip>(account, |at| at.sgip, credentials("bank", 0x12, 1)).await;
}

#[tokio::test]
async fn sgip_reports_come_over_a_connection_of_the_carriers_that_ends_when_idle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let account = format!(
        "  a: {{ protocol: sgip-1.2, id: bank, secret: secret,
             dial: {{ address: '{}', id: carrier, secret: other, idle: 300ms }} }}",
        listener.local_addr().unwrap()
    );
    let running = start(QUICK, &account).await;
    let address = running.addresses.sgip.unwrap();
    let mut sender = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    let mut about = Vec::new();
    for number in 0..3 {
        sender.submit(&message(number, "hello"));
        about.push(sender.answer().await.id.unwrap());
    }
    let mut receiver = Customer::<Sgip>::accept(&listener, "other").await;
    for about in &about {
        assert_eq!(receiver.report().await.about, *about);
    }
    assert!(matches!(receiver.event().await, Some(Event::Down(_))), "it is not ended");

    sender.submit(&message(9, "and again"));
    sender.answer().await;
    let mut receiver = Customer::<Sgip>::accept(&listener, "other").await;
    receiver.report().await;
    running.counts("a", |counts| counts.reports.acknowledged == 4).await;
}

#[tokio::test]
async fn a_listener_that_takes_no_reports_is_not_dialled_again_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let account = format!(
        "  a: {{ protocol: sgip-1.2, id: bank, secret: secret,
             dial: {{ address: '{}', id: carrier, secret: other, again: 1h }} }}",
        listener.local_addr().unwrap()
    );
    let running = start(QUICK, &account).await;
    let address = running.addresses.sgip.unwrap();
    let mut sender = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    assert_eq!(sender.code(&message(1, "hello")).await, 0);
    drop(Customer::<Sgip>::accept(&listener, "other").await);
    running.counts("a", |counts| counts.waiting == 1 && counts.connections == 1).await;
    let again = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
    assert!(again.is_err(), "it is dialled again");
}

#[tokio::test]
async fn a_header_wins_over_what_the_pdu_says_of_parts_and_the_difference_is_counted() {
    let running = start(QUICK, "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }").await;
    let address = running.addresses.smgp.unwrap();
    let mut customer = Customer::<Smgp>::connect(address, credentials("12345678", 0x30, 0)).await;
    let content = b"\x05\x00\x03\x07\x03\x02hello".to_vec();
    let part = Submit { header: true, part: 1, parts: 9, content, ..message(1, "") };
    assert_eq!(customer.code(&part).await, 0);
    let recorded = running.messages().await;
    assert_eq!((recorded[0].part, recorded[0].parts), (2, 3));
    assert_eq!(running.counts("a", |_| true).await.oddities, 1);
}

#[tokio::test]
async fn smgp_reports_come_over_the_connection_that_logged_in_for_them() {
    let account = "  a: { protocol: smgp-3.0, id: '12345678', secret: secret, modes: [send, receive] }";
    let running = start(QUICK, account).await;
    let address = running.addresses.smgp.unwrap();
    let mut sender = Customer::<Smgp>::connect(address, credentials("12345678", 0x30, 0)).await;
    let mut receiver = Customer::<Smgp>::connect(address, credentials("12345678", 0x30, 1)).await;
    sender.submit(&message(1, "hello"));
    let answer = sender.answer().await;
    assert_eq!(Some(receiver.report().await.about), answer.id);
    assert_eq!(receiver.code(&message(1, "not here")).await, 11);
}

#[tokio::test]
async fn a_group_has_an_id_and_a_report_for_each_number() {
    let running = start(QUICK, "  a: { protocol: cmpp-3.0, id: '901234', secret: secret }").await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    let mut group = message(1, "hello");
    group.destinations.extend(message(2, "").destinations);
    customer.submit(&group);
    let first = u64::from_be_bytes(customer.answer().await.id.unwrap().to_array());
    let mut reports = [customer.report().await, customer.report().await];
    reports.sort_by_key(|report| report.about);
    let seen: Vec<_> = reports
        .iter()
        .map(|report| (u64::from_be_bytes(report.about.to_array()), report.destination.to_string()))
        .collect();
    assert_eq!(seen, [(first, "8613800000001".to_owned()), (first + 1, "8613800000002".to_owned())]);
    assert_eq!(running.messages().await.len(), 2);
}

#[tokio::test]
async fn a_long_message_is_recorded_whole_and_one_that_comes_twice_is_counted() {
    let running = start(QUICK, "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }").await;
    let address = running.addresses.smgp.unwrap();
    let mut customer = Customer::<Smgp>::connect(address, credentials("12345678", 0x30, 0)).await;
    let text = "您的余额不足😀".repeat(20);
    let settings = SplitSettings {
        preference: Preference::Gb18030,
        reference_width: ReferenceWidth::Eight,
        limits: Limits::smgp(),
        most_parts: 9,
    };
    let pieces = split(&text, &settings, 7).unwrap();
    assert!(pieces.len() > 2);
    for piece in pieces.iter().rev().chain([&pieces[0]]) {
        let submit = Submit {
            coding: piece.coding.number(),
            header: piece.header,
            part: piece.part,
            parts: piece.parts,
            content: piece.content.clone(),
            ..message(1, "")
        };
        assert_eq!(customer.code(&submit).await, 0);
    }
    let recorded = running.messages().await;
    let whole: Vec<_> = recorded.iter().filter_map(|message| message.text.as_deref()).collect();
    assert_eq!(whole, [text.as_str()]);
    assert_eq!(recorded.iter().map(|message| message.duplicates).collect::<Vec<_>>().last(), Some(&1));
    assert_eq!(running.counts("a", |_| true).await.duplicate_submits, 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_submit_is_said_with_the_protocols_code_and_recorded() {
    let running =
        start(QUICK, "  a: { protocol: cmpp-3.0, id: '901234', secret: secret, number: '1069' }").await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    let right = message(1, "hello");
    let wrong = [
        (13, Submit { destinations: vec!["1380013800x".parse().unwrap()], ..right.clone() }),
        (10, Submit { source: "1068".parse().unwrap(), ..right.clone() }),
        (6, Submit { content: vec![b'x'; 160], ..right.clone() }),
        (1, Submit { header: true, part: 1, parts: 2, ..right.clone() }),
    ];
    for (code, submit) in &wrong {
        assert_eq!(customer.code(submit).await, *code);
    }
    assert_eq!(customer.code(&right).await, 0);
    let codes: Vec<u32> = running.messages().await.iter().map(|message| message.code).collect();
    assert_eq!(codes, [13, 10, 6, 1, 0]);
}

#[tokio::test]
async fn sgip_checks_the_customers_node_and_the_country_code() {
    let account = "  a: { protocol: sgip-1.2, id: bank, secret: secret, node: 3010000001 }";
    let running = start(QUICK, account).await;
    let address = running.addresses.sgip.unwrap();
    let mut customer = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    assert_eq!(customer.code(&message(1, "hello")).await, 93);

    let running = start(QUICK, "  a: { protocol: sgip-1.2, id: bank, secret: secret }").await;
    let address = running.addresses.sgip.unwrap();
    let mut customer = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    let landline = Submit { destinations: vec!["01012345678".parse().unwrap()], ..message(1, "") };
    assert_eq!(customer.code(&landline).await, 6);
}

#[tokio::test]
async fn a_days_numbers_are_told_and_what_is_not_served_is_said() {
    let running = start(QUICK, "  a: { protocol: cmpp-2.0, id: '901234', secret: secret }").await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x20, 0)).await;
    assert_eq!(customer.code(&Submit { report: false.into(), ..message(1, "hello") }).await, 0);
    let query = Query {
        time: "20260301".parse().unwrap(),
        query_type: 0,
        query_code: Text::EMPTY,
        reserve: Text::EMPTY,
    };
    customer.request(1000, query.into());
    let Some(Event::Answered { pdu: cmpp::Pdu::QueryResp(totals), .. }) = customer.event().await else {
        panic!("no totals")
    };
    assert_eq!((totals.mt_tl_msg, totals.mt_scs, totals.mt_fl), (1, 1, 0));
    customer.request(1001, cmpp::cancel::Cancel { msg_id: Default::default() }.into());
    let Some(Event::Answered { pdu: cmpp::Pdu::CancelResp(answer), .. }) = customer.event().await else {
        panic!("no answer")
    };
    assert_eq!(answer.success, 1);
}

#[tokio::test]
async fn a_flood_is_answered_recorded_and_reported_whole() {
    let top = "behaviour: { answer: mean 2ms, report: mean 5ms }";
    let account = "  a: { protocol: cmpp-3.0, id: '901234', secret: secret, window: 1000 }";
    let running = start(top, account).await;
    let address = running.addresses.cmpp.unwrap();
    let mut customer = Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await;
    const MESSAGES: u32 = 5000;
    let (mut sent, mut answers, mut reports) = (0, 0, 0);
    while answers < MESSAGES || reports < MESSAGES {
        while sent < MESSAGES && sent < answers + 900 {
            customer.submit(&message(sent, &format!("message {sent}")));
            sent += 1;
        }
        match customer.event().await.unwrap() {
            Event::Answered { sequence, pdu, .. } => {
                assert_eq!(Cmpp::read_answer(sequence, &pdu).unwrap().code, 0);
                answers += 1;
            }
            Event::Request { sequence, pdu } => {
                customer.respond(sequence, &Cmpp::deliver_answer(&pdu, 0));
                reports += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    customer.flush().await;
    let counts = running.counts("a", |counts| counts.reports.acknowledged == u64::from(MESSAGES)).await;
    assert_eq!((counts.duplicate_submits, counts.oddities, counts.waiting), (0, 0, 0));
    let mut recorded = 0;
    while let Some(last) = running.control.messages(page(recorded)).await.unwrap().last() {
        recorded = last.n;
    }
    assert_eq!(recorded, u64::from(MESSAGES));
}

fn page(after: u64) -> carrier::control::api::Page {
    carrier::control::api::Page { after, limit: None }
}

#[tokio::test]
async fn a_submit_that_cannot_be_read_is_counted_under_the_code_that_it_is_refused_with() {
    let running = start(QUICK, "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }").await;
    let address = running.addresses.smgp.unwrap();
    let mut customer = Customer::<Smgp>::connect(address, credentials("12345678", 0x30, 0)).await;
    // its header, and no more
    let [zero, twelve, submit] = [[0; 4], 12_u32.to_be_bytes(), 2_u32.to_be_bytes()];
    customer.send_raw(&[twelve, submit, zero].concat()).await;
    let counts = running.counts("a", |counts| counts.oddities == 1).await;
    let codes: Vec<(u32, u64)> = counts.codes.into_iter().collect();
    assert_eq!((counts.submits, codes), (1, vec![(10, 1)]));
}

#[tokio::test]
async fn an_sgip_connection_of_the_customers_is_closed_when_nothing_is_said_and_nothing_waited_for() {
    let account = "  a: { protocol: sgip-1.2, id: bank, secret: secret, idle: 100ms }";
    let running = start("behaviour: { answer: 400ms }", account).await;
    let address = running.addresses.sgip.unwrap();
    let mut customer = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    assert_eq!(customer.code(&message(1, "hello")).await, 0);
    let end = customer.next().await;
    assert!(matches!(end, Seen::Lost), "{end:?}");
}

#[tokio::test]
async fn an_sgip_connection_of_the_customers_is_closed_where_others_are_terminated() {
    let account = "  a: { protocol: sgip-1.2, id: bank, secret: secret }";
    let cut = "behaviour: { disconnect: { after: 1, at: within_answer, how: terminate } }";
    let running = start(cut, account).await;
    let address = running.addresses.sgip.unwrap();
    let mut customer = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    customer.submit(&message(1, "hello"));
    let end = customer.next().await;
    assert!(matches!(end, Seen::Lost), "{end:?}");
    assert!(!running.messages().await[0].answered);

    let mut customer = Customer::<Sgip>::connect(address, credentials("bank", 0x12, 1)).await;
    running.counts("a", |counts| counts.connections == 1).await;
    let order = Disconnect { account: "a".to_owned(), how: Ending::Terminate, connection: None };
    assert_eq!(running.control.disconnect(&order).await.unwrap().connections, 1);
    let end = customer.next().await;
    assert!(matches!(end, Seen::Lost), "{end:?}");
}
