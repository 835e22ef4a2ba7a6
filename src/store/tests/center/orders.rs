//! What the center sends itself, and what it could not understand.

use store::center::SetAside;

use crate::engine::Engine;
use crate::facts::*;
use crate::on_both;

on_both! {
    an_order_waits_once_until_it_is_handed
    a_message_says_which_one_it_sends_again
    what_cannot_be_understood_is_kept_once
}

async fn an_order_waits_once_until_it_is_handed(engine: Engine) {
    let store = engine.open().await;
    let orders = vec![(submission(1), None), (submission(2), None)];
    assert_eq!(store.order(orders, at(1)).await.unwrap(), [true, true]);
    let orders = vec![(submission(2), Some(id(9))), (submission(3), None)];
    assert_eq!(store.order(orders, at(2)).await.unwrap(), [false, true]);
    let waiting = store.waiting(0, 2).await.unwrap();
    let rest = store.waiting(waiting[1].0, 2).await.unwrap();
    let all: Vec<_> = waiting.into_iter().chain(rest).map(|(_, submission)| submission).collect();
    assert_eq!(all, [submission(1), submission(2), submission(3)]);

    store.handed(vec![id(1), id(3), id(77)]).await.unwrap();
    let left = store.waiting(0, 10).await.unwrap();
    assert_eq!((left.len(), &left[0].1), (1, &submission(2)));
    assert_eq!(store.counts().await.unwrap().waiting, 1);
    assert_eq!(store.order(vec![(submission(1), None)], at(3)).await.unwrap(), [false]);
    assert_eq!(store.waiting(0, 10).await.unwrap().len(), 1);
}

async fn a_message_says_which_one_it_sends_again(engine: Engine) {
    let store = engine.open().await;
    store.order(vec![(submission(2), Some(id(1)))], at(1)).await.unwrap();
    store.join(vec![copy(1), copy(2)], at(5)).await.unwrap();
    assert_eq!(store.message(&id(2)).await.unwrap().unwrap().resend_of, Some(id(1)));
    assert_eq!(store.message(&id(1)).await.unwrap().unwrap().resend_of, None);
}

async fn what_cannot_be_understood_is_kept_once(engine: Engine) {
    let store = engine.open().await;
    let record = |offset| SetAside {
        topic: "events".to_owned(),
        partition: 3,
        offset,
        value: vec![0, 159, 146, 150],
        error: "expected value\0".to_owned(),
        at: at(1),
    };
    store.set_aside(vec![record(5), record(6), record(5)]).await.unwrap();
    store.set_aside(vec![record(6), record(7)]).await.unwrap();
    let kept = store.aside(0, 2).await.unwrap();
    let rest = store.aside(kept[1].0, 10).await.unwrap();
    let all: Vec<_> = kept.into_iter().chain(rest).map(|(_, record)| record).collect();
    let shown = |offset| SetAside { error: "expected value".to_owned(), ..record(offset) };
    assert_eq!(all, [shown(5), shown(6), shown(7)]);
    assert_eq!(store.counts().await.unwrap().set_aside, 3);
}
