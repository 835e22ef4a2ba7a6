//! Faults on demand.

use std::time::Duration;

use wire::cmpp::Cmpp;
use wire::exchange::Incoming;

use crate::carrier::{Running, start};
use crate::customer::{Customer, Seen, credentials, message};

async fn start_cmpp(behaviour: &str) -> (Running, Customer<Cmpp>) {
    let account = "  a: { protocol: cmpp-3.0, id: '901234', secret: secret }";
    let running = start(&format!("behaviour: {behaviour}"), account).await;
    let customer = another(&running).await;
    (running, customer)
}

async fn another(running: &Running) -> Customer<Cmpp> {
    Customer::connect(running.addresses.cmpp.unwrap(), credentials("901234", 0x30, 0)).await
}

#[tokio::test]
async fn a_share_of_submits_is_refused_the_same_ones_in_every_run_over_whatever_connection() {
    let behaviour = "{ answer_codes: { 8: 30 %, 100: 20 % } }";
    let mut runs = Vec::new();
    for connections in 1..=2 {
        let (running, customer) = start_cmpp(behaviour).await;
        let mut customers = vec![customer];
        if connections == 2 {
            customers.push(another(&running).await);
        }
        let mut codes = vec![0; 100];
        for of in (0..connections).rev() {
            for number in (of..100).step_by(connections) {
                let number = u32::try_from(number).unwrap();
                codes[number as usize] = customers[of].code(&message(number, "hello")).await;
            }
        }
        runs.push(codes);
    }
    assert_eq!(runs[0], runs[1]);
    for code in [0, 8, 100] {
        assert!(runs[0].iter().filter(|&&found| found == code).count() > 10, "{code}");
    }
}

#[tokio::test]
async fn a_message_above_the_rate_is_refused_as_too_fast() {
    let account = "  a: { protocol: cmpp-3.0, id: '901234', secret: secret, rate: 1 }";
    let running = start("", account).await;
    let mut customer = another(&running).await;
    assert_eq!(customer.code(&message(1, "hello")).await, 0);
    assert_eq!(customer.code(&message(2, "hello")).await, 8);
}

#[tokio::test]
async fn a_report_may_come_before_the_answer_over_the_same_connection() {
    let (_running, mut customer) = start_cmpp("{ report_first: 100 %, answer: 1ms }").await;
    customer.submit(&message(1, "hello"));
    let report = customer.report().await;
    assert_eq!(customer.answer().await.id, Some(report.about));
}

#[tokio::test]
async fn a_report_may_come_before_the_answer_over_another_connection() {
    let (running, mut customer) = start_cmpp("{ report_first: 100 %, report_elsewhere: 100 % }").await;
    let mut other = another(&running).await;
    // it takes no part until it reads
    customer.submit(&message(1, "hello"));
    customer.flush().await;
    let report = other.report().await;
    assert_eq!(customer.answer().await.id, Some(report.about));
}

#[tokio::test]
async fn a_report_that_should_be_first_and_has_no_connection_holds_no_answer_for_long() {
    let account = "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }";
    let running = start("behaviour: { report_first: 100 % }", account).await;
    let address = running.addresses.smgp.unwrap();
    let mut sender = Customer::<wire::smgp::Smgp>::connect(address, credentials("12345678", 0x30, 0)).await;
    assert_eq!(sender.code(&message(1, "hello")).await, 0);
}

#[tokio::test]
async fn reports_may_be_lost_or_come_twice() {
    let (running, mut customer) = start_cmpp("{ report: 0ms, report_lost: 100 % }").await;
    assert_eq!(customer.code(&message(1, "hello")).await, 0);
    let counts = running.counts("a", |counts| counts.reports.lost == 1).await;
    assert_eq!(counts.reports.made, 0);
    running.control.set_behaviour("a", "{ report_lost: 0 %, report_twice: 100 % }").await.unwrap();
    customer.submit(&message(2, "hello"));
    let id = customer.answer().await.id;
    assert_eq!((Some(customer.report().await.about), Some(customer.report().await.about)), (id, id));
    let counts = running.counts("a", |counts| counts.reports.acknowledged == 2).await;
    assert_eq!((counts.reports.made, counts.reports.duplicated), (1, 1));
    let reports: Vec<_> = running.messages().await.into_iter().map(|message| message.report).collect();
    assert_eq!(reports, ["lost", "delivered twice"]);
}

