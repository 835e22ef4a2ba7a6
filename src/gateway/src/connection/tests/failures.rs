//! Carriers that are not there, say no, say nothing, hang up or do not read.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{spawn_local, yield_now};
use wire::cmpp::Cmpp;
use wire::protocol::{Messages, Protocol, Secret};
use wire::session::{Down, Event};
use wire::sgip::Sgip;
use wire::smgp::Smgp;

use super::carrier::{Carrier, down};
use super::scene::{OF_SGIP, Scene, account, context, key, run, text};
use crate::connection::{Connection, News, Order, orders};
use crate::metrics::connection::{Attempt, End};

const QUICK: &str = "reconnect: { first: 1ms, most: 2ms }";

#[test]
fn a_carrier_that_is_not_there_is_tried_again_and_told_of_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let account = account("cmpp-2.0", address, QUICK);
        let (reports, mut news) = mpsc::channel(64);
        let context = context(account.clone(), reports);
        let metrics = context.metrics.clone();
        let (sender, receiver) = orders(16);
        spawn_local(Connection::<Cmpp>::new(context, account.logins[0].clone(), receiver, 1).run());
        match news.recv().await.unwrap().news {
            News::NotUp { reason } => assert!(reason.contains("refused"), "{reason}"),
            other => panic!("{other:?}"),
        }
        let key = key(1);
        sender.try_send(Order::Submit { login: 1, key, sequence: 1, submit: text(1, 1) }).unwrap();
        assert!(matches!(news.recv().await.unwrap().news, News::NotSent { login: 1, key: of } if of == key));
        while metrics.attempts(Attempt::Failed).get() < 3 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let listener = TcpListener::bind(address).await.unwrap();
        let _carrier = Carrier::<Cmpp>::accept(&listener, &account).await;
        assert!(matches!(news.recv().await.unwrap().news, News::Up { login: 1 }));
    });
}

#[test]
fn a_login_that_is_refused_says_why_in_both_languages() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        for _ in 0..3 {
            let wrong = Secret("other".to_owned());
            let (mut carrier, event) =
                Carrier::<Cmpp>::accept_with(&scene.listener, &scene.account, &wrong).await;
            assert_eq!(down(event), Down::Refused { status: 3 });
            carrier.closed().await;
        }
        let meaning = Cmpp::login_meaning(3);
        match scene.news().await {
            News::NotUp { reason } => {
                assert!(reason.contains(meaning.chinese) && reason.contains(meaning.english), "{reason}");
            }
            other => panic!("{other:?}"),
        }
        scene.up(1).await;
        assert_eq!(scene.metrics.attempts(Attempt::Refused).get(), 3);
    });
}

#[test]
fn a_carrier_that_accepts_and_says_nothing_is_left_again() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", &format!("{QUICK}, timers: {{ login: 20ms }}"));
        let (silent, _) = scene.listener.accept().await.unwrap();
        match scene.news().await {
            News::NotUp { reason } => assert_eq!(reason, Down::LoginTimeout.to_string()),
            other => panic!("{other:?}"),
        }
        drop(silent);
        assert!(scene.metrics.attempts(Attempt::Failed).get() >= 1);
    });
}

#[test]
fn a_connection_that_breaks_says_whose_fate_is_not_known_and_comes_back() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        for number in 1..=3 {
            scene.submit(1, number);
        }
        for _ in 0..3 {
            let (sequence, number) = carrier.submit().await;
            if number == 2 {
                carrier.answer(sequence, 0).await;
            }
        }
        drop(carrier);
        assert!(matches!(scene.news().await, News::Answered { key: of, .. } if of == key(2)));
        match scene.news().await {
            News::Down { unanswered, .. } => assert_eq!(unanswered, [key(1), key(3)]),
            other => panic!("{other:?}"),
        }
        assert_eq!((scene.metrics.window_used.get(), scene.metrics.ends(End::Closed).get()), (0, 1));

        let mut carrier = scene.up(2).await;
        // of the login before: too late
        scene.submit(1, 4);
        assert!(matches!(scene.news().await, News::NotSent { login: 1, key: of } if of == key(4)));
        scene.submit(2, 5);
        assert_eq!(carrier.submit().await.1, 5);
    });
}

