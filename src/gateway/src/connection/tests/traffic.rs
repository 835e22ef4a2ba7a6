//! Parts out, answers and users' messages in, and the end that was ordered.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use wire::cmpp::deliver::{Content, Deliver, RECEIPT};
use wire::cmpp::{Cmpp, Pdu};
use wire::counted::Counted;
use wire::exchange::Incoming;
use wire::protocol::{Messages, Protocol, Version};
use wire::session::{Down, Event};
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use super::carrier::{Carrier, mo};
use super::scene::{OF_SGIP, Scene, key, run, text};
use crate::connection::{News, Order};
use crate::metrics::connection::{Attempt, End, Odd};

const QUICK: &str = "reconnect: { first: 1ms, most: 2ms }";

#[test]
fn a_part_goes_out_and_its_answer_comes_back() {
    run(async {
        out_and_back::<Cmpp>("cmpp-2.0", QUICK).await;
        out_and_back::<Cmpp>("cmpp-3.0", QUICK).await;
        out_and_back::<Smgp>("smgp-3.0", QUICK).await;
        out_and_back::<Sgip>("sgip-1.2", OF_SGIP).await;
    });
}

async fn out_and_back<P: Messages>(protocol: &str, keys: &str) {
    let mut scene = Scene::<P>::new(protocol, keys);
    let mut carrier = scene.up(1).await;
    scene.submit(1, 5);
    let (sequence, number) = carrier.submit().await;
    assert_eq!((sequence, number), (P::sequence(5, 0, domain::Stamp::default()), 5));
    carrier.answer(sequence, 8).await;
    match scene.news().await {
        News::Answered { key: of, answer } => {
            assert_eq!((of, answer.code), (key(5), 8), "{protocol}");
            assert!(answer.id.is_some_and(|id| id.as_bytes().starts_with(&[7; 8])) || P::NAME == "SGIP");
        }
        other => panic!("{other:?}"),
    }
    let metrics = &scene.metrics;
    assert_eq!((metrics.submits.get(), metrics.answer_seconds.get_sample_count()), (1, 1));
    assert_eq!((metrics.up.get(), metrics.attempts(Attempt::Up).get()), (1, 1));
}

#[test]
fn what_the_carrier_brings_is_answered_when_the_account_says_so() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        let mut tickets = Vec::new();
        let mut sequences = Vec::new();
        for word in ["one", "two"] {
            sequences.push(carrier.bring(&mo(word)).await);
            match scene.news().await {
                News::Incoming { ticket, incoming: Incoming::Mo(mo) } => {
                    assert_eq!(mo.content, word.as_bytes());
                    tickets.push(ticket);
                }
                other => panic!("{other:?}"),
            }
        }
        scene.order(Order::DeliverAnswer { ticket: tickets[1], code: 0 });
        assert_eq!(carrier.answered(sequences[1]).await, 0);
        scene.order(Order::DeliverAnswer { ticket: tickets[0], code: 8 });
        assert_eq!(carrier.answered(sequences[0]).await, 8);
    });
}

#[test]
fn a_carrier_may_bring_more_at_a_time_than_we_may_send_and_none_is_refused() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", "window: 1, reconnect: { first: 1ms, most: 2ms }");
        let mut carrier = scene.up(1).await;
        let (mut sequences, mut tickets) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            sequences.push(carrier.bring(&mo("one")).await);
        }
        for _ in 0..40 {
            let News::Incoming { ticket, .. } = scene.news().await else { panic!("something else comes") };
            tickets.push(ticket);
        }
        for ticket in tickets {
            scene.order(Order::DeliverAnswer { ticket, code: 0 });
        }
        for sequence in sequences {
            assert_eq!(carrier.answered(sequence).await, 0);
        }
    });
}

#[test]
fn a_ticket_of_an_earlier_session_answers_nothing_in_the_next() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        carrier.bring(&mo("one")).await;
        let News::Incoming { ticket: old, .. } = scene.news().await else { panic!("nothing comes") };
        drop(carrier);
        assert!(matches!(scene.news().await, News::Down { .. }));
        let mut carrier = scene.up(2).await;
        let sequence = carrier.bring(&mo("one")).await;
        let News::Incoming { ticket: new, .. } = scene.news().await else { panic!("nothing comes") };
        scene.order(Order::DeliverAnswer { ticket: old, code: 1 });
        scene.order(Order::DeliverAnswer { ticket: new, code: 0 });
        assert_eq!(carrier.answered(sequence).await, 0);
    });
}

