//! What only a database can do: be shared, and be away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use domain::{FinalState, Millis};
use store::empi::{Accepted, Key};
use store::{Place, StoreError, open_empi};

use super::engine::*;

#[tokio::test]
async fn what_waits_at_a_silent_node_is_taken_over_behind_what_was_read() {
    let engine = Engine::postgres();
    let (a, b) = (engine.try_open("a").await.unwrap(), engine.try_open("b").await.unwrap());
    a.accept((1..=3).map(entry).collect()).await.unwrap();
    b.accept(vec![entry(4)]).await.unwrap();
    a.handed(ids([2]), LATER).await.unwrap();
    let read = b.waiting(0, 10).await.unwrap();
    assert_eq!(read.len(), 1);

    // both have just begun
    assert_eq!(b.take_over(LATER, Millis(NOW)).await.unwrap(), 0);
    let far = Millis(u64::MAX / 4);
    assert_eq!(a.take_over(Millis(far.0 - 1), Millis(0)).await.unwrap(), 0);
    assert_eq!(b.take_over(far, Millis(far.0 - 1)).await.unwrap(), 0, "it was seen then");
    assert_eq!(b.take_over(far, far).await.unwrap(), 2);
    assert_eq!(b.take_over(far, far).await.unwrap(), 0);
    let taken = b.waiting(read[0].0, 10).await.unwrap();
    assert_eq!(taken.iter().map(|(_, s)| s.uaop_id.clone()).collect::<Vec<_>>(), ids([1, 3]));
    assert_eq!((a.counts().await.unwrap().waiting, b.counts().await.unwrap().waiting), (0, 3));

    // the one that was only slow says what it has handed meanwhile
    a.handed(ids([1]), LATER).await.unwrap();
    assert_eq!(waiting(&*b).await, ids([4, 3]));
}

#[tokio::test]
async fn a_call_goes_to_one_node_only() {
    let engine = Engine::postgres();
    let (a, b) = (engine.try_open("a").await.unwrap(), engine.try_open("b").await.unwrap());
    a.accept((0..100).map(entry).collect()).await.unwrap();
    let came = (0..100).map(|n| (n as i64, report(n, 1, FinalState::Delivered))).collect();
    b.keep(came, &[bank("core")], Millis(NOW)).await.unwrap();
    let (of_a, of_b) = futures_util::join!(a.calls(Millis(NOW), LATER, 60), b.calls(Millis(NOW), LATER, 60));
    let mut cursors: Vec<i64> =
        of_a.unwrap().into_iter().chain(of_b.unwrap()).map(|call| call.item.cursor).collect();
    cursors.sort_unstable();
    cursors.dedup();
    assert_eq!(cursors.len() + a.calls(Millis(NOW), LATER, 100).await.unwrap().len(), 100);
}

#[tokio::test]
async fn what_was_accepted_before_the_server_was_killed_is_there_after_it() {
    const CALLERS: usize = 8;
    let mut server = testkit::postgres::Postgres::start().unwrap();
    server.database("empi").unwrap();
    let mut place = settings(&server, "empi");
    place.patience = Duration::from_secs(3);
    let store = open_empi(&Place::Postgres(place), "a").await.unwrap();
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (store, acknowledged) = (store.clone(), acknowledged.clone());
        callers.push(tokio::spawn(async move {
            let mut own = Vec::new();
            for number in (caller..).step_by(CALLERS) {
                match store.accept(vec![entry(number)]).await {
                    Ok(answer) => assert_eq!(answer, [Accepted::New]),
                    Err(error) => return (own, number, error),
                }
                own.push(number);
                acknowledged.fetch_add(1, Relaxed);
            }
            unreachable!("numbers do not end")
        }));
    }
    while acknowledged.load(Relaxed) < 300 {
        tokio::task::yield_now().await;
    }
    let mut server = tokio::task::spawn_blocking(move || {
        server.kill();
        server
    })
    .await
    .unwrap();
    let (mut accepted, mut in_doubt) = (Vec::new(), Vec::new());
    for caller in callers {
        let (own, number, error) = caller.await.unwrap();
        assert!(error.is_passing(), "{error}");
        accepted.extend(own);
        in_doubt.push(number);
    }
    let away = store.ping().await.unwrap_err();
    assert!(matches!(away, StoreError::Away { .. }), "{away}");

    server.start_again().unwrap();
    // The first questions may still find connections to the server that was killed.
    while store.ping().await.is_err() {
        tokio::task::yield_now().await;
    }
    let waiting = waiting(&*store).await;
    assert!(accepted.len() >= 300);
    for number in &accepted {
        assert!(waiting.contains(&id(*number)), "{number} is lost");
        assert!(store.message(&bank("core"), &Key::Id(id(*number))).await.unwrap().is_some());
    }
    assert!(waiting.len() <= accepted.len() + in_doubt.len());
    for number in in_doubt {
        let again = store.accept(vec![entry(number)]).await.unwrap();
        assert!(again == [Accepted::New] || again == [Accepted::Duplicate], "{again:?}");
    }
}