#[tokio::test]
async fn reports_name_the_states_that_they_should() {
    let states = "{ report: 0ms, report_states: { 'UNDELIV/006': 100 % } }";
    let account = "  a: { protocol: smgp-3.0, id: '12345678', secret: secret }";
    let running = start(&format!("behaviour: {states}"), account).await;
    let address = running.addresses.smgp.unwrap();
    let mut customer = Customer::<wire::smgp::Smgp>::connect(address, credentials("12345678", 0x30, 2)).await;
    customer.code(&message(1, "hello")).await;
    let report = customer.report().await;
    assert_eq!((report.word.to_string().as_str(), report.error.to_string().as_str()), ("UNDELIV", "006"));
    running.control.set_behaviour("a", "report_states: { waiting: 100 % }").await.unwrap();
    customer.code(&message(1, "hello")).await;
    let words = [customer.report().await.word.to_string(), customer.report().await.word.to_string()];
    assert_eq!(words, ["ACCEPTD", "DELIVRD"]);
}

#[tokio::test]
async fn a_submit_may_stay_without_an_answer_and_is_reported_all_the_same() {
    let (running, mut customer) = start_cmpp("{ report: 0ms, unanswered: 100 % }").await;
    let sequence = customer.submit(&message(1, "hello"));
    customer.report().await;
    let repeat = frame(sequence, &message(1, "hello"));
    customer.send_raw(&repeat).await;
    running.counts("a", |counts| counts.oddities == 1).await;
    running.control.set_behaviour("a", "unanswered: 0 %").await.unwrap();
    customer.submit(&message(2, "hello"));
    assert_eq!(customer.answer().await.code, 0);
    let counts = running.counts("a", |_| true).await;
    assert_eq!((counts.submits, counts.unanswered, counts.duplicate_submits), (2, 1, 0));
}

fn frame(sequence: u32, submit: &wire::exchange::Submit) -> Vec<u8> {
    use wire::protocol::{Messages, Protocol, Version};
    let mut out = Vec::new();
    Cmpp::encode(Version(0x30), sequence, &Cmpp::submit(submit, &Default::default()), &mut out);
    out
}

#[tokio::test]
async fn a_connection_is_cut_before_after_or_within_an_answer() {
    for (point, answered) in [("before_answer", false), ("after_answer", true), ("within_answer", false)] {
        for how in ["close", "reset", "terminate"] {
            let behaviour = format!("{{ report: 0ms, disconnect: {{ after: 2, at: {point}, how: {how} }} }}");
            let (running, mut customer) = start_cmpp(&behaviour).await;
            assert_eq!(customer.code(&message(1, "hello")).await, 0);
            customer.report().await;
            customer.submit(&message(2, "hello"));
            let mut seen = Vec::new();
            loop {
                match customer.next().await {
                    Seen::Answer(answer) => seen.push(answer.code),
                    Seen::Incoming(..) => {}
                    Seen::Down(_) => {
                        assert_eq!(how, "terminate");
                        break;
                    }
                    Seen::Lost => {
                        assert_ne!(how, "terminate");
                        break;
                    }
                }
            }
            let mut again = another(&running).await;
            assert!(matches!(again.incoming(0).await, Incoming::Report(_)), "{point} {how}");
            let counts = running.counts("a", |counts| counts.reports.acknowledged == 2).await;
            assert_eq!((counts.accepted, counts.cut), (2, 1), "{point} {how}");
            let recorded: Vec<bool> =
                running.messages().await.iter().map(|message| message.answered).collect();
            // the protocol's own end comes behind a whole answer
            let whole = answered || (point, how) == ("within_answer", "terminate");
            assert_eq!(recorded, [true, whole], "{point} {how}");
            if how == "terminate" {
                assert_eq!(!seen.is_empty(), whole, "{point} {how}");
            }
            // a reset takes with it what the customer has not read
            if how == "close" {
                assert_eq!(!seen.is_empty(), answered, "{point} {how}");
            }
        }
    }
}

#[tokio::test]
async fn a_paused_account_accepts_and_says_nothing_until_it_goes_on() {
    let (running, mut customer) = start_cmpp("{ report: 0ms }").await;
    running.control.set_behaviour("a", "pause: true").await.unwrap();
    customer.submit(&message(1, "hello"));
    customer.silence(Duration::from_millis(100)).await;
    let address = running.addresses.cmpp.unwrap();
    let login =
        tokio::spawn(async move { Customer::<Cmpp>::connect(address, credentials("901234", 0x30, 0)).await });
    customer.silence(Duration::from_millis(100)).await;
    assert!(!login.is_finished());
    running.control.set_behaviour("a", "pause: false").await.unwrap();
    assert_eq!(customer.answer().await.code, 0);
    login.await.unwrap();
}