#[test]
fn a_report_that_cannot_be_read_is_refused_and_counted() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        let octets = Counted::cut([b'x'; 59]);
        let content = Content::Octets { registered_delivery: RECEIPT, octets };
        let Some(Pdu::Deliver(deliver)) = Cmpp::deliver(&mo(""), domain::Stamp::default()) else {
            panic!("no DELIVER")
        };
        let sequence = carrier.request(Deliver { content, ..deliver }.into()).await;
        assert_eq!(carrier.answered(sequence).await, 1);
        assert_eq!(scene.metrics.oddities(Odd::UnreadableReport).get(), 1);
    });
}

#[test]
fn an_answer_that_nobody_waits_for_is_counted_and_harms_nothing() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        let mut frame = Vec::new();
        let answer = Cmpp::answer(&wire::exchange::Answer { code: 0, id: None });
        Cmpp::encode(Version(0x20), 4711, &answer, &mut frame);
        carrier.stream.write_all(&frame).await.unwrap();
        // it is read before what comes after it
        carrier.bring(&mo("")).await;
        assert!(matches!(scene.news().await, News::Incoming { .. }));
        assert_eq!(scene.metrics.oddities(Odd::Stray).get(), 1);
    });
}

#[test]
fn a_request_that_only_a_customer_makes_is_refused() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        let submit = Cmpp::submit(&text(1, 1), &scene.account.profile);
        carrier.request(submit).await;
        match carrier.event().await {
            Event::Answered { pdu, .. } => assert_eq!(Cmpp::read_answer(1, &pdu).unwrap().code, 2),
            other => panic!("{other:?}"),
        }
        assert_eq!(scene.metrics.oddities(Odd::NotServed).get(), 1);
    });
}

#[test]
fn an_ordered_end_waits_for_answers_and_logs_out() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        scene.submit(1, 5);
        let (sequence, _) = carrier.submit().await;
        scene.order(Order::Stop { patience: Duration::from_secs(10) });
        scene.submit(1, 6);
        assert!(matches!(scene.news().await, News::NotSent { login: 1, key: of } if of == key(6)));
        carrier.answer(sequence, 0).await;
        assert!(matches!(scene.news().await, News::Answered { .. }));
        assert_eq!(carrier.down().await, Down::PeerTerminated);
        match scene.news().await {
            News::Down { unanswered, .. } => assert_eq!(unanswered, []),
            other => panic!("{other:?}"),
        }
        scene.task.await.unwrap();
        assert_eq!((scene.metrics.up.get(), scene.metrics.ends(End::Stopped).get()), (0, 1));
    });
}

#[test]
fn an_end_without_patience_says_what_is_left_open() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        scene.submit(1, 5);
        carrier.submit().await;
        // as an account that is gone
        scene.orders = None;
        assert_eq!(carrier.down().await, Down::PeerTerminated);
        match scene.news().await {
            News::Down { unanswered, .. } => assert_eq!(unanswered, [key(5)]),
            other => panic!("{other:?}"),
        }
        scene.task.await.unwrap();
    });
}

#[test]
fn an_sgip_connection_that_has_nothing_to_do_comes_back_for_the_next_part() {
    run(async {
        let keys = format!("{OF_SGIP}, timers: {{ idle_end: 30ms }}");
        let mut scene = Scene::<Sgip>::new("sgip-1.2", &keys);
        let mut carrier: Carrier<Sgip> = scene.up(1).await;
        for number in 5..8 {
            assert_eq!(carrier.down().await, Down::PeerTerminated);
            carrier.closed().await;
            assert_eq!(scene.metrics.up.get(), 1, "it can still be used");
            scene.submit(1, number);
            carrier = scene.carrier().await;
            let (sequence, came) = carrier.submit().await;
            assert_eq!(came, number);
            carrier.answer(sequence, 0).await;
            // nothing else was told: to the account it was up all the time
            assert!(matches!(scene.news().await, News::Answered { key: of, .. } if of == key(number)));
        }
        assert_eq!(scene.metrics.ends(End::Idle).get(), 3);
    });
}