#[test]
fn a_stream_that_is_out_of_step_ends_the_connection() {
    run(async {
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", QUICK);
        let mut carrier = scene.up(1).await;
        carrier.stream.write_all(&[0, 0, 0, 3, 0, 0, 0, 0]).await.unwrap();
        match scene.news().await {
            News::Down { reason, .. } => assert!(reason.contains("out of step"), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(scene.metrics.ends(End::OutOfStep).get(), 1);
        scene.up(2).await;
    });
}

#[test]
fn a_part_that_is_never_answered_is_given_up() {
    run(async {
        let keys = format!("{QUICK}, timers: {{ answer: 20ms, tries: 2 }}");
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", &keys);
        let mut carrier = scene.up(1).await;
        scene.submit(1, 5);
        let (sequence, _) = carrier.submit().await;
        assert!(matches!(scene.news().await, News::Unanswered { key: of } if of == key(5)));
        assert_eq!(scene.metrics.repeats.get(), 1);
        assert!(matches!(carrier.event().await, Event::Oddity(_)), "the repeat");
        // the answer comes too late, and the connection goes on
        carrier.answer(sequence, 0).await;
        scene.submit(1, 6);
        assert_eq!(carrier.submit().await.1, 6);
    });
}

#[test]
fn a_repeat_that_is_refused_for_being_one_leaves_the_fate_open_and_a_first_try_does_not() {
    run(async {
        repeated::<Cmpp>("cmpp-2.0", QUICK, 3).await;
        repeated::<Smgp>("smgp-3.0", QUICK, 12).await;
        repeated::<Sgip>("sgip-1.2", OF_SGIP, 9).await;
    });
}

async fn repeated<P: Messages>(protocol: &str, keys: &str, code: u32) {
    let keys = format!("{keys}, timers: {{ answer: 50ms }}");
    let mut scene = Scene::<P>::new(protocol, &keys);
    let mut carrier = scene.up(1).await;
    scene.submit(1, 5);
    let (sequence, _) = carrier.submit().await;
    assert!(matches!(carrier.event().await, Event::Oddity(_)), "the repeat");
    carrier.answer(sequence, code).await;
    assert!(matches!(scene.news().await, News::Unanswered { key: of } if of == key(5)), "{protocol}");
    scene.submit(1, 6);
    let (sequence, _) = carrier.submit().await;
    carrier.answer(sequence, code).await;
    match scene.news().await {
        News::Answered { key: of, answer, .. } => assert_eq!((of, answer.code), (key(6), code), "{protocol}"),
        other => panic!("{protocol}: {other:?}"),
    }
}

/// More than the buffers of the kernel hold: 1024 submits to as many users as a byte can count.
#[test]
fn a_carrier_that_does_not_read_for_a_while_gets_everything_later() {
    run(async {
        let keys = format!("{QUICK}, window: 1024, timers: {{ answer: 60s }}");
        let mut scene = Scene::<Cmpp>::new("cmpp-2.0", &keys);
        let mut carrier = scene.up(1).await;
        for number in 0..1024 {
            let submit = text(number, 250);
            scene.order(Order::Submit { login: 1, key: key(number), sequence: number, submit });
        }
        // until it does not get any further
        let mut sent = 0;
        loop {
            for _ in 0..1000 {
                yield_now().await;
            }
            let now = scene.metrics.submits.get();
            if now > 0 && now == sent {
                break;
            }
            sent = now;
        }
        assert!(sent < 1024, "the kernel took everything");
        let reading = spawn_local(async move {
            for _ in 0..1024 {
                let (sequence, _) = carrier.submit().await;
                carrier.answer(sequence, 0).await;
            }
            carrier
        });
        for number in 0..1024 {
            match scene.news().await {
                News::Answered { key: of, .. } => assert_eq!(of, key(number)),
                other => panic!("{other:?}"),
            }
        }
        reading.await.unwrap();
    });
}
